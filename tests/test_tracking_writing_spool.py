import json

import mlflow
import pytest
from example_store import default_store, status_of
from mlflow.exceptions import MlflowException

from tallgrass.errors import TrackingError
from tallgrass.tracking.writing import deliver, start_run
from tallgrass.tracking.writing.operations import may_pass
from tallgrass.tracking.writing.spool import Spool


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


@pytest.fixture
def outage(monkeypatch):
    """A switch that takes the store away: what MLflow raises when its server does not answer."""
    real, state = mlflow.MlflowClient.log_batch, {"down": False, "calls": 0}

    def log_batch(self, *arguments, **named):
        state["calls"] += 1
        if state["down"]:
            raise MlflowException("API request failed with error code 500")
        return real(self, *arguments, **named)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", log_batch)
    return state


def data_of(run):
    return mlflow.MlflowClient().get_run(run.run_id).data


def test_writes_of_an_outage_are_delivered_in_their_order_at_the_end(store, outage, tmp_path):
    with start_run(None, "x") as run:
        run.spool_to(tmp_path / "spool", 10)
        outage["down"] = True
        run.set_tags({"a": "1"})
        run.log_metrics({"m": 1.0})
        run.log_text("words", "folder/words.txt")
        run.set_tags({"a": "2"})
        assert len(list((tmp_path / "spool").glob("*.json"))) == 4
        assert "a" not in data_of(run).tags
        outage["down"] = False
    assert (data_of(run).tags["a"], data_of(run).metrics["m"]) == ("2", 1.0)
    assert mlflow.artifacts.load_text(f"runs:/{run.run_id}/folder/words.txt") == "words"
    assert status_of(run) == "FINISHED"
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_is_still_waiting_at_the_end_is_delivered_later_with_the_status(
    store, outage, tmp_path
):
    with start_run(None, "x") as run:
        run.spool_to(tmp_path / "spool", 0)
        outage["down"] = True
        run.set_tags({"a": "1"})
    assert status_of(run) == "RUNNING"
    with pytest.raises(TrackingError, match="does not take what waits"):
        deliver(run.run_id, tmp_path / "spool")
    outage["down"] = False
    assert deliver(run.run_id, tmp_path / "spool") == 2
    assert status_of(run) == "FINISHED"
    assert data_of(run).tags["a"] == "1"


def test_in_an_outage_mlflow_is_not_asked_for_every_write(store, outage, tmp_path):
    with start_run(None, "x") as run:
        run.spool_to(tmp_path / "spool", 10)
        outage["down"], outage["calls"] = True, 0
        for number in range(50):
            run.log_metrics({"m": float(number)}, step=number)
        assert outage["calls"] < 5
        outage["down"] = False
    assert len(mlflow.MlflowClient().get_metric_history(run.run_id, "m")) == 50


def test_a_request_that_is_wrong_is_an_error_at_once(store, tmp_path):
    with start_run(None, "x") as run:
        run.spool_to(tmp_path / "spool", 0)
        with pytest.raises(TrackingError, match="write tags"):
            run.set_tags({"bad\nname\t!": "1"})
        assert not (tmp_path / "spool").exists()


def test_without_a_spool_an_outage_is_an_error(store, outage):
    with start_run(None, "x") as run:
        outage["down"] = True
        with pytest.raises(TrackingError, match="error code 500"):
            run.set_tags({"a": "1"})
        outage["down"] = False


def test_a_write_that_was_half_written_is_no_write(store, tmp_path):
    with start_run(None, "x") as run:
        spool = Spool(mlflow.MlflowClient(), run.run_id, tmp_path / "spool")
        spool.folder.mkdir()
        (spool.folder / "000001.new").write_text('{"kind": "ta')
        (spool.folder / "000002.json").write_text(
            json.dumps({"kind": "tags", "values": {"a": "1"}})
        )
        assert len(spool) == 1
        assert spool.deliver()
    assert data_of(run).tags["a"] == "1"


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (MlflowException("x"), True),
        (MlflowException("x", error_code=1000), False),  # INVALID_PARAMETER_VALUE
        (ConnectionError("x"), True),
        (OSError(28, "No space left on device"), True),
        (ValueError("x"), False),
    ],
)
def test_trouble_of_server_and_disk_may_pass_and_a_wrong_request_does_not(error, passes):
    assert may_pass(error) is passes
