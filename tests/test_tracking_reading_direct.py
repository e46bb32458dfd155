"""Reading a database without MLflow: what it says is what MLflow says, and nothing slow is read."""

import json
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from example_store import default_store, made_run
from mlflow.entities import Metric

from tallgrass.cli import main
from tallgrass.cli.output import as_json
from tallgrass.cli.output import records as records_of
from tallgrass.errors import TrackingError
from tallgrass.rollcalls import earlier
from tallgrass.tracking import address
from tallgrass.tracking.reading import database, found, records
from tallgrass.tracking.reading.searching import experiments, find_run

ROOT = Path(__file__).parent.parent
SLOW = ["mlflow", "arviz", "arviz_base", "matplotlib", "pymc", "pytensor", "numba", "dask"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        ids = [
            made_run(draws=500, strict=True, target_accept=0.9),
            made_run("flat", verdict="fail", metrics={"rhat_max": 1.2, "divergences": 3}),
            made_run(tags={"baseline": "true"}, seed=1),
        ]
        client = mlflow.MlflowClient()
        client.log_batch(ids[0], metrics=[Metric("odd/nan", math.nan, 1, 0)])
        client.log_text(ids[0], "hello", "notes/note.md")
        yield folder, ids


@pytest.fixture
def ids(filled, monkeypatch):
    folder, ids = filled
    monkeypatch.chdir(folder)
    return ids


def python(code, folder, *words):
    own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**own, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


COMMANDS = """
import contextlib, io, json, sys
from tallgrass.cli import main
first, second, *slow = sys.argv[1:]
found = {}
for words in (["runs"], ["runs", "--json"], ["show", first[:12]], ["compare", first, second]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = main(words)
    found[" ".join(words[:2])] = [status, len(out.getvalue()), sorted(set(slow) & set(sys.modules))]
print(json.dumps(found))
"""


def test_runs_show_and_compare_import_nothing_that_takes_seconds(ids, filled):
    seen = json.loads(python(COMMANDS, filled[0], ids[0], ids[1], *SLOW))
    assert len(seen) == 4
    for name, (status, length, imported) in seen.items():
        assert (status, imported) == (0, []), name
        assert length > 0


def test_listing_runs_needs_no_pandas(ids, filled):
    code = (
        "import sys\nfrom tallgrass.cli import main\nmain(['runs'])\n"
        "print([m for m in ('pandas', 'numpy') if m in sys.modules])"
    )
    assert python(code, filled[0]).splitlines()[-1] == "[]"


def test_a_run_from_the_tables_is_the_run_that_mlflow_gives(ids):
    for run_id in ids:
        direct = found.of_database(database.database_uri(), run_id)
        known = found.of_mlflow(mlflow.MlflowClient().get_run(run_id))
        assert direct.info == known.info
        assert direct.data.params == known.data.params
        assert direct.data.tags == known.data.tags
        assert repr(dict(sorted(direct.data.metrics.items()))) == repr(
            dict(sorted(known.data.metrics.items()))
        )


def test_experiments_from_the_tables_are_those_of_mlflow(ids):
    client = mlflow.MlflowClient()
    deleted = client.create_experiment("gone")
    client.delete_experiment(deleted)
    assert experiments() == {e.experiment_id: e.name for e in client.search_experiments()}


def test_plain_rows_hold_what_the_table_holds(ids):
    for filters in ({}, {"verdict": "pass"}, {"model": "flat"}, {"limit": 1}):
        table = records_of(earlier.runs(**filters))
        assert as_json(earlier.run_records(**filters)) == as_json(table)


def test_artifacts_and_their_sizes_are_those_of_mlflow(ids):
    listed = records.details(ids[0])["sizes"]
    assert listed == dict(records._listed_by_mlflow(ids[0], None)) == {"notes/note.md": 5}


IN_USE = """
import os, sys
from tallgrass.tracking import address
named = {}, {"MLFLOW_TRACKING_URI": "sqlite:///other.db"}
cases = [(folder, variables) for folder in sys.argv[1:] for variables in named]
def each(ask):
    for folder, variables in cases:
        os.chdir(folder)
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.environ.update(variables)
        yield ask()
ours = list(each(address.in_use))
assert "mlflow" not in sys.modules
import mlflow
assert ours == list(each(mlflow.get_tracking_uri)), ours
"""


def test_the_store_in_use_is_the_one_that_mlflow_names(tmp_path):
    stale = tmp_path / "stale"
    (stale / "mlruns" / "0").mkdir(parents=True)
    (stale / "mlruns" / "0" / "meta.yaml").touch()
    (tmp_path / "empty").mkdir()
    python(IN_USE, tmp_path, str(tmp_path / "empty"), str(stale))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a b/mlruns/1/x#y", Path("/a b/mlruns/1/x#y")),
        ("file:///a%20b/c", Path("/a b/c")),
        ("mlruns/1", Path("mlruns/1")),
        ("mlflow-artifacts:/1/2", None),
        ("s3://bucket/1", None),
        ("dbfs:/x", None),
    ],
)
def test_artifacts_are_on_this_machine_or_elsewhere_by_their_address(uri, path):
    assert address.local_path(uri) == path


def test_without_a_store_one_is_made_as_before(tmp_path, capsys):
    with default_store(tmp_path):
        assert main(["runs"]) == 0
        assert "no runs yet" in capsys.readouterr().out


def test_tables_of_another_version_are_left_to_mlflow_which_says_what_is_wrong(tmp_path):
    with default_store(tmp_path), closing(sqlite3.connect("mlflow.db")) as tables, tables:
        run_id = made_run()
        tables.execute("ALTER TABLE latest_metrics RENAME TO other_metrics")
        tables.commit()
        with pytest.raises(TrackingError, match="cannot read run"):
            find_run(run_id)
