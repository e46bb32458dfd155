"""Whole runs on chambers of other parties, and of none: words, records, rerun, recovery."""

import re
from pathlib import Path

import mlflow
import numpy as np
import pytest
from example_store import default_store
from toy_groups import NEBRASKA, THREE, chamber

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.rollcalls.earlier import rerun_spec
from tallgrass.rollcalls.recovered import recovered_run
from tallgrass.rollcalls.sources.writing import write_session
from tallgrass.rollcalls.spec import changed_spec
from tallgrass.rollcalls.start import rollcall_logits
from tallgrass.settings import Settings
from tallgrass.tracking.reading import compare

QUICK = {"chamber": "senate", "draws": 150, "tune": 200, "chains": 2}
QUIET = Settings(progress="none")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store beside a chamber of three parties and one of none."""
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        for name, groups in (("commons", THREE), ("unicameral", NEBRASKA)):
            (folder / name).mkdir()
            write_session(folder / name, {"senate": chamber(groups, 60, seed=3)[0]})
        yield folder


@pytest.fixture(scope="module")
def commons(store):
    return tg.fit(tg.RunSpec(session="commons", groups_order="Labour,Conservative", **QUICK), QUIET)


@pytest.fixture(scope="module")
def sharpest():
    """The roll call of the nonpartisan chamber that divides it most sharply."""
    votes, xi = chamber(NEBRASKA, 60, seed=3)
    return votes.vote_ids[int(np.abs(rollcall_logits(votes, xi, False)[1]).argmax())]


@pytest.fixture(scope="module")
def nebraska(store, sharpest):
    signs = {"rollcall_signs": f"{sharpest}:+", "model": "flat"}
    return tg.fit(tg.RunSpec(session="unicameral", **signs, **QUICK), QUIET)


def words_of(run):
    """The text of a report, without its markup."""
    page = Path(run.report_path).read_text("utf-8")
    return re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.S))


def test_a_report_of_three_parties_speaks_of_them(commons):
    words = words_of(commons)
    assert "Right is the Conservative end, left the Labour end" in words
    assert "The mean of Labour is held below that of Conservative" in words
    assert "Free: the mean of Liberal." in words
    assert "Six numbers describe the parties" in words


@pytest.mark.parametrize("run", ["commons", "nebraska"])
def test_a_report_of_other_parties_or_none_has_no_word_of_those_of_the_united_states(run, request):
    assert not re.search("Democrat|Republican", words_of(request.getfixturevalue(run)))


def test_tables_of_three_parties_have_them_all(commons):
    table = commons.analysis.tables.party_parameters
    assert table["party"].tolist() == [*["Labour", "Conservative", "Liberal"] * 2, "both"]


def test_the_groups_are_recorded_and_part_of_the_fingerprint(commons):
    run = mlflow.get_run(commons.run_id)
    assert run.data.params["model.groups"] == "Labour, Conservative, Liberal"
    other = tg.fit(tg.RunSpec(session="commons", groups="wing", baseline="none", **QUICK), QUIET)
    tags = mlflow.get_run(other.run_id).data.tags
    assert tags["data.sha256"] != run.data.tags["data.sha256"]
    assert "Groups by wing: left" in tags["mlflow.note.content"]


@pytest.mark.slow
def test_a_rerun_has_the_groups_and_is_compared_within_each(commons):
    changes = {"seed": 7, "baseline": commons.run_id}
    again = tg.fit(changed_spec(rerun_spec(commons.run_id), changes), QUIET)
    metrics = mlflow.get_run(again.run_id).data.metrics
    within = {f"baseline/r_within_{name}" for name in ("labour", "conservative", "liberal")}
    assert within <= set(metrics)
    assert "r, labour" in set(compare([commons.run_id, again.run_id])["measure"])


def test_a_run_of_three_parties_is_prepared_again_to_be_recovered(commons, store):
    study = recovered_run(commons.trace, QUIET, store, (), None)
    assert study.prepared.data.votes.groups == ("Labour", "Conservative", "Liberal")


def test_the_signs_of_roll_calls_are_kept_and_checked(nebraska, sharpest):
    beta = nebraska.trace["posterior"]["beta"].sel(rollcall=sharpest)
    assert float((beta > 0).mean()) > 0.95
    metrics = mlflow.get_run(nebraska.run_id).data.metrics
    assert metrics["signs/held"] == metrics["signs/n"] == 1
    assert metrics["modes/reflected_chains"] == 0


@pytest.mark.slow
def test_the_opposite_sign_turns_the_scale_round(nebraska, sharpest):
    signs = {"rollcall_signs": f"{sharpest}:-", "model": "flat"}
    turned = tg.fit(tg.RunSpec(session="unicameral", **signs, **QUICK), QUIET)
    one, other = (
        run.trace["posterior"]["xi"].mean(("chain", "draw")) for run in (nebraska, turned)
    )
    assert float((one * other).sum()) < 0
    assert mlflow.get_run(turned.run_id).data.metrics["signs/held"] == 1


def test_a_nonpartisan_chamber_has_no_groups(nebraska):
    assert nebraska.analysis.votes.groups == ()
    assert "model.groups" not in mlflow.get_run(nebraska.run_id).data.params


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--groups", "caucus"], "no such column of the legislators"),
        (["--groups", "none.csv"], "no such file of groups"),
        (["--groups-order", "Labour,Tory"], "did you mean Labour"),
        (["--dims", "2"], "two dimensions take two groups"),
        (["--rollcall-signs", "v9999:+"], "no such roll call"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_no_run(store, capsys, flags, message):
    runs = len(tg.runs())
    assert main(["run", "--session", "commons", "--chamber", "senate", *flags]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert len(tg.runs()) == runs
