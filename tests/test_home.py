"""A user without a home, as in containers, and a file system without locks: in new processes."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from example_store import migrated
from needs import missing

ROOT = Path(__file__).parent.parent
LOCKS = Path(__file__).parent / "field" / "no_locks.c"
# The flat model is compiled fastest.
SHORT = (
    "--model=flat", "--draws=20", "--tune=20", "--chains=2", "--fit-checks=false",
    "--progress=none",
)  # fmt: skip


def tallgrass(folder, *words, **environment):
    """The command in a process of its own; a value of None takes a variable away."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TALLGRASS_STATE_DIR": f"{folder}/state"}
    variables |= environment
    return subprocess.run(
        [sys.executable, "-m", "tallgrass", *words],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no folder that root cannot write")
def test_a_run_of_a_user_without_a_home_keeps_caches_in_a_private_folder(tmp_path):
    # Nobody can write there, whatever the permissions say.
    chosen = dict.fromkeys(("PYTENSOR_FLAGS", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"))
    run = tallgrass(tmp_path, "run", *SHORT, HOME="/proc", TMPDIR=str(tmp_path), **chosen)
    assert run.returncode == 0, run.stderr
    assert "caches are in" in run.stderr
    assert "Traceback" not in run.stderr
    (home,) = tmp_path.glob("tallgrass-home-*")
    assert stat.S_IMODE(home.stat().st_mode) == stat.S_IRWXU
    assert any(home.rglob("*.nbi"))  # compiled code, for the next run


# A user without an entry in the password file, who can read everything and writes nowhere.
NOBODY = [
    "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search", "env", "-i",
]  # fmt: skip


@pytest.fixture
def open_folder():
    """A folder that every user reaches, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="tallgrass-nobody-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody(folder, *words, work_mode=0o777, **environment):
    """The command of a container's user, by default in a folder that this user can write."""
    if not shutil.which("setpriv") or os.geteuid() != 0:
        pytest.skip("becoming another user needs root and setpriv")
    work, temporary = folder / "work", folder / "tmp"
    for place, mode in ((work, work_mode), (temporary, 0o777)):
        place.mkdir(exist_ok=True)
        place.chmod(mode)
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    given = [f"{name}={value}" for name, value in (variables | environment).items()]
    return subprocess.run(
        ["setpriv", *NOBODY, *given, sys.executable, "-m", "tallgrass", *words],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_user_without_a_name_or_a_folder_runs_on_a_read_only_install(open_folder):
    run = as_nobody(open_folder, "run", *SHORT)
    assert run.returncode == 0, run.stderr
    assert "caches are in" in run.stderr
    assert "Traceback" not in run.stderr
    assert (open_folder / "work" / "mlflow.db").stat().st_uid == 12345


@pytest.mark.slow
@pytest.mark.parametrize("home", ["/", "/root", "/nonexistent"])
def test_the_home_of_another_user_is_as_none(open_folder, home):
    listed = as_nobody(open_folder, "runs", HOME=home)
    assert listed.returncode == 0, listed.stderr
    assert "Traceback" not in listed.stderr


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_one_line_before_any_work(open_folder):
    run = as_nobody(open_folder, "run", *SHORT, work_mode=0o555)
    assert run.returncode == 2
    assert "cannot write the MLflow store (Permission denied)" in run.stderr
    assert "MLFLOW_TRACKING_URI" in run.stderr


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no folder that root cannot write")
def test_a_folder_that_others_can_write_is_not_taken_for_caches(tmp_path):
    open_to_all = tmp_path / f"tallgrass-home-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    script = "import tallgrass, os; print(os.environ['HOME'])"
    environment = {**os.environ, "HOME": "/proc", "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    home = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(home).parent == tmp_path
    assert Path(home) != open_to_all


@pytest.mark.slow
def test_a_file_system_without_locks_is_said_once_and_runs_go_on(tmp_path):
    compiler = shutil.which("gcc") or missing("a file system without locks needs gcc")
    library = tmp_path / "no_locks.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, LOCKS], check=True)
    run = tallgrass(tmp_path, "run", *SHORT, LD_PRELOAD=str(library))
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("no locks") == 1
    assert "TALLGRASS_STATE_DIR" in run.stderr
    script = "import tallgrass as tg; print(len(tg.load_trace(tg.runs().run_id[0])['posterior']))"
    read = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr


SCRIPT = """
import multiprocessing, os
if "STARTED" not in os.environ:
    os.environ["STARTED"] = "1"
    multiprocessing.set_start_method({method!r})
import tallgrass as tg
from tallgrass.inference import pymc_nuts
pymc_nuts.START_METHOD = {chosen!r}  # None: Python's default, as on macOS
def main():
    spec = tg.RunSpec(
        model="flat", draws=20, tune=20, chains=2, sampler="pymc", fit_checks=False
    )
    print(tg.fit(spec, tg.Settings(progress="none")).run_id)
{call}
"""
GUARDED = 'if __name__ == "__main__":\n    main()'


def script(folder, **parts):
    (folder / "mlflow.db").write_bytes(migrated())
    (folder / "script.py").write_text(SCRIPT.format(**{"call": "main()"} | parts))
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TALLGRASS_STATE_DIR": f"{folder}/state"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="chains are forked on Linux alone")
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_pymc_samples_from_a_script_without_a_main_guard(tmp_path, method):
    run = script(tmp_path, method=method, chosen="fork")
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) == 1  # one run


@pytest.mark.slow
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_where_chains_are_not_forked_a_script_without_a_main_guard_is_told_so(tmp_path, method):
    run = script(tmp_path, method=method, chosen=None)
    assert run.returncode == 1
    assert run.stdout == ""
    last = run.stderr.strip().splitlines()[-1]
    assert 'put the call under if __name__ == "__main__":' in last
    assert run.stderr.count("put the call under") == 1
    count = "import tallgrass as tg; print(len(tg.runs(status='FAILED')), len(tg.runs()))"
    listed = subprocess.run(
        [sys.executable, "-c", count], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.split() == ["1", "1"]


@pytest.mark.slow
def test_where_chains_are_not_forked_a_script_with_a_main_guard_samples(tmp_path):
    run = script(tmp_path, method="spawn", chosen=None, call=GUARDED)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) == 1


def test_another_process_that_runs_the_script_again_says_what_is_to_be_done(tmp_path):
    (tmp_path / "pool.py").write_text(
        "import multiprocessing, sys\n"
        "from tallgrass.inference.second_start import refuse_second_start\n"
        "refuse_second_start()\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=print)\n"
        "    process.start()\n"
        "    process.join()\n"
        "    sys.exit(process.exitcode)\n"
    )
    run = subprocess.run(
        [sys.executable, "pool.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "put the call under" in run.stderr.strip().splitlines()[-1]
