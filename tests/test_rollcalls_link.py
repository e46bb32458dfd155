"""Two runs are linked as an MLflow run of its own, and what cannot be linked leaves nothing."""

import logging

import numpy as np
import pytest
from example_session import write_votes
from toy_chambers import usual_chambers

from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.link import link
from tallgrass.rollcalls.linking import LinkOptions
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.tracking import reading

FAST = {"draws": 60, "tune": 150, "chains": 2, "baseline": "none", "fit_checks": False}


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """A short House run and a short Senate run of one session, in a store of their own."""
    folder = tmp_path_factory.mktemp("link")
    settings = Settings(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}", progress="none")
    joint = usual_chambers()
    session = write_votes(folder / "99th_2041-2042", joint.house, joint.senate)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runs = [
            fit(RunSpec(session=session, chamber=chamber, **FAST), settings).run_id
            for chamber in ("house", "senate")
        ]
        yield runs, settings


@pytest.fixture(scope="module")
def linked(two_runs):
    (house, senate), settings = two_runs
    return link(house, senate, LinkOptions(draws=20), settings)


def test_a_link_is_a_run_with_tables_pictures_and_a_report(two_runs, linked):
    (house, _), _ = two_runs
    found = reading.details(linked.run_id)
    assert found["tags"]["model"] == "link"
    assert found["params"]["reference"] == house
    assert found["metrics"]["link/A"] == pytest.approx(linked.linking.metrics["link/A"], rel=1e-3)
    expected = {"report/index.html", "plots/link_coefficients.png", "tables/link_positions.csv"}
    assert expected <= set(found["artifacts"])
    assert linked.linking.common.over == "bills"
    assert len(linked.linking.common.names) == 12


def test_linked_senators_are_the_linear_map_of_their_own_run(two_runs, linked):
    (_, senate), _ = two_runs
    own = earlier.ideal_points(senate).set_index("slug")["mean"]
    moved = linked.linking.positions.set_index("slug")["mean"]
    assert np.corrcoef(own, moved[own.index])[0, 1] > 0.99


def test_a_linked_run_that_did_not_pass_is_named_by_its_stored_verdict(two_runs, linked):
    for role, run_id in zip(("reference", "target"), two_runs[0], strict=True):
        verdict = reading.details(run_id)["tags"]["verdict"]
        assert verdict == "fail"  # 60 draws are too few
        start = f"the {role} run {run_id[:8]} ("
        (text,) = [text for text in linked.linking.warnings if text.startswith(start)]
        assert "did not pass, its verdict is fail" in text
        assert text in reading.details(linked.run_id)["tags"]["warnings"]


def test_a_link_is_not_run_again_but_made_anew(two_runs, linked):
    (house, senate), _ = two_runs
    with pytest.raises(SpecError, match=f"tallgrass link {house} {senate}"):
        earlier.rerun_spec(linked.run_id)


def test_a_run_is_not_linked_with_itself(two_runs):
    (house, _), settings = two_runs
    with pytest.raises(DataError, match="itself"):
        link(house, house, None, settings)


def test_what_cannot_be_linked_leaves_no_run(two_runs):
    (house, senate), settings = two_runs
    before = len(earlier.runs())
    with pytest.raises(DataError, match="0 members"):
        link(house, senate, LinkOptions(over="members"), settings)
    with pytest.raises(SpecError, match="robust"):
        link(house, senate, LinkOptions(robust="dorp"), settings)
    assert len(earlier.runs()) == before


def test_the_command_prints_the_link_and_takes_exactly_two_runs(two_runs, capsys):
    (house, senate), settings = two_runs
    store = ["--tracking-uri", settings.tracking_uri]
    assert main(["link", house[:8], senate, "--link-draws", "20", "--robust", "drop", *store]) == 0
    assert "haebara" in capsys.readouterr().out
    assert main(["link", house, *store]) == 2
    assert "two runs" in capsys.readouterr().err
    logging.getLogger("tallgrass").handlers.clear()
