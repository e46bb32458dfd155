import json
import os
import time
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
from example_store import default_store, status_of

import tallgrass as tg
from tallgrass import recovery
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError, TrackingError
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.study.recorder import Recorder
from tallgrass.study.study import Context
from tallgrass.tracking import lifecycle
from tallgrass.tracking.writing import close_orphans, start_run

SPEC = RunSpec(
    session="simulated", draws=2000, tune=200, chains=2, fit_checks=False, baseline="none"
)


@pytest.fixture
def store(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def settings():
    return Settings(progress="none")


def tags_of(run_id):
    return mlflow.MlflowClient().get_run(run_id).data.tags


class Lost(BaseException):
    """Stands for the end of a process: nothing of ours catches it."""


@pytest.fixture
def lost(store, monkeypatch):
    """A run whose trace was never stored; its draws are on disk."""

    def lose(*_):
        raise Lost

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "trace", lose)
        with pytest.raises(Lost):
            fit(SPEC, settings())
    [left] = recovery.remains(settings())
    return left


def test_a_run_under_way_shows_in_the_monitor_and_tells_mlflow_how_far_it_is(
    store, capsys, monkeypatch
):
    monkeypatch.setattr(lifecycle.life, "LIVE_SECONDS", 0.2)
    seen = []

    def look(chains):
        time.sleep(0.02)
        if not seen and min(chain.finished for chain in chains) > 100:
            capsys.readouterr()
            time.sleep(1.2)
            main(["monitor", "--json"])
            seen.append(json.loads(capsys.readouterr().out))
            main(["monitor"])
            seen.append(capsys.readouterr().out)

    result = fit(SPEC, settings(), Context(observer=look))
    [one] = seen[0]["runs"]
    assert (one["run_id"], one["phase"], one["alive"]) == (result.run_id, "sampling", True)
    assert one["name"] == "senate hierarchical nutpie"
    assert [chain["total"] for chain in one["chains"]] == [2200, 2200]
    assert "senate hierarchical nutpie  sampling" in seen[1]
    history = mlflow.MlflowClient().get_metric_history(result.run_id, "live/chain_0/draws")
    assert history
    assert all(entry.value <= 2200 for entry in history)
    main(["monitor", "--json"])
    assert json.loads(capsys.readouterr().out)["runs"][0]["phase"] == "finished"


def test_a_finished_run_leaves_nothing_to_recover(store, capsys):
    result = fit(SPEC, settings())
    assert recovery.remains(settings()) == []
    assert main(["recover"]) == 0
    assert capsys.readouterr().out == "nothing to recover\n"
    folder = lifecycle.run_folder(store / "state", result.run_id)
    assert [path.name for path in folder.iterdir()] == ["status.json"]


def test_the_findings_about_the_machine_are_stored_in_the_run(store):
    result = fit(SPEC, settings())
    path = mlflow.MlflowClient().download_artifacts(result.run_id, "env/machine.json")
    found = json.loads(Path(path).read_text())
    assert {one["level"] for one in found} <= {"note", "warning"}
    assert "cores" in found[0]["message"]


def test_what_a_dead_run_left_is_listed_with_its_draws(lost, capsys):
    assert lost.draws == (2000, 2000)
    assert main(["recover", "--json"]) == 0
    [one] = json.loads(capsys.readouterr().out)["runs"]
    assert (one["run_id"], one["draws"]) == (lost.status.run_id, [2000, 2000])
    assert main(["recover"]) == 0
    shown = capsys.readouterr().out
    assert lost.status.run_id in shown
    assert "2000, 2000" in shown


def test_a_recovered_run_is_as_if_it_had_finished_and_says_that_it_was_recovered(lost, capsys):
    run_id = lost.status.run_id
    assert main(["recover", run_id[:6]]) == 0
    assert "2 chains of 2000 draws recovered" in capsys.readouterr().out
    assert status_of(run_id) == "FINISHED"
    tags = tags_of(run_id)
    assert (tags["recovered"], tags["recovered.draws"]) == ("true", "2000, 2000")
    trace = tg.load_trace(run_id)
    again = fit(SPEC, settings())
    for name, x in again.trace["posterior"].data_vars.items():
        assert (trace["posterior"][name].values == x.values).all()
    assert trace.attrs["recovered"] == "true"
    found = mlflow.MlflowClient().get_run(run_id).data.metrics
    expected = mlflow.MlflowClient().get_run(again.run_id).data.metrics
    for name in ("rhat_max", "ess_min", "divergences"):
        assert found[name] == expected[name]
    assert recovery.remains(settings()) == []


def test_a_run_whose_votes_are_gone_is_recovered_with_its_draws_alone_when_told_so(
    store, write_session, monkeypatch, capsys
):
    folder = write_session("gone")
    spec = RunSpec(
        session=str(folder), chamber="house", model="flat", draws=60, tune=60, chains=2,
        min_votes=0, minority_threshold=0.0, fit_checks=False, baseline="none",
    )  # fmt: skip

    def lose(*_):
        raise Lost

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "trace", lose)
        with pytest.raises(Lost):
            fit(spec, settings())
    [left] = recovery.remains(settings())
    for path in folder.iterdir():
        path.unlink()

    assert main(["recover", left.status.run_id]) == 2
    assert "gone" in capsys.readouterr().err
    assert recovery.remains(settings()) == [left]  # nothing was lost, and nothing half-written
    assert status_of(left.status.run_id) == "FAILED"

    assert main(["recover", left.status.run_id, "--draws-only"]) == 0
    assert "2 chains of 60 draws recovered" in capsys.readouterr().out
    assert status_of(left.status.run_id) == "FINISHED"
    assert tg.load_trace(left.status.run_id)["posterior"].sizes["draw"] == 60
    assert tags_of(left.status.run_id)["verdict"] in ("fail", "unresolved")


def test_recovering_leaves_the_working_folder_as_it_is(lost, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    monkeypatch.chdir(elsewhere)
    recovery.connect(lost, settings())
    assert recovery.finish(lost, settings()).n_draws == 2000
    assert Path.cwd() == elsewhere


def test_the_draws_of_a_dead_run_can_be_discarded(lost):
    assert main(["recover", lost.status.run_id, "--discard"]) == 0
    assert recovery.remains(settings()) == []
    assert "recovered" not in tags_of(lost.status.run_id)


def test_recover_refuses_what_it_cannot_mean(lost):
    with pytest.raises(DataError, match="no such run left"):
        recovery.find(settings(), "ffff0000")
    assert main(["recover", "--discard"]) == 2
    assert main(["recover", lost.status.run_id, "--all"]) == 2


def test_draws_stay_where_they_are_when_the_store_does_not_know_the_run(lost):
    mlflow.MlflowClient().delete_run(lost.status.run_id)
    with pytest.raises((TrackingError, DataError)):
        recovery.connect(lost, Settings(tracking_uri="sqlite:///other/other.db"))
    assert recovery.remains(settings()) == [lost]


def test_a_second_run_is_refused_before_a_run_is_made(store):
    state = lifecycle.state_dir(store / "state")
    with lifecycle.slot(state, 1), pytest.raises(SpecError, match="1 run at a time"):
        fit(SPEC, settings())
    assert mlflow.MlflowClient().get_experiment_by_name("tallgrass") is None


# Orphans.


def left_running(tags):
    client = mlflow.MlflowClient()
    return client.create_run("0", tags=tags).info.run_id


def owned_by(owner):
    return {**lifecycle.identity(), "process.owner": owner.to_json()}


def dead_owner():
    return replace(lifecycle.this_owner(), pid=999999999)


def test_runs_of_dead_processes_are_closed_with_the_reason_and_others_left_alone(store):
    here = lifecycle.this_owner()
    dead = left_running(owned_by(replace(here, pid=999999999)))
    mine = left_running(lifecycle.identity())
    elsewhere = left_running(
        owned_by(replace(here, host="elsewhere", machine="m", boot="b", pid=1))
    )
    foreign = left_running({})
    closed = close_orphans(lifecycle.state_dir(store / "state"))
    assert [one.run_id for one in closed] == [dead]
    assert status_of(dead) == "FAILED"
    assert "999999999 ended without a word" in tags_of(dead)["error"]
    assert [status_of(one) for one in (mine, elsewhere, foreign)] == ["RUNNING"] * 3


def test_a_run_that_mlflow_run_made_and_left_is_closed_after_an_hour(store):
    client = mlflow.MlflowClient()
    hours = {}
    for age in (0.5, 2.0):
        began = int((time.time() - age * 3600) * 1000)
        tags = {"mlflow.source.type": "PROJECT", "mlflow.project.entryPoint": "main"}
        run_id = client.create_run("0", start_time=began, tags=tags).info.run_id
        for name in ("chamber", "model", "sampler"):
            client.log_param(run_id, name, "x")
        hours[age] = run_id
    close_orphans(lifecycle.state_dir(store / "state"))
    assert status_of(hours[0.5]) == "RUNNING"
    assert status_of(hours[2.0]) == "FAILED"
    assert "no conda" in tags_of(hours[2.0])["error"]


def test_a_run_carries_the_process_that_makes_it(store):
    with start_run(None, "x") as run:
        assert lifecycle.Owner.from_json(tags_of(run.run_id)["process.owner"]) == (
            lifecycle.this_owner()
        )
        assert lifecycle.fate_of_tags(tags_of(run.run_id))[0] is lifecycle.Fate.ALIVE


@pytest.mark.parametrize("pid", [999999999, os.getpid()], ids=["none", "another"])
def test_a_run_of_an_earlier_version_is_closed_where_its_process_is_gone(store, pid):
    of_today = {"process.owner"}
    tags = {k: v for k, v in lifecycle.identity().items() if k not in of_today}
    run_id = left_running({**tags, "process.pid": str(pid)})
    close_orphans(lifecycle.state_dir(store / "state"))
    assert status_of(run_id) == ("RUNNING" if pid == os.getpid() else "FAILED")
