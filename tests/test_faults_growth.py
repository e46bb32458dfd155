"""What is left on this machine does not grow with the number of runs."""

import json
import tempfile

import pytest
from example_store import default_store

from tallgrass.cli import main
from tallgrass.tracking import lifecycle

pytestmark = pytest.mark.faults

SIZES = ["--house-members=14", "--senate-members=12", "--house-rollcalls=24"]
SIZES += ["--senate-rollcalls=20", "--matched=8", "--seed=2"]
RUN = ["run", "--session=legislature", "--model=flat", "--min-votes=5", "--baseline=none"]
RUN += ["--draws=20", "--tune=30", "--chains=2", "--fit-checks=false", "--progress=none"]
DAY = 24 * 3600


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with default_store(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        assert main(["simulate", "legislature", *SIZES]) == 0
        yield tmp_path


def files(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def test_many_runs_leave_a_status_each_for_a_day_and_nothing_else(folder):
    assert main(RUN) == 0
    temporary, state = files(folder / "temporary"), files(folder / "state")
    for number in range(3):
        assert main([*RUN, f"--seed={number}"]) == 0
    assert files(folder / "temporary") == temporary
    added = set(files(folder / "state")) - set(state)
    assert len(added) == 3
    assert all(name.startswith("runs/") and name.endswith("/status.json") for name in added)

    for path, _ in lifecycle.all_statuses(folder / "state"):
        status = json.loads((path / "status.json").read_text())
        status["updated_at"] -= DAY + 1
        (path / "status.json").write_text(json.dumps(status))
    assert main(RUN) == 0
    assert len(files(folder / "state")) == len(state)
