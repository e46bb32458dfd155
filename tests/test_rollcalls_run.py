"""A whole run, for real: files, real sampling, real MLflow on SQLite in a temporary folder."""

import json
import re
import resource
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import arviz as az
import mlflow
import numpy as np
import pandas as pd
import pytest
from example_session import write_votes
from example_store import default_store
from scipy import stats
from toy import usual_votes

import tallgrass as tg
from tallgrass.errors import DataError, TallgrassError, TrackingError
from tallgrass.inference.fit_verdict import FitCheck, FitVerdict
from tallgrass.inference.sampler_threads import thread_ids
from tallgrass.rollcalls.anchor_text import parse_anchors
from tallgrass.rollcalls.anchors import anchors_of
from tallgrass.rollcalls.run import RollCallStudy
from tallgrass.rollcalls.single_votes import votes_of_trace
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.used_parameters import used_parameters
from tallgrass.rollcalls.votes import RollCall
from tallgrass.settings import Settings
from tallgrass.tracking.reading.records import artifact, stored_table
from tallgrass.tracking.writing import start_run

QUICK = {"session": "91st", "chamber": "house", "draws": 150, "tune": 300, "chains": 2}
UNANIMOUS = 3  # roll calls of the session that tell nothing
QUIET = Settings(progress="none")

ARTIFACTS = {
    "trace/idata.nc",
    "report/index.html",
    "tables/ideal_points.csv",
    "tables/ideal_points.json",
    "tables/diagnostics.csv",
    "tables/summary.csv",
    "tables/votes.parquet",
    "plots/forest.png",
    "spec/run.json",
    "spec/prior.json",
    "data/filters.json",
    "env/requirements.txt",
    "metrics.json",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store beside a session of the usual size, whose last roll calls a filter leaves out."""
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        votes = usual_votes()
        cells = np.hstack([votes.cells, np.ones((len(votes.legislators), UNANIMOUS), np.int8)])
        more = tuple(RollCall(f"w{i}", f"SR {i}") for i in range(UNANIMOUS))
        write_votes(
            folder / "91st", replace(votes, cells=cells, rollcalls=(*votes.rollcalls, *more))
        )
        yield folder


@pytest.fixture(scope="module")
def hierarchical(store):
    return tg.fit(RunSpec(**QUICK), QUIET)


@pytest.fixture(scope="module")
def flat(store, hierarchical):
    spec = RunSpec(model="flat", baseline=hierarchical.run_id, **QUICK)
    return tg.fit(spec, QUIET)


@pytest.fixture(scope="module")
def brief(flat, hierarchical):
    """Eight draws that begin where a run ended, after that run was made the baseline."""
    tg.promote(hierarchical.run_id)
    few = {"draws": 8, "tune": 10, "fit_checks": False}
    return tg.fit(RunSpec(init=f"run:{hierarchical.run_id}", **(QUICK | few)), QUIET)


def stored(result):
    return mlflow.MlflowClient().get_run(result.run_id)


def artifacts(result, folder=None):
    for entry in mlflow.MlflowClient().list_artifacts(result.run_id, folder):
        if entry.is_dir:
            yield from artifacts(result, entry.path)
        else:
            yield entry.path


def test_a_run_is_finished_and_holds_every_artifact(hierarchical):
    assert stored(hierarchical).info.status == "FINISHED"
    assert set(artifacts(hierarchical)) >= ARTIFACTS


def test_params_hold_the_spec_and_what_it_resolved_to(hierarchical):
    params = stored(hierarchical).data.params
    spec = RunSpec(**QUICK)
    assert {name: params[name] for name in ("session", "init", "draws")} == {
        "session": "91st",
        "init": "pca",
        "draws": "150",
    }
    assert set(used_parameters(spec)) <= set(params)
    others = {
        "walk",
        "tau_prior",
        "joint_form",
        "beta_2_prior",
        "votes_query",
        "against",
        "anchors",
    }
    assert not others & set(params)  # of other models, or not given
    votes = hierarchical.trace["observed_data"]["votes"]
    assert int(params["model.n_legislators"]) == votes.sizes["legislator"]
    assert int(params["model.n_observations"]) == np.count_nonzero(votes)
    assert params["prior.beta"] == "normal:0,1"
    assert params["sampler.name"] == "nutpie"
    assert params["sampler.trajectory"] == "leapfrog"
    assert params["sampler.adaptation"] == "draw_diag"
    assert re.fullmatch(r"\d+\.\d+.*", params["sampler.version"])
    with artifact(hierarchical.run_id, "data/filters.json") as (_, path):
        assert json.loads(path.read_text())["dropped"]["minority"] == UNANIMOUS


def test_metrics_are_those_of_the_trace(hierarchical):
    metrics = stored(hierarchical).data.metrics
    assert metrics["rhat_max"] == pytest.approx(hierarchical.diagnostics.worst("rhat"), abs=1.01e-4)
    assert metrics["divergences"] == sum(hierarchical.diagnostics.divergences)
    assert metrics["sampler/draws"] == 150
    assert metrics["data/n_legislators"] == hierarchical.trace["posterior"].sizes["legislator"]
    assert {"time/import_s", "time/compile_s", "sampling_s", "total_s", "fit/icc"} <= set(metrics)
    assert np.isfinite(list(metrics.values())).all()


def test_the_fit_of_the_votes_is_measured(hierarchical):
    metrics = stored(hierarchical).data.metrics
    assert 0.8 < metrics["fit/accuracy"] <= 1
    assert 0.5 < metrics["fit/gmp"] < metrics["fit/accuracy"]
    assert 0 < metrics["fit/apre"] < 1
    assert metrics["fit/elpd_loo"] < 0


def test_every_single_vote_is_kept_with_its_probability(hierarchical):
    path = mlflow.artifacts.download_artifacts(
        run_id=hierarchical.run_id, artifact_path="tables/votes.parquet"
    )
    table = pd.read_parquet(path)
    votes = hierarchical.trace["observed_data"]["votes"].to_series()
    cast = votes[votes != 0]
    assert list(zip(table["legislator"], table["rollcall"], strict=True)) == list(cast.index)
    assert list(table["vote"]) == list(cast)
    metrics = hierarchical.analysis.recorded_metrics()
    assert table["elpd_loo"].sum() == pytest.approx(metrics["fit/elpd_loo"])
    assert np.exp(np.log(table["probability"]).mean()) == pytest.approx(metrics["fit/gmp"])
    unreliable = ~(table["pareto_k"] <= metrics["fit/pareto_k_good"])
    assert unreliable.sum() == metrics["fit/pareto_k_above_good"]


def test_the_log_likelihood_of_a_run_gives_its_elpd_from_python_and_from_the_store(hierarchical):
    metrics = hierarchical.analysis.recorded_metrics()
    stored_draws = tg.log_likelihood(hierarchical.run_id[:12])
    for draws in (hierarchical.log_likelihood(), stored_draws):
        loo = az.loo(draws, reff=metrics["fit/reff"])
        assert loo.elpd == pytest.approx(metrics["fit/elpd_loo"], rel=1e-9)
        assert loo.n_data_points == np.count_nonzero(draws["observed_data"]["votes"])


def test_a_result_says_who_is_probably_to_the_right(hierarchical):
    ideal = hierarchical.analysis.ideal_points.sort_values("mean")
    first, last = ideal["slug"].iloc[-1], ideal["slug"].iloc[0]
    assert hierarchical.probability_right_of(first, last) > 0.95
    assert hierarchical.probability_right_of(last, first) < 0.05


def test_who_the_model_does_not_describe_is_recorded_with_what_chance_gives(hierarchical):
    metrics = stored(hierarchical).data.metrics
    for name in ("misfit_legislators", "misfit_pairs", "misfit_party_margins", "surprising_votes"):
        assert metrics[f"fit/{name}"] >= 0
        assert metrics[f"fit/{name}_expected"] > 0
    table = stored_table(hierarchical.run_id, "tables/legislator_fit.json")
    assert table["misfit"].sum() == metrics["fit/misfit_legislators"]
    assert len(stored_table(hierarchical.run_id, "tables/surprising_votes.json")) == 100


def test_the_anchors_of_a_flat_run_are_recorded_with_where_their_votes_put_them(flat):
    run = stored(flat)
    named = parse_anchors(run.data.params["model.anchors"])
    assert run.data.params["anchors"] == "typical"
    table = stored_table(flat.run_id, "tables/anchors.json")
    held = dict(zip(table["slug"], table["position"], strict=True))
    assert held == pytest.approx(named)  # of draws that are rounded to 32 bits
    votes = flat.analysis.votes
    expected = anchors_of(votes, make_start(votes, "pca").pca, "typical")
    assert named == expected.named(votes)
    assert run.data.metrics["fit/anchors_off"] == table["off"].sum()
    inside = table["position"].between(table["by_votes_low"], table["by_votes_high"])
    assert list(table["off"]) == list(~inside)


@pytest.mark.slow
def test_the_embedded_senate_is_what_a_run_samples_by_itself(store):
    result = tg.fit(RunSpec(draws=150, tune=300, chains=2, baseline="none"), QUIET)
    run = stored(result)
    assert run.info.status == "FINISHED"
    assert (run.data.tags["session"], run.data.tags["chamber"]) == ("sample", "senate")
    assert run.data.params["model.n_legislators"] == "101"  # one independent is left out
    assert run.data.metrics["fit/accuracy"] == pytest.approx(0.894, abs=0.01)
    assert set(artifacts(result)) >= ARTIFACTS


def test_tags_say_what_was_found_and_on_which_data(hierarchical):
    tags = stored(hierarchical).data.tags
    assert tags["verdict"] == hierarchical.verdict.status
    assert tags["data.sha256"] == hierarchical.trace.attrs["data_sha256"]
    assert tags["spec.sha256"] == RunSpec(**QUICK).sha256
    assert (tags["model"], tags["chamber"]) == ("hierarchical", "house")


def test_the_votes_are_a_dataset_input_with_our_own_digest(hierarchical):
    [dataset] = stored(hierarchical).inputs.dataset_inputs
    assert dataset.dataset.digest == hierarchical.trace.attrs["data_sha256"][:36]


def test_the_trace_that_is_stored_is_the_trace_that_was_sampled(hierarchical):
    loaded = tg.load_trace(hierarchical.run_id)
    assert loaded.attrs["run_id"] == hierarchical.run_id
    np.testing.assert_array_equal(loaded["posterior"]["xi"], hierarchical.trace["posterior"]["xi"])
    assert set(loaded["posterior"].data_vars) == {
        "xi",
        "mu_party",
        "sigma_within",
        "alpha",
        "beta",
    }


def test_dropped_votes_are_listed_with_reasons(hierarchical):
    path = mlflow.artifacts.download_artifacts(
        run_id=hierarchical.run_id, artifact_path="data/filters.json"
    )
    log = json.loads(Path(path).read_text("utf-8"))
    assert log["dropped"]["minority"] == UNANIMOUS
    assert [drop["reason"] for drop in log["drops"]] == ["minority"] * UNANIMOUS
    assert all(drop["detail"] for drop in log["drops"])


def test_the_same_spec_gives_the_same_draws_again(hierarchical):
    again = tg.fit(tg.rerun_spec(hierarchical.run_id), QUIET)
    np.testing.assert_array_equal(
        again.trace["posterior"]["xi"], hierarchical.trace["posterior"]["xi"]
    )


def test_a_run_is_compared_with_the_baseline_it_names(flat, hierarchical):
    assert flat.comparison is not None
    metrics, tags = stored(flat).data.metrics, stored(flat).data.tags
    assert tags["baseline.run_id"] == hierarchical.run_id
    assert metrics["abs_r"] == pytest.approx(flat.comparison.abs_r, abs=1.01e-4)
    assert metrics["abs_r"] > 0.9
    assert metrics["baseline/n_common"] == hierarchical.trace["posterior"].sizes["legislator"]
    assert any(check.name == "|r| with the baseline" for check in flat.verdict.checks)


def test_the_name_of_a_run_says_its_verdict_and_where_the_fit_is_questioned(flat, hierarchical):
    for result in (flat, hierarchical):
        tags = stored(result).data.tags
        suspect = ", fit questioned" if tags["fit"] == "questioned" else ""
        assert tags["mlflow.runName"].endswith(f" · {tags['verdict']}{suspect}")

    def judged(*states):
        checks = tuple(FitCheck("what", state, "why") for state in states)
        analysis = SimpleNamespace(verdict=flat.verdict, fit_verdict=FitVerdict(checks))
        return RollCallStudy.judged_name(SimpleNamespace(name="91st House"), analysis)

    said = flat.verdict.status
    assert judged("fits", "questioned") == f"91st House · {said}, fit questioned"
    assert judged("fits") == judged("not checked") == f"91st House · {said}"


def single_votes_of(result):
    path = mlflow.artifacts.download_artifacts(
        run_id=result.run_id, artifact_path="tables/votes.parquet"
    )
    return pd.read_parquet(path).set_index(["legislator", "rollcall"])


def test_a_run_is_compared_vote_by_vote_with_the_densities_of_its_baseline(flat, hierarchical):
    metrics = stored(flat).data.metrics
    d = single_votes_of(flat)["elpd_loo"] - single_votes_of(hierarchical)["elpd_loo"]
    assert metrics["baseline/elpd_diff"] == pytest.approx(d.sum())
    assert metrics["baseline/elpd_diff_se"] == pytest.approx(np.sqrt(len(d)) * d.std(ddof=0))
    assert 0 <= metrics["baseline/bad_pareto_k_share"] < 0.1


def test_a_run_with_the_anchors_of_earlier_versions_is_compared_without_those_of_either(
    store, flat
):
    few = QUICK | {"draws": 60, "tune": 100}
    ends = tg.fit(RunSpec(model="flat", anchors="auto", baseline=flat.run_id, **few), QUIET)
    held = [
        set(stored_table(run.run_id, "tables/anchors.json").set_index("slug")["position"].items())
        for run in (flat, ends)
    ]
    assert {position for _, position in held[1]} == {1.0, -1.0}
    assert not held[0] & held[1]
    members = {slug for slug, _ in held[0] | held[1]}
    assert ends.comparison.n_compared == ends.comparison.n_common - len(members)
    assert ends.comparison.abs_r > 0.95
    assert stored(ends).data.tags["mlflow.runName"].count("anchors auto") == 1
    assert "anchors" not in stored(flat).data.tags["mlflow.runName"]
    assert tg.rerun_spec(ends.run_id).anchors == "auto"


def test_agreement_with_the_baseline_leaves_anchors_out_and_is_given_within_each_party(
    flat, hierarchical
):
    table = flat.analysis.ideal_points.set_index("slug")
    other = hierarchical.analysis.ideal_points.set_index("slug")["mean"]
    free = table[table["anchor"] == 0]
    metrics, tags = stored(flat).data.metrics, stored(flat).data.tags
    r = stats.pearsonr(free["mean"], other[free.index]).statistic
    assert metrics["abs_r"] == pytest.approx(abs(r))
    with_anchors = stats.pearsonr(table["mean"], other[table.index]).statistic
    assert metrics["baseline/abs_r_with_anchors"] == pytest.approx(abs(with_anchors))
    assert metrics["baseline/n_compared"] == len(table) - 2
    for party, members in free.groupby("party"):
        within = np.sign(r) * stats.spearmanr(members["mean"], other[members.index]).statistic
        assert metrics[f"baseline/spearman_within_{party.lower()}"] == pytest.approx(within)
    assert metrics["baseline/r_within_min"] <= metrics["baseline/r_within_republican"]
    move = flat.comparison.moved_most
    ranks = free["mean"].rank(ascending=False)
    assert move.rank_current == ranks[move.slug]
    name = table.loc[move.slug, "name"]
    moved = f"{name}, from rank {move.rank_reference} to {move.rank_current}"
    words = "nobody" if move.rank_reference == move.rank_current else moved
    assert tags["baseline.moved_most"] == words
    assert metrics["baseline/rank_move_max"] == abs(move.rank_current - move.rank_reference)


def test_a_run_says_whether_it_fits_apart_from_whether_it_converged(hierarchical, brief):
    for result in (hierarchical, brief):
        tags = stored(result).data.tags
        assert tags["fit"] == result.fit.status
        assert f", fit: {result.fit.status}**" in tags["mlflow.note.content"]
        assert tags["fit.reasons"] == " ".join(result.fit.reasons)
    metrics = stored(hierarchical).data.metrics
    (axis,) = hierarchical.analysis.axes.values()
    assert metrics["axis/party_separation"] == pytest.approx(axis.party_separation)
    assert metrics["axis/other_side_share"] == pytest.approx(axis.other_side_share)
    assert metrics["axis/eigenvalue_ratio"] == pytest.approx(axis.eigenvalue_ratio)
    listed = tg.runs().set_index("run_id")["fit"]
    assert listed[hierarchical.run_id] == hierarchical.fit.status


def test_single_votes_made_anew_from_the_draws_are_those_that_were_kept(hierarchical):
    kept = single_votes_of(hierarchical)
    anew = votes_of_trace(tg.load_trace(hierarchical.run_id))
    pd.testing.assert_frame_equal(anew.set_index(["legislator", "rollcall"]), kept)


def test_any_two_results_have_an_agreement_without_a_store_to_read(flat, hierarchical):
    assert tg.abs_r(flat, hierarchical) == pytest.approx(flat.comparison.abs_r)
    assert tg.abs_r(flat.run_id, hierarchical.run_id[:8]) == pytest.approx(flat.comparison.abs_r)


def test_a_promoted_run_becomes_the_automatic_baseline(brief, hierarchical):
    assert stored(brief).data.tags["baseline.run_id"] == hierarchical.run_id


def test_a_run_can_start_from_the_positions_of_another(brief, hierarchical):
    start = brief.trace["constant_data"]["start_score"].to_numpy()
    means = hierarchical.trace["posterior"]["xi"].mean(("chain", "draw")).to_numpy()
    assert np.corrcoef(start, means)[0, 1] > 0.999


def test_chains_that_did_not_converge_are_a_result_with_a_verdict(brief):
    assert brief.verdict.status == "fail"
    run = stored(brief)
    assert run.info.status == "FINISHED"
    assert "R-hat max is" in run.data.tags["verdict.reasons"]


def count_runs():
    client = mlflow.MlflowClient()
    experiments = [e.experiment_id for e in client.search_experiments()]
    return len(client.search_runs(experiments))


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"session": "nowhere"}, DataError, "not found"),
        ({"session": "sample", "chamber": "house"}, DataError, "house"),
        ({"min_votes": 10_000}, DataError, "nothing left"),
        ({"init": f"run:{'0' * 32}"}, TrackingError, "0" * 32),
        ({"baseline": "f" * 32}, TrackingError, "f" * 32),
    ],
)
def test_what_cannot_run_is_refused_before_a_run_exists(hierarchical, parameters, error, words):
    before = count_runs()
    with pytest.raises(error, match=words):
        tg.fit(RunSpec(**(QUICK | parameters)), QUIET)
    assert count_runs() == before


def test_no_chain_outlives_a_run_that_does_not_begin(hierarchical):
    before = thread_ids()
    with pytest.raises(TrackingError):
        tg.fit(RunSpec(**QUICK | {"draws": 1_000_000, "baseline": "f" * 32}), QUIET)
    pythons = {thread.native_id for thread in threading.enumerate()}
    assert thread_ids() - before <= pythons


def test_chains_begin_before_the_store_is_connected_and_their_seconds_count_once(hierarchical):
    seconds = tg.fit(RunSpec(**QUICK | {"draws": 10, "fit_checks": False}), QUIET).timings
    assert 0 < seconds["ahead_s"] < seconds["sampling_s"]
    by_step = sum(s for step, s in seconds.items() if step not in ("total_s", "ahead_s"))
    assert by_step - seconds["ahead_s"] <= seconds["total_s"]


def test_a_baseline_whose_artifacts_are_lost_does_not_stop_a_run(store, hierarchical, caplog):
    client = mlflow.MlflowClient()
    with start_run(None, "lost") as lost:
        lost.log_params({"model": "flat", "sampler": "pymc"})
        tags = client.get_run(hierarchical.run_id).data.tags
        lost.set_tags({"data.sha256": tags["data.sha256"], "verdict": "pass", "baseline": "true"})
    try:
        result = tg.fit(RunSpec(**QUICK | {"draws": 10, "tune": 10}), QUIET)
        assert result.comparison is None
        assert f"compared with no baseline, as run {lost.run_id} cannot be read" in caplog.text
        with pytest.raises(TrackingError, match="baseline none"):
            tg.fit(RunSpec(**QUICK, baseline=lost.run_id), QUIET)
    finally:
        client.delete_run(lost.run_id)


def test_a_baseline_without_common_legislators_is_refused(hierarchical):
    spec = RunSpec(**(QUICK | {"session": "simulated", "baseline": hierarchical.run_id}))
    with pytest.raises(DataError, match="shares too few legislators"):
        tg.fit(spec, QUIET)


def test_a_trace_that_cannot_be_written_leaves_a_failed_run(store):
    large = QUIET.model_copy(update={"trace_precision": "float64"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limits[1]))  # the disk is full at 4 MB
    try:
        with pytest.raises(OSError, match=r"[Ff]ile too large|write"):
            tg.fit(RunSpec(baseline="none", **(QUICK | {"draws": 4000})), large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    failed = mlflow.search_runs(
        search_all_experiments=True,
        filter_string="attributes.status = 'FAILED'",
        output_format="list",
    )
    running = mlflow.search_runs(
        search_all_experiments=True,
        filter_string="attributes.status = 'RUNNING'",
        output_format="list",
    )
    assert len(failed) == 1
    assert "OSError" in failed[0].data.tags["error"]
    assert running == []


def test_errors_of_the_user_are_one_line(store):
    with pytest.raises(TallgrassError) as caught:
        tg.fit(RunSpec(session="nowhere"), QUIET)
    assert "\n" not in str(caught.value)
