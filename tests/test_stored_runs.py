"""Runs that an earlier version kept are read, compared, repeated and linked by today's code.

The store is that of ``golden/make_store.py``; what is expected was printed by the version that
made it.
"""

import io
import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing, redirect_stdout
from pathlib import Path

import arviz_stats
import mlflow
import numpy as np
import pandas as pd
import pytest
from arviz_base import from_dict
from example_store import bare_folder
from mlflow.exceptions import MlflowException
from scipy import stats

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError, TrackingError
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.fit_checks import HIGH_K
from tallgrass.rollcalls.sources import load_votes

STORE = Path(__file__).parent / "golden" / "store.zip"
MADE_BEFORE = "2026-11-28T22:40"
SHORT_PAIR = ("hierarchical", "pymc")
SHORT = {"draws": 250, "tune": 250, "chains": 2, "min_votes": 5}
SPECS = {
    "flat": {"model": "flat", "chamber": "senate"},
    "hierarchical": {"chamber": "senate"},
    "house": {"chamber": "house"},
    "pymc": {"chamber": "senate", "sampler": "pymc", "draws": 60, "tune": 60},
    "joint": {"model": "joint", "chamber": "both"},
}
# Name -> model, sampler, chamber, verdict.
LISTED = {
    "flat": ("flat", "nutpie", "senate", "fail"),
    "hierarchical": ("hierarchical", "nutpie", "senate", "fail"),
    "house": ("hierarchical", "nutpie", "house", "fail"),
    "pymc": ("hierarchical", "pymc", "senate", "fail"),
    "joint": ("joint", "nutpie", "both", "fail"),
    "link": ("link", None, None, None),
    "nuts": ("items", "nutpie", None, "fail"),
    "gibbs": ("items", "gibbs", None, "pass"),
    "map": ("items", "em", None, "pass"),
    "mml": ("items", "em", None, "pass"),
    "engines": ("items", "nutpie", None, "pass"),
}
# Name -> R-hat max, divergences and ELPD (LOO), as a comparison prints them.
COMPARED = {
    "flat": ("1.0251", "0", "-162.7"),
    "hierarchical": ("1.0358", "0", "-146.2"),
    "house": ("1.0269", "0", "-172.5"),
    "pymc": ("1.1663", "0", "-145.1"),
    "joint": ("1.0358", "0", "-299.2"),
    "link": ("—", "—", "—"),
    "nuts": ("1.0526", "0", "—"),
    "gibbs": ("1.0055", "—", "—"),
    "map": ("—", "—", "—"),
    "mml": ("—", "—", "—"),
    "engines": ("—", "—", "—"),
}


def point_artifacts_at(folder: Path, made_in: str) -> None:
    """Artifacts stand in the store by the absolute path of the folder that it was made in."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (made_in, str(folder))
            )


def bring_to_this_mlflow(folder: Path) -> None:
    """A later MLflow may want its tables changed first; it says so when it meets the store."""
    try:
        mlflow.MlflowClient().search_experiments()
    except MlflowException:
        upgrade = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{folder}/mlflow.db"]
        subprocess.run(upgrade, check=True, capture_output=True)


@pytest.fixture(scope="module")
def ids(tmp_path_factory):
    """The ids of the stored runs by name; the store is the one of the current folder."""
    folder = tmp_path_factory.mktemp("stored").resolve()
    with zipfile.ZipFile(STORE) as archive:
        archive.extractall(folder)
    about = json.loads((folder / "runs.json").read_text())
    point_artifacts_at(folder, about["folder"])
    with bare_folder(folder):
        bring_to_this_mlflow(folder)
        yield about["runs"]
    shutil.rmtree(folder)


def printed(*words):
    """What a command that must succeed prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        status = main([*words, "--progress=none"])
    assert status == 0
    return out.getvalue()


def answer(*words):
    """The object that a command prints with ``--json``."""
    return json.loads(printed(*words, "--json"))


def stored_table(run_id, name):
    """A table of a run as its file holds it, read without our code."""
    (path,) = Path("mlruns").glob(f"*/{run_id}/artifacts/tables/{name}.json")
    table = json.loads(path.read_text("utf-8"))
    return pd.DataFrame(table["data"], columns=table["columns"])


@pytest.fixture(scope="module")
def again(ids):
    """The answer of ``rerun`` on the stored run of the hierarchical model, with fewer checks."""
    return answer("rerun", ids["hierarchical"], "--fit-checks=false")


@pytest.fixture(scope="module")
def calibrated_again(ids):
    """The answer of ``rerun`` on a stored calibration."""
    return answer("rerun", ids["map"])


@pytest.fixture(scope="module")
def linked_again(ids):
    """The stored link, made anew from the two stored runs."""
    options, quiet = tg.LinkOptions(draws=20), tg.Settings(progress="none")
    return tg.link(ids["house"], ids["hierarchical"], options, quiet)


def test_every_stored_run_is_listed_with_what_it_was(ids):
    table = tg.runs(until=MADE_BEFORE).set_index("run_id")
    rows = table.loc[list(ids.values()), ["model", "sampler", "chamber", "verdict"]]
    found = rows.astype(object).where(rows.notna(), None).itertuples(index=False, name=None)
    assert dict(zip(ids, found, strict=True)) == LISTED
    assert set(table["status"]) == {"FINISHED"}
    assert len(table) == len(ids) + 2  # those that the comparison of engines made


def test_the_command_lists_every_stored_run(ids):
    listed = {run["run_id"] for run in answer("runs", "--limit=50")["runs"]}
    assert set(ids.values()) - listed == set()
    lines = printed("runs", "--limit=50").splitlines()
    (line,) = [line for line in lines if line.startswith(ids["house"])]
    assert line.split()[1:9] == [
        "2026-11-28", "22:30", "legislature", "house", "hierarchical", "nutpie", "pca", "FINISHED",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"chamber": "house"}, ["house"]),
        ({"session": "legislature", "sampler": "pymc"}, ["pymc"]),
        ({"session": "answers.csv", "verdict": "fail"}, ["nuts"]),
        ({"since": "2026-03-01", "filter": "metrics.rhat_max < 1.01"}, ["gibbs"]),
        ({"draws": 60}, ["pymc"]),
        ({"model": "link"}, ["link"]),
    ],
)
def test_stored_runs_are_found_by_what_they_were(ids, filters, names):
    found = tg.runs(until=MADE_BEFORE, **filters)
    assert list(found["run_id"]) == [ids[name] for name in names]


@pytest.mark.parametrize("name", LISTED)
def test_a_stored_run_is_shown_with_all_that_it_holds(ids, name):
    (folder,) = Path("mlruns").glob(f"*/{ids[name]}/artifacts")
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    shown = answer("show", ids[name][:10])
    assert shown["run_id"] == ids[name]
    assert shown["status"] == "FINISHED"
    assert shown["artifacts"] == files
    assert shown["tags"]["schema_version"] == "1"


def test_a_stored_run_is_shown_as_text(ids):
    lines = printed("show", ids["gibbs"]).splitlines()
    head = f"calibrate gibbs  {ids['gibbs']}  FINISHED  2026-11-28 22:34 UTC"
    assert lines[0] == head
    assert {"  ess_min                      462", "  tables/items.json"} <= set(lines)


def test_stored_runs_are_compared_as_they_were_by_their_own_version(ids):
    table = tg.compare(list(ids.values()), long=True).set_index(["measure", "run_id"])["text"]
    measures = ("R-hat max", "Divergences", "ELPD (LOO)")
    found = {name: tuple(table[measure, ids[name]] for measure in measures) for name in ids}
    assert found == COMPARED


def test_the_command_compares_stored_runs_as_markdown_and_as_data(ids):
    pair = ids["nuts"][:8], ids["gibbs"]
    lines = printed("compare", *pair, "--markdown").splitlines()
    assert "| R-hat max | < 1.01 | 1.0526 | **1.0055** |" in lines
    assert "| Verdict | — | FAIL | **PASS** |" in lines
    rows = answer("compare", *pair)["comparison"]
    passed = {row["run"]: row["passed"] for row in rows if row["measure"] == "ESS bulk min"}
    assert passed == {"calibrate nuts": False, "calibrate gibbs": True}


def loo_by_arviz(run_id):
    """Leave-one-out of every vote of a stored run by ArviZ, from its draws."""
    trace = tg.load_trace(run_id)
    draws = {name: trace["posterior"][name].to_numpy() for name in ("xi", "alpha", "beta")}
    votes = trace["observed_data"]["votes"].to_numpy()
    row, column = np.nonzero(votes)
    logits = draws["beta"][..., column] * draws["xi"][..., row] - draws["alpha"][..., column]
    log_lik = -np.log1p(np.exp(-votes[row, column] * logits))
    data = from_dict({"posterior": draws, "log_likelihood": {"votes": log_lik}})
    return arviz_stats.loo(data, pointwise=True)


def test_on_the_same_votes_a_comparison_gives_the_difference_of_the_elpd_and_its_error(ids):
    first, second = ids["hierarchical"], ids["pymc"]
    table = tg.compare([first[:8], second], long=True).set_index(["measure", "run_id"])
    assert list(table.loc["Votes", "text"]) == ["first run", "same"]
    loo = [loo_by_arviz(run_id) for run_id in (first, second)]
    d = (loo[1].elpd_i - loo[0].elpd_i).to_numpy()
    assert table.loc[("|r| vs first run", second), "value"] == tg.abs_r(second, first)
    within = tg.agreement(second, first).least_r_within
    assert table.loc[("r in party, vs first", second), "value"] == within
    assert ", from rank " in table.loc[("Moved most, vs first", second), "text"]
    row = table.loc[("ELPD vs first run", second)]
    assert row["value"] == pytest.approx(d.sum(), abs=0.3)  # smoothed with another tail
    error = table.loc[("SE, ELPD vs first run", second), "value"]
    assert error == pytest.approx(np.sqrt(len(d)) * d.std(), rel=0.05)
    shares = [float((run.pareto_k > HIGH_K).mean()) for run in loo]
    assert list(table.loc["Pareto k > 0.7", "value"]) == pytest.approx(shares, abs=0.03)


def test_across_different_votes_a_comparison_says_so_and_gives_no_difference(ids, capsys):
    pair = ids["hierarchical"], ids["house"]
    table = tg.compare(pair, long=True).set_index(["measure", "run_id"])
    assert list(table.loc["Votes", "text"]) == ["first run", "different"]
    assert table.loc["ELPD vs first run", "value"].isna().all()
    assert table.loc["|r| vs first run", "value"].isna().all()  # no member in common
    for words in (printed("compare", *pair), printed("compare", *pair, "--markdown")):
        said = " ".join(words.split())
        assert "Not on the votes of the first run" in said
        assert ids["house"][:8] in said
    assert len(answer("compare", *pair)["warnings"]) == 1
    assert answer("compare", ids["hierarchical"], ids["pymc"])["warnings"] == []


def test_any_two_stored_runs_have_an_agreement_over_everybody_and_within_a_party(ids):
    tables = [stored_table(ids[name], "ideal_points").set_index("slug") for name in SHORT_PAIR]
    a, b = (table["mean"] for table in tables)
    r = stats.pearsonr(a, b[a.index]).statistic
    assert tg.abs_r(*(ids[name] for name in SHORT_PAIR)) == pytest.approx(abs(r))
    members = a.index[tables[0]["party"] == "Republican"]
    within = np.sign(r) * stats.pearsonr(a[members], b[members]).statistic
    first, second = ids["hierarchical"][:10], ids["pymc"]
    assert tg.abs_r(first, second, within="Republican") == pytest.approx(within)
    assert tg.agreement(first, second).within["Republican"].n == len(members)


def test_the_agreement_with_a_flat_run_leaves_its_anchors_out(ids):
    flat = stored_table(ids["flat"], "ideal_points").set_index("slug")
    other = stored_table(ids["hierarchical"], "ideal_points").set_index("slug")["mean"]
    free = flat.index[(flat["anchor"] == 0) & flat.index.isin(other.index)]
    r = stats.pearsonr(flat.loc[free, "mean"], other[free]).statistic
    assert tg.abs_r(ids["flat"], ids["hierarchical"]) == pytest.approx(abs(r))
    assert tg.agreement(ids["flat"], ids["hierarchical"]).n_compared == len(free)


def test_a_party_without_members_in_common_is_refused_by_name(ids):
    with pytest.raises(DataError, match=r"three members in common.*'Republicans'.*Republican"):
        tg.abs_r(ids["hierarchical"], ids["pymc"], within="Republicans")


@pytest.mark.parametrize("name", SPECS)
def test_the_draws_of_a_stored_run_have_the_means_of_its_table(ids, name):
    trace = tg.load_trace(ids[name])
    table = stored_table(ids[name], "ideal_points").set_index("slug")["mean"]
    xi = trace["posterior"]["xi"]
    assert trace.attrs["run_id"] == ids[name]
    assert xi.sizes["draw"] == {**SHORT, **SPECS[name]}["draws"]
    means = xi.mean(("chain", "draw")).to_series()
    np.testing.assert_allclose(means, table[means.index], rtol=1e-9)


@pytest.mark.parametrize("name", ["nuts", "gibbs", "map", "mml"])
def test_the_trace_of_a_stored_calibration_has_the_values_of_its_table(ids, name):
    trace = tg.load_trace(ids[name])
    table = stored_table(ids[name], "items").set_index("item")
    sampled = "posterior" in trace.children
    assert sampled == (name in ("nuts", "gibbs"))
    values = trace["posterior"].mean(("chain", "draw")) if sampled else trace["estimates"]
    b = values["b"].to_series()
    np.testing.assert_allclose(b, table["b"][b.index], rtol=1e-9)


def test_the_traces_of_a_list_of_stored_runs_are_opened_one_by_one(ids):
    traces = tg.load_many(tg.runs(model="hierarchical", until=MADE_BEFORE))
    chambers = {run_id: trace.attrs["chamber"] for run_id, trace in traces.items()}
    assert chambers == {
        ids["pymc"]: "senate",
        ids["house"]: "house",
        ids["hierarchical"]: "senate",
    }


@pytest.mark.parametrize("name", ["link", "engines"])
def test_a_stored_run_that_sampled_nothing_says_that_it_has_no_trace(ids, name):
    with pytest.raises(TrackingError, match=r"trace/idata\.nc"):
        tg.load_trace(ids[name])


@pytest.mark.parametrize("name", SPECS)
def test_a_stored_run_gives_back_its_spec(ids, name):
    # What those runs left out of their votes, whom they held, and how they adapted, is what
    # version 0.1 did.
    rules = {"filters": "once", "committee": True, "anchors": "auto", "adaptation": "diag"}
    expected = tg.RunSpec(session="legislature", **{**SHORT, **SPECS[name], **rules})
    assert tg.rerun_spec(ids[name]) == expected


def test_a_stored_link_says_how_it_is_made_anew(ids):
    command = f"tallgrass link {ids['house']} {ids['hierarchical']}"
    with pytest.raises(SpecError, match=command):
        tg.rerun_spec(ids["link"])


def test_the_command_rerun_says_how_a_link_is_made_anew(ids, capsys):
    assert main(["rerun", ids["link"]]) == 2
    words = f"make it anew with: tallgrass link {ids['house']} {ids['hierarchical']}"
    assert words in capsys.readouterr().err


def test_a_rerun_has_the_spec_and_the_data_of_the_stored_run(ids, again):
    stored = tg.rerun_spec(ids["hierarchical"])
    assert tg.rerun_spec(again["run_id"]) == stored.model_copy(update={"fit_checks": False})
    data = tg.runs().set_index("run_id")["data_sha256"]
    votes = load_votes("legislature", stored.chamber)
    votes, _ = filter_votes(votes, stored.minority_threshold, stored.min_votes, parties_only=True)
    # The stored run has the fingerprint of its time, which did not cover parties.
    assert data[ids["hierarchical"]] == votes.former_fingerprint
    assert data[again["run_id"]] == votes.fingerprint


def test_a_run_that_was_promoted_before_is_the_baseline_of_a_new_one(ids, again):
    rows = tg.runs().set_index("run_id")
    assert rows.loc[ids["hierarchical"], "promoted"]
    assert rows.loc[again["run_id"], "baseline_run_id"] == ids["hierarchical"]
    assert again["comparison"]["n_common"] == 12
    assert again["comparison"]["abs_r"] > 0.95


def test_a_rerun_stands_beside_the_stored_run_in_a_comparison(ids, again):
    table = tg.compare([ids["hierarchical"], again["run_id"]], long=True)
    values = table[table["measure"] == "Roll calls"]["value"]
    assert list(values) == [21, 21]


@pytest.mark.slow
def test_a_new_run_starts_from_one_stored_run_and_is_compared_with_another(ids):
    init, baseline = "run:" + ids["hierarchical"][:8], ids["pymc"][:8]
    new = answer(
        "run", "--session=legislature", "--draws=20", "--tune=20", "--chains=2", "--min-votes=5",
        "--fit-checks=false", f"--init={init}", f"--baseline={baseline}",
    )  # fmt: skip
    spec = tg.rerun_spec(new["run_id"])
    assert spec.init == "run:" + ids["hierarchical"]
    assert spec.baseline == ids["pymc"]
    assert new["comparison"]["n_common"] == 12


def test_a_stored_run_is_promoted(ids):
    promoted = answer("promote", ids["flat"][:12])
    assert promoted["registered"].endswith("@baseline")
    assert {name: promoted[name] for name in ("run_id", "baseline", "verdict")} == {
        "run_id": ids["flat"],
        "baseline": True,
        "verdict": "fail",
    }
    promoted = tg.runs(until=MADE_BEFORE).set_index("run_id")["promoted"]
    assert set(promoted[promoted].index) == {ids["flat"], ids["hierarchical"]}


def test_linking_two_stored_runs_gives_the_coefficients_of_the_stored_link(ids, linked_again):
    expected = stored_table(ids["link"], "link_coefficients")
    pd.testing.assert_frame_equal(linked_again.linking.coefficients, expected, rtol=1e-6)


def test_linking_two_stored_runs_gives_the_positions_of_the_stored_link(ids, linked_again):
    expected = stored_table(ids["link"], "link_positions")
    pd.testing.assert_frame_equal(linked_again.linking.positions, expected, rtol=1e-6)


@pytest.mark.slow
def test_the_command_links_a_stored_chamber_to_a_stored_joint_run(ids):
    linked = answer("link", ids["joint"], ids["hierarchical"][:8], "--link-draws=20")
    assert linked["over"] == "bills"
    assert linked["metrics"]["link/n_common"] == 21


def test_a_stored_calibration_is_calibrated_again_to_the_same_items(ids, calibrated_again):
    expected = stored_table(ids["map"], "items")
    found = pd.DataFrame(calibrated_again["items"])
    # The place of infit and outfit among repeats is newer, and so is what their deviates mean.
    same = [name for name in expected if not name.endswith("_z")]
    pd.testing.assert_frame_equal(found[same], expected[same], rtol=1e-6)


def test_items_are_compared_with_those_of_stored_calibrations(ids):
    spec = tg.CalibrationSpec(
        responses="answers.csv",
        engine="map",
        min_responses=20,
        compare=f"gibbs={ids['gibbs']},nuts={ids['nuts'][:9]}",
    )
    summary = tg.calibrate(spec, tg.Settings(progress="none")).agreement.summary
    assert list(summary[["first", "second", "n"]].itertuples(index=False, name=None)) == [
        ("map", "gibbs", 8),
        ("map", "nuts", 8),
        ("gibbs", "nuts", 8),
    ]
    gibbs, nuts = (stored_table(ids[name], "items")["b"] for name in ("gibbs", "nuts"))
    assert summary["b_largest"].iloc[-1] == pytest.approx((gibbs - nuts).abs().max())


def test_the_results_table_of_a_stored_comparison_holds_the_runs_under_it(ids):
    under = tg.runs(parent=ids["engines"])
    table = tg.table(ids["engines"])
    assert set(under["name"]) == {"calibrate map", "calibrate mml"}
    assert set(table["run_id"]) == set(under["run_id"])
    reliability = table[table["measure"] == "Reliability"].set_index("run")["text"]
    assert reliability.to_dict() == {"calibrate map": "0.5692", "calibrate mml": "0.5550"}


def test_recovering_leaves_finished_runs_as_they_are(ids, tmp_path):
    assert answer("recover", "--all", f"--state-dir={tmp_path}") == {"recovered": []}
    assert set(tg.runs(until=MADE_BEFORE)["status"]) == {"FINISHED"}
