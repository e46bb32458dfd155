"""Every kind of run, killed: recovered, it holds what a run that was not killed holds."""

import os
import shutil
import signal
from pathlib import Path

import fault_tools as tools
import mlflow
import pandas as pd
import pytest
from example_store import default_store
from item_data import simulated_items

from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.settings import Settings

pytestmark = pytest.mark.faults

ANSWERS = ["calibrate", "--responses=answers.csv", "--anchors=anchors.csv", "--min-responses=20"]
FEW = ["--draws=60", "--tune=60", "--chains=2"]
RUN = ["run", "--session=legislature", "--min-votes=5", "--baseline=none"]
KINDS = {
    "flat": [*RUN, "--model=flat"],
    "hierarchical": [*RUN, "--model=hierarchical"],
    "joint": [*RUN, "--model=joint", "--chamber=both"],
    "a model of a file": [*RUN, f"--model={tools.ROOT}/projects/own-model/models.py:rasch"],
    "nuts": [*ANSWERS, "--engine=nuts"],
    "gibbs": [*ANSWERS, "--engine=gibbs"],
    "map": [*ANSWERS, "--engine=map"],
    "mml": [*ANSWERS, "--engine=mml"],
}
# Ends the process as kill -9 does, when what it computed is about to be recorded.
KILLED_WHILE_RECORDING = (
    "import os, sys\n"
    "from tallgrass.study.recorder import Recorder\n"
    "Recorder.conclude = lambda *_: os.kill(os.getpid(), 9)\n"
    "from tallgrass.cli import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)


@pytest.fixture(autouse=True)
def nothing_left(store):
    """What one test left behind is not taken for what the next one leaves."""
    yield
    shutil.rmtree(store / "state" / "runs", ignore_errors=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = default_store(tmp_path_factory.mktemp("store"))
    with store as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLGRASS_STATE_DIR", str(folder / "state"))
        patch.setenv("TALLGRASS_PROGRESS", "none")
        sizes = ["--house-members=14", "--senate-members=12", "--house-rollcalls=24"]
        sizes += ["--senate-rollcalls=20", "--matched=8", "--seed=2"]
        assert main(["simulate", "legislature", *sizes]) == 0
        data = simulated_items(n_users=150, n_items=8, n_anchors=3, per_user=8, seed=6)
        r, anchors = data.responses, data.anchors
        table = pd.DataFrame(
            {
                "user": [r.users[i] for i in r.user],
                "item": [r.items[j] for j in r.item],
                "response": r.correct,
            }
        )
        table.to_csv("answers.csv", index=False)
        pd.DataFrame({"item": anchors.items, "a": anchors.a, "b": anchors.b}).to_csv(
            "anchors.csv", index=False
        )
        yield folder


def newest():
    return mlflow.MlflowClient().search_runs(["1"], order_by=["start_time DESC"])[0]


def artifacts(run_id, folder=None):
    """Paths of all files of a run."""
    for entry in mlflow.MlflowClient().list_artifacts(run_id, folder):
        yield from artifacts(run_id, entry.path) if entry.is_dir else [entry.path]


def holds(run):
    """What a run holds, by name: artifacts, tags, params, metrics."""
    return {
        "artifacts": sorted(artifacts(run.info.run_id)),
        "tags": {k for k in run.data.tags if not k.startswith(("recovered", "mlflow.source"))},
        "params": set(run.data.params),
        # How far sampling was is told while it is under way, and compiling only before it.
        "metrics": {
            name for name in run.data.metrics
            if not name.startswith(("live/", "time/", "metrics.dropped"))
        },
    }  # fmt: skip


def uninterrupted(words):
    assert main(words) == 0
    return holds(newest())


def killed_while_sampling(store, words):
    # Gibbs makes tens of thousands of draws of so few answers before the first ones are on disk.
    draws = 200_000 if "--engine=gibbs" in words else 40_000
    process = tools.start(store, f"--draws={draws}", "--tune=60", "--chains=2", command=words)
    try:
        tools.keeping(store, process, 40, writings=2)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def killed_while_recording(store, words):
    process = tools.start(store, command=words, code=KILLED_WHILE_RECORDING)
    assert process.wait(300) == -signal.SIGKILL, (store / "said").read_text()


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_recovered_run_holds_what_one_that_was_not_killed_holds(store, kind, monkeypatch):
    words = KINDS[kind]
    sampled = kind not in ("map", "mml")
    whole = uninterrupted([*words, *FEW])
    before = newest().info.run_id
    if sampled:
        killed_while_sampling(store, words)
    else:
        killed_while_recording(store, words)
    (left,) = recovery.remains(Settings())
    # From another folder: what the spec names is looked for where the run was started.
    (store / "elsewhere").mkdir(exist_ok=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store / 'mlflow.db'}")
    monkeypatch.chdir(store / "elsewhere")
    assert main(["recover", left.status.run_id]) == 0
    run = newest()
    assert run.info.run_id == left.status.run_id != before
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert holds(run) == whole
    assert recovery.remains(Settings()) == []


def test_a_recovered_link_holds_what_one_that_was_not_killed_holds(store):
    ids = []
    for chamber in ("house", "senate"):
        assert main([*RUN, f"--chamber={chamber}", *FEW]) == 0
        ids.append(newest().info.run_id)
    whole = uninterrupted(["link", *ids, "--link-draws=20"])
    coefficients = Path(mlflow.artifacts.download_artifacts(
        run_id=newest().info.run_id, artifact_path="tables/link_coefficients.csv"
    )).read_text()  # fmt: skip
    killed_while_recording(store, ["link", *ids, "--link-draws=20"])
    assert main(["recover", "--all"]) == 0
    run = newest()
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert holds(run) == whole
    again = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="tables/link_coefficients.csv"
    )
    assert Path(again).read_text() == coefficients


IN_MEMORY = """
import sys
import pandas as pd
import tallgrass as tg
kind, draws = sys.argv[1], int(sys.argv[2])
few = {"draws": draws, "tune": 60, "chains": 2}
settings = tg.Settings(progress="none")
if kind == "votes":
    votes = tg.load_votes("legislature", "house")
    spec = tg.RunSpec(model="flat", min_votes=5, baseline="none", **few)
    tg.fit(spec, settings, votes=votes)
else:
    spec = tg.CalibrationSpec(engine="nuts", min_responses=20, covariates="sex", **few)
    answers = pd.read_csv("answers.csv").assign(sex="f")
    tg.calibrate(spec, settings, responses=answers)
"""


@pytest.mark.parametrize("kind", ["votes", "answers"])
def test_a_run_on_data_in_memory_is_recovered_from_the_copy_in_it(store, kind, monkeypatch):
    whole = tools.start(store, code=IN_MEMORY, command=[kind, "60"])
    assert whole.wait(300) == 0, (store / "said").read_text()
    expected = holds(newest())
    killed = tools.start(store, code=IN_MEMORY, command=[kind, "40000"])
    try:
        tools.keeping(store, killed, 40)
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    (left,) = recovery.remains(Settings())
    # Nothing of the data is left but the copy.
    (store / "elsewhere").mkdir(exist_ok=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store / 'mlflow.db'}")
    monkeypatch.chdir(store / "elsewhere")
    assert main(["recover", left.status.run_id]) == 0
    run = newest()
    assert run.info.run_id == left.status.run_id
    assert run.info.status == "FINISHED"
    assert run.data.tags["recovered"] == "true"
    assert holds(run) == expected
    assert recovery.remains(Settings()) == []


OWN = (
    "import sys\n"
    "sys.path.insert(0, {tests!r})\n"
    "from own_models import eight_schools\n"
    "import tallgrass as tg\n"
    "few = {{'tune': 60, 'chains': 2}}\n"
    "tg.sample(eight_schools, draws={draws}, name='own model', compare='theta', **few)\n"
)


def test_a_recovered_run_of_a_users_model_holds_what_one_that_was_not_killed_holds(store):
    tests = str(Path(__file__).parent)
    whole_code = OWN.format(tests=tests, draws=60)
    assert tools.start(store, command=(), code=whole_code).wait(timeout=300) == 0
    whole = holds(newest())
    process = tools.start(store, command=(), code=OWN.format(tests=tests, draws=900_000))
    try:
        tools.keeping(store, process, 40, writings=2)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    (left,) = recovery.remains(Settings())
    assert main(["recover", left.status.run_id]) == 0
    run = newest()
    assert run.info.run_id == left.status.run_id
    assert run.info.status == "FINISHED"
    recovered = holds(run)
    for held in (recovered, whole):  # drawn only where draws diverge, which so few may not
        held["artifacts"] = [name for name in held["artifacts"] if "divergences" not in name]
    assert recovered == whole
    assert recovery.remains(Settings()) == []


def test_a_run_of_very_many_draws_is_recovered_with_some_of_them(store, capsys, monkeypatch):
    killed_while_recording(store, [*RUN, "--model=flat", *FEW])
    (left,) = recovery.remains(Settings())
    assert left.draws == (60, 60)
    monkeypatch.setenv("TALLGRASS_PROGRESS", "plain")
    assert main(["recover", left.status.run_id, "--thin=4"]) == 0
    told = capsys.readouterr()
    assert f"{left.status.run_id}: finishing it with 120 draws" in told.err
    assert "2 chains of 15 draws recovered" in told.out
    run = newest()
    assert run.info.status == "FINISHED"
    assert run.data.tags["trace.thinned"] == "4"


def test_a_calibration_whose_anchors_were_changed_is_not_recovered_against_others(store, capsys):
    killed_while_recording(store, [*ANSWERS, "--engine=map"])
    (left,) = recovery.remains(Settings())
    before = pd.read_csv("anchors.csv")
    before.assign(b=before["b"] + 0.5).to_csv("anchors.csv", index=False)
    assert main(["recover", left.status.run_id]) == 2
    assert "the anchors are no longer those of the run" in capsys.readouterr().err
    before.iloc[::-1].to_csv("anchors.csv", index=False)  # in another order they are the same
    assert main(["recover", left.status.run_id]) == 0
    assert newest().info.status == "FINISHED"
