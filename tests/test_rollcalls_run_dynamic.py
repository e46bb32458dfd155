"""A dynamic run from folders of sessions to its report; what it cannot use leaves no run."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_session import write_votes
from html_page import Page
from toy_careers import usual_sessions

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError
from tallgrass.inference.draws import Sampled
from tallgrass.inference.thresholds import Thresholds
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.recovered import recovered_run
from tallgrass.rollcalls.report import figures
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings
from tallgrass.study.clock import Clock

SHORT = {"draws": 100, "tune": 200, "chains": 2, "model": "dynamic", "chamber": "house"}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A short run of three sessions in folders, after one of them was run alone and passed."""
    folder = tmp_path_factory.mktemp("dynamic")
    settings = Settings(
        tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
        progress="none",
        threshold_rhat=9.0,
        threshold_ess=1.0,
        threshold_divergences=10_000,
        threshold_ebfmi=0.001,
        trace_precision="float64",  # party means are exact only in draws that are not rounded
    )
    sessions = usual_sessions()
    data = folder / "data"
    data.mkdir()
    for votes in sessions:
        write_votes(data / f"s_{votes.session}", votes)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        single = {**SHORT, "model": "hierarchical", "fit_checks": False}
        fit(RunSpec(session="data/s_2021", **single), settings)
        result = fit(RunSpec(session="data/*", **SHORT), settings)
        yield result, sessions, settings, folder


def table(result, name):
    path = Path(result.report_path).parents[1] / "tables" / f"{name}.json"
    stored = json.loads(path.read_text())
    return pd.DataFrame(stored["data"], columns=stored["columns"])


def test_everybody_has_a_position_interval_and_rank_in_every_session(done):
    result, sessions, _, _ = done
    ideal = earlier.ideal_points(result.run_id)
    assert len(ideal) == sum(len(votes.slugs) for votes in sessions) == 45
    assert set(ideal["session"]) == {"s_2019", "s_2021", "s_2025"}
    for _, of_session in ideal.groupby("session"):
        assert sorted(of_session["rank"]) == list(range(1, 16))
        assert (of_session["hdi_low"] < of_session["hdi_high"]).all()
    assert ideal["new"].sum() == ideal["person"].nunique() == 19


def test_the_parties_of_the_reference_session_are_the_scale(done):
    result = done[0]
    parties = table(result, "parties_over_time").set_index(["session", "party"])["mean"]
    assert parties["s_2025", "Democrat"] == pytest.approx(-1, abs=1e-9)
    assert parties["s_2025", "Republican"] == pytest.approx(1, abs=1e-9)
    gap = table(result, "gap_over_time").set_index("session")
    expected = parties["s_2019", "Republican"] - parties["s_2019", "Democrat"]
    assert gap.loc["s_2019", "mean"] == pytest.approx(expected)
    metrics = result.analysis.recorded_metrics()
    assert metrics["dynamic/gap_s_2019"] == pytest.approx(expected)
    assert metrics["dynamic/tau"] > 0


def test_a_change_is_the_difference_of_two_positions_draw_by_draw(done):
    result = done[0]
    changes = table(result, "changes")
    row = changes[changes["span"] == "career"].iloc[0]
    ideal = result.analysis.ideal_points
    own = ideal[ideal["person"] == row["person"]].set_index("session")["slug"]
    xi = result.trace["posterior"]["xi"]
    difference = xi.sel(legislator=own[row["last"]]) - xi.sel(legislator=own[row["first"]])
    assert row["change"] == pytest.approx(float(difference.mean()))
    assert row["p_right"] == pytest.approx(float((difference > 0).mean()))


def test_movement_and_replacement_make_up_the_change_of_the_gap(done):
    parts = table(done[0], "gap_decomposition")
    np.testing.assert_allclose(parts["movement"] + parts["replacement"], parts["change"])
    np.testing.assert_allclose(parts["entering"] + parts["leaving"], parts["replacement"])
    gap = table(done[0], "gap_over_time")["mean"].to_numpy()
    whole = parts[(parts["span"] == "whole") & (parts["of"] == "gap")].iloc[0]
    assert whole["change"] == pytest.approx(gap[-1] - gap[0])
    assert (whole["n_stay"], whole["n_enter"], whole["n_leave"]) == (11, 4, 4)


def test_fit_and_misfit_are_by_session_and_add_up(done):
    result = done[0]
    by_session = table(result, "session_fit")
    metrics = result.analysis.recorded_metrics()
    assert by_session["elpd_loo"].sum() == pytest.approx(metrics["fit/elpd_loo"])
    weights = by_session["n_votes"] / by_session["n_votes"].sum()
    assert (by_session["accuracy"] * weights).sum() == pytest.approx(metrics["fit/accuracy"])
    assert metrics["fit/accuracy_s_2021"] == pytest.approx(by_session["accuracy"].iloc[1])


def test_a_session_stands_beside_its_own_run(done):
    single = table(done[0], "single_sessions")
    assert list(single["session"]) == ["s_2021"]
    assert single["r"].iloc[0] > 0.9
    chains = table(done[0], "chains")
    assert len(chains) == 3 * 2
    assert (chains["r"] > 0).all()


def test_overlaps_and_persons_are_listed(done):
    overlap = table(done[0], "session_overlap")
    assert list(overlap["n_common"]) == [13, 11, 13]
    assert list(overlap["n_links"]) == [13, 0, 13]
    members = table(done[0], "members")
    assert (members["n_sessions"] == 3).sum() == 11


def test_the_report_has_the_polarization_first_and_every_picture(done):
    result = done[0]
    page = Page(Path(result.report_path).read_text())
    titles = ["Did the parties draw apart?", "Did members move, or were they replaced?"]
    titles += ["Who moved most?", "Careers", "What carries the scale from session to session"]
    places = [page.words.index(title) for title in titles]
    assert places == sorted(places)
    drawn = figures(result.analysis)
    assert {"polarization", "gap_decomposition", "medians", "movers", "careers"} <= set(drawn)
    assert "forest" not in drawn


def test_a_run_whose_process_died_is_prepared_again_from_its_draws(done):
    result, _, settings, folder = done
    study = recovered_run(result.trace, settings, folder, (), None)
    assert study.prepared.spec.session == "data/*"
    sampled = Sampled(result.trace, 0.0, 0.0, True)
    again = study.analysed(sampled, result.run_id, Thresholds(), Clock(0.0))
    pd.testing.assert_frame_equal(again.ideal_points, result.analysis.ideal_points)
    assert again.recorded_metrics()["dynamic/tau"] == pytest.approx(
        result.analysis.recorded_metrics()["dynamic/tau"]
    )


@pytest.mark.slow
def test_a_list_of_votes_in_memory_gives_the_same_run_and_is_kept_with_it(done):
    result, sessions, settings, _ = done
    given = list(reversed(sessions))
    spec = RunSpec(**SHORT, fit_checks=False)
    again = fit(spec, settings, votes=given)
    assert again.analysis.votes.cells.tolist() == result.analysis.votes.cells.tolist()
    kept = earlier.rerun_spec(again.run_id)
    assert kept.session == f"run:{again.run_id}"
    with pytest.raises(SpecError, match="takes a list of sessions"):
        fit(spec, settings, votes=sessions[0])
    with pytest.raises(SpecError, match="go with the dynamic model"):
        fit(spec.model_copy(update={"model": "hierarchical"}), settings, votes=given)


@pytest.mark.slow
def test_a_member_file_corrects_who_is_who(done, tmp_path):
    _, _, settings, _ = done
    members = tmp_path / "members.csv"
    members.write_text("session,slug,person\ns_2025,hou_D02,somebody else\n")
    spec = RunSpec(session="data/*", members=str(members), fit_checks=False, **SHORT)
    careers = fit(spec, settings).analysis.careers
    assert careers is not None
    assert len(careers.links.new) == 20
    assert "somebody else" in careers.persons.of_seat


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--session", "data/s_2021"], "needs two sessions or more"),
        (["--session", "data/nothing*"], "no session fits the pattern"),
        (["--session", "data/*", "--reference", "1999"], "unknown reference"),
        (["--session", "data/*", "--leave-out", "s_2019,s_2021"], "needs two sessions or more"),
        (["--session", "data/*", "--chamber", "both"], "no session has a senate"),
        (["--session", "data/*", "--members", "nowhere.csv"], "members: no such file"),
        (["--session", "data/*", "--beta-prior", "normal:0,2"], "priors of its own"),
        (["--session", "data/*", "--adaptation", "flow"], "adaptation=flow"),
        (["--session", "data/*", "--tau-prior", "normal:0,1"], "positive values"),
    ],
)
def test_what_it_cannot_use_is_one_line_and_leaves_no_run(done, capsys, flags, words):
    before = len(earlier.runs(limit=None))
    uri = ["--tracking-uri", done[2].tracking_uri]
    status = main(["run", "--model", "dynamic", "--chamber", "house", *flags, *uri])
    error = capsys.readouterr().err
    assert status == 2
    assert words in error
    assert "Traceback" not in error
    assert len(earlier.runs(limit=None)) == before


def test_settings_of_the_dynamic_model_are_refused_without_it():
    with pytest.raises(SpecError, match="walk is a setting of the dynamic model"):
        RunSpec(walk="normal")


def test_an_id_that_means_two_people_is_refused_by_name(done, tmp_path):
    _, sessions, settings, _ = done
    for votes in sessions[:2]:
        write_votes(tmp_path / f"s_{votes.session}", votes)
    path = tmp_path / "s_2021" / "s_2021_legislators.csv"
    path.write_text(path.read_text().replace("FirstDac LastD02", "Other Person"))
    with pytest.raises(DataError, match=r"hou_D02 means two people.*members=FILE"):
        fit(RunSpec(session=f"{tmp_path}/*", **SHORT), settings)


def test_the_public_face_takes_the_same_parameters(done):
    assert tg.RunSpec(session="data/*", **SHORT).walk == "t4"


def test_runs_over_many_sessions_are_compared_like_those_of_one(done):
    result, _, settings, _ = done
    again = fit(RunSpec(session="data/*", **SHORT, seed=2), settings)
    table = tg.compare([result.run_id, again.run_id], long=True).set_index(["measure", "run_id"])
    assert table.loc[("Votes", again.run_id), "text"] == "same"
    assert table.loc[("|r| vs first run", again.run_id), "value"] > 0.9
    assert np.isfinite(table.loc[("SE, ELPD vs first run", again.run_id), "value"])


def test_the_dataset_of_a_run_and_its_page_have_the_fingerprint_of_all_sessions(done):
    result, _, _, _ = done
    run = mlflow.get_run(result.run_id)
    known_by = run.data.tags["data.sha256"]
    assert run.inputs.dataset_inputs[0].dataset.digest == known_by[:36]
    assert known_by in Path(result.report_path).read_text("utf-8")
