"""What a run does besides sampling, by counts that are the same on every machine.

Seconds are measured by ``tallgrass bench run``; these limits leave some room, and fail where a
change makes every run write, ask or import clearly more.
"""

import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from example_store import default_store
from numba.core.event import install_recorder

from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

ROOT = Path(__file__).parent.parent
MOST_STATEMENTS = 200
MOST_FILES = 50
TINY = {"draws": 20, "tune": 30, "chains": 2, "fit_checks": False, "baseline": "none"}

# What no single run needs, or needs only in its report, by the moment it first says something.
UNNEEDED = ["dask", "distributed", "matplotlib", "psycopg", "IPython", "sklearn", "arviz_base"]
FIRST_WORDS = """
import json, sys
from tallgrass.cli import main
class Listening:
    def write(self, text):
        if text.strip():
            print(json.dumps([name for name in UNNEEDED if sys.modules.get(name)]), flush=True)
            raise KeyboardInterrupt
    def flush(self): pass
    def isatty(self): return False
UNNEEDED = sys.argv[1:]
sys.stderr = Listening()
try:
    main(["run", "--session=simulated", "--progress=plain", "--draws=20", "--tune=30"])
finally:
    sys.stderr = sys.__stderr__
"""

# What others import only to ask whether data are of its kind, or for what we do not use of them.
NEVER = ["dask", "distributed", "jax", "arviz_base", "arviz_stats", "scipy.stats"]
NEVER += ["scipy.optimize", "matplotlib.pyplot", "IPython", "sklearn"]
WHOLE_RUN = """
import json, sys
from tallgrass.cli import main
words = "--session=simulated --progress=none --draws=20 --tune=30 --chains=2 --baseline=none"
assert main(["run", *words.split()]) == 0
print(json.dumps([name for name in sys.argv[1:] if sys.modules.get(name)]))
"""


@contextmanager
def statements():
    """Counts the SQL statements of this process by their first word."""
    counts: Counter[str] = Counter()

    def note(_connection, _cursor, statement, *_):
        counts[statement.split(None, 1)[0].upper()] += 1

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        yield counts
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """The second of two equal runs: its SQL statements, compilations, and the files it left."""
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        settings = Settings(progress="none", state_dir=folder / "state")
        spec = RunSpec(session="simulated", **TINY)
        fit(spec, settings)
        before = set(folder.rglob("*"))
        with statements() as counts, install_recorder("numba:compile") as compiled:
            fit(spec, settings)
        new = {path for path in folder.rglob("*") if path.is_file()} - before
        yield counts, [event for _, event in compiled.buffer if event.is_start], new


def test_a_run_asks_its_store_two_hundred_times_at_most(second):
    assert second[0].total() < MOST_STATEMENTS, second[0]


def test_a_run_leaves_fifty_files_at_most(second):
    assert len(second[2]) < MOST_FILES


def test_a_second_equal_run_compiles_nothing(second):
    assert [str(event.data["dispatcher"]) for event in second[1]] == []


def printed(tmp_path, *words):
    """The lines that a Python of its own prints beside an empty store."""
    with default_store(tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout, done.stderr
    return done.stdout.splitlines()


def test_a_run_imports_nothing_that_it_does_not_need_before_it_says_something(tmp_path):
    assert printed(tmp_path, FIRST_WORDS, *UNNEEDED)[0] == "[]"


def test_a_whole_run_never_imports_what_it_does_not_use(tmp_path):
    assert printed(tmp_path, WHOLE_RUN, *NEVER)[-1] == "[]"
