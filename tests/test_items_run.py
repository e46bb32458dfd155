"""Whole calibrations, for real: responses from files and PostgreSQL, real MLflow on SQLite."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store, status_of
from item_data import simulated_items
from postgres import PASSWORD, engine_of

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError, TallgrassError
from tallgrass.items.earlier import item_table
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import changed_calibration, make_calibration_spec
from tallgrass.items.used_parameters import used_parameters
from tallgrass.settings import Settings
from tallgrass.tracking import reading
from tallgrass.tracking.reading.records import artifact

ROOT = Path(__file__).parent.parent
QUIET = Settings(progress="none")
QUICK = {"draws": 300, "tune": 100, "chains": 2, "min_responses": 50, "fit_checks": False}
ARTIFACTS = {
    "trace/idata.nc",
    "report/index.html",
    "tables/items.csv",
    "tables/items.json",
    "tables/users.csv",
    "tables/drift.csv",
    "plots/item_curves.png",
    "plots/wright_map.png",
    "plots/drift.png",
    "spec/run.json",
    "data/filters.json",
    "env/requirements.txt",
    "metrics.json",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        simulated = simulated_items(n_users=600, n_items=12, n_anchors=3, per_user=8, seed=2)
        frame(simulated.responses).to_csv("answers.csv", index=False)
        anchors = simulated.anchors
        table = pd.DataFrame({"item": anchors.items, "a": anchors.a, "b": anchors.b})
        table.to_csv("anchors.csv", index=False)
        # The first anchor was 1.5 easier in what the file says.
        table["b"] -= np.array([1.5, 0, 0])
        table.to_csv("drifted.csv", index=False)
        yield folder


def frame(responses):
    return pd.DataFrame(
        {
            "user": [responses.users[k] for k in responses.user],
            "item": [responses.items[k] for k in responses.item],
            "response": responses.correct,
        }
    )


def spec_of(**changes):
    return make_calibration_spec(
        **({"responses": "answers.csv", "engine": "gibbs"} | QUICK | changes)
    )


@pytest.fixture(scope="module")
def gibbs(store):
    return tg.calibrate(spec_of(anchors="anchors.csv", fit_checks=True), QUIET)


def stored(result):
    return mlflow.MlflowClient().get_run(result.run_id)


def count_runs():
    client = mlflow.MlflowClient()
    return len(client.search_runs([e.experiment_id for e in client.search_experiments()]))


def test_a_calibration_is_a_finished_run_with_every_artifact(gibbs):
    run = stored(gibbs)
    assert run.info.status == "FINISHED"
    assert set(reading.details(gibbs.run_id)["artifacts"]) >= ARTIFACTS
    assert run.data.params["engine"] == "gibbs"
    assert run.data.params["model"] == "items"
    assert used_parameters(gibbs.analysis.spec) <= set(run.data.params)
    assert not {"target_accept", "publish_map", "c_prior", "window"} & set(run.data.params)
    with artifact(gibbs.run_id, "spec/run.json") as (_, path):
        assert set(json.loads(path.read_text())) == set(CalibrationSpec.model_fields)
    assert run.data.metrics["data/n_items"] == 12
    assert run.data.metrics["rhat_max"] == pytest.approx(gibbs.diagnostics.worst("rhat"), abs=1e-4)
    assert run.data.tags["verdict"] == gibbs.verdict.status
    [dataset] = run.inputs.dataset_inputs
    assert dataset.dataset.digest == run.data.tags["data.sha256"][:36]


def test_the_fit_is_said_apart_from_the_verdict(gibbs, store):
    tags, metrics = stored(gibbs).data.tags, stored(gibbs).data.metrics
    assert tags["fit"] == gibbs.analysis.fit_verdict.status == "fits"
    assert metrics["fit/misfit_items"] <= 1
    unchecked = stored(tg.calibrate(spec_of(engine="map"), QUIET))
    assert unchecked.data.tags["fit"] == "not checked"
    assert "fit_checks=false" in unchecked.data.tags["fit.reasons"]
    assert "fit/misfit_items" not in unchecked.data.metrics
    assert unchecked.data.metrics["fit/infit_max"] > 0


def test_the_stored_draws_are_those_of_the_result(gibbs):
    trace = tg.load_trace(gibbs.run_id)
    np.testing.assert_array_equal(trace["posterior"]["b"], gibbs.trace["posterior"]["b"])
    assert trace["constant_data"]["anchor"].sum() == 3


def test_population_and_priors_are_recorded(gibbs):
    params, metrics = stored(gibbs).data.params, stored(gibbs).data.metrics
    assert params["population"] == "auto"
    assert params["population.resolved"] == "free"
    assert params["prior.a"] == "lognormal:0,0.2"
    assert params["prior.population_sd"] == "lognormal:0,0.5"
    for name in ("mean", "sd"):
        draws = gibbs.trace["posterior"][f"population_{name}"]
        assert metrics[f"population/{name}"] == pytest.approx(float(draws.mean()))
        low, high = (metrics[f"population/{name}_{end}"] for end in ("low", "high"))
        assert low < metrics[f"population/{name}"] < high


def test_chosen_priors_are_those_that_are_sampled(store):
    wide = tg.calibrate(spec_of(engine="map", a_prior="lognormal:0,1", b_prior="normal:0,3"), QUIET)
    usual = tg.calibrate(spec_of(engine="map"), QUIET)
    assert stored(wide).data.params["prior.a"] == "lognormal:0,1"
    assert wide.items["a"].std() > 1.3 * usual.items["a"].std()
    assert wide.items["b"].std() > usual.items["b"].std()


@pytest.mark.parametrize("engine", ["map", "mml"])
def test_point_engines_leave_the_same_tables(gibbs, engine):
    result = tg.calibrate(spec_of(engine=engine, anchors="anchors.csv"), QUIET)
    assert result.verdict.status == "pass"
    table = item_table(result.run_id)
    assert list(table.columns) == list(gibbs.items.columns)
    assert set(reading.details(result.run_id)["artifacts"]) >= ARTIFACTS
    assert "estimates" in tg.load_trace(result.run_id).children


def test_nuts_agrees_with_gibbs(gibbs):
    result = tg.calibrate(spec_of(engine="nuts", anchors="anchors.csv"), QUIET)
    assert np.abs(result.items["b"] - gibbs.items["b"]).max() < 0.15
    assert stored(result).data.metrics["divergences"] == 0
    assert stored(result).data.params["sampler.trajectory"] == "normal"
    assert stored(result).data.params["sampler.adaptation"] == "diag"
    assert result.trace.attrs["trajectory"] == "normal"
    assert "sampler.trajectory" not in stored(gibbs).data.params


def test_runs_show_and_compare_know_calibrations(gibbs, capsys):
    found = tg.runs(model="items")
    assert gibbs.run_id in found["run_id"].tolist()
    assert main(["runs"]) == 0
    assert main(["show", gibbs.run_id]) == 0
    assert main(["compare", gibbs.run_id]) == 0
    shown = capsys.readouterr().out
    assert "R-hat(b) max" in shown
    assert "tables/items.csv" in shown


def test_a_drifted_anchor_can_be_dropped_and_the_items_fitted_again(store):
    result = tg.calibrate(spec_of(anchors="drifted.csv", purify=True), QUIET)
    assert result.purified == ("i00000",)
    assert stored(result).data.tags["anchors.purified"] == "i00000"
    held = result.items.set_index("item")["anchor"]
    assert held.to_dict()["i00000"] is np.False_ or not held["i00000"]
    assert held.sum() == 2
    truth = simulated_items(n_users=600, n_items=12, n_anchors=3, per_user=8, seed=2).b[0]
    assert result.items["b"].iloc[0] == pytest.approx(truth, abs=0.5)
    page = Path(result.report_path).read_text("utf-8")
    assert "dropped because they drifted" in page


def test_too_few_anchors_that_stayed_hold_no_link_and_nothing_is_published(store, filled):
    url, _ = filled
    # Two of three moved, and a link needs three.
    drifted = pd.read_csv("anchors.csv")
    drifted["b"] += np.array([-1.5, 1.5, 0])
    drifted.to_sql("moved", engine_of(url), index=False)
    result = tg.calibrate(
        spec_of(engine="mml", responses=url, anchors="moved", purify=True, publish=True), QUIET
    )
    assert result.verdict.status == "pass"
    assert result.published == 0
    assert published_items(url) == []
    assert "all but too few" in stored(result).data.tags["published.refused"]
    assert "they cannot hold the scale" in Path(result.report_path).read_text("utf-8")


def test_another_run_and_a_file_can_be_compared(gibbs, store):
    other = pd.DataFrame({"item": gibbs.items["item"], "a": 1.0, "b": gibbs.items["b"] + 0.2})
    other.to_csv("other.csv", index=False)
    compare = f"theirs=other.csv,before={gibbs.run_id[:8]}"
    result = tg.calibrate(spec_of(engine="map", anchors="anchors.csv", compare=compare), QUIET)
    assert set(result.agreement.summary["second"]) == {"theirs", "before"}
    flagged = result.agreement.pairs
    assert flagged[(flagged["first"] == "theirs") & (flagged["second"] == "before")][
        "flagged"
    ].all()
    assert "tables/consensus.csv" in reading.details(result.run_id)["artifacts"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"responses": "nowhere.csv"}, DataError, "no such file"),
        ({"min_responses": 100_000}, DataError, "no item has enough responses"),
        ({"anchors": "absent.csv"}, DataError, "1 anchors without a response.*'nope'"),
        ({"anchors": "bad.csv"}, DataError, "unusable a: received -1.0"),
        ({"anchors": "missing.csv"}, DataError, "no such file of item parameters"),
        ({"compare": "x=few.csv"}, DataError, "x shares too few items"),
        ({"compare": "x"}, SpecError, "bad comparison"),
        ({"user_column": "person"}, DataError, "without the column person"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_before_a_run_exists(store, changes, error, words):
    Path("absent.csv").write_text("item,a,b\nnope,1,0\n")
    Path("bad.csv").write_text("item,a,b\ni00000,-1,0\n")
    Path("few.csv").write_text("item,a,b\ni00000,1,0\n")
    before = count_runs()
    with pytest.raises(error, match=words):
        tg.calibrate(spec_of(**changes), QUIET)
    assert count_runs() == before


def test_a_thin_anchor_is_left_out_and_said(store):
    # Items have about 400 responses each, not the same number.
    counts = frame(simulated_items(600, 12, 3, 8, 2).responses)["item"].value_counts()
    anchored = counts[["i00000", "i00001", "i00002"]].sort_values()
    most = int(anchored.iloc[-1])
    thin = ", ".join(sorted(anchored.index[anchored < most]))
    assert thin
    result = tg.calibrate(spec_of(anchors="anchors.csv", engine="map", min_responses=most), QUIET)
    assert set(result.drift["item"]) == {"i00000", "i00001", "i00002"} - set(thin.split(", "))
    assert stored(result).data.tags["anchors.thin"] == thin
    n = len(thin.split(", "))
    assert f"{n} anchors left out, fewer than {most} responses: {thin}" in Path(
        result.report_path
    ).read_text("utf-8")


def test_anchors_that_are_all_thin_are_refused_with_the_most_there_is(store):
    counts = frame(simulated_items(600, 12, 3, 8, 2).responses)["item"].value_counts()
    pd.DataFrame({"item": [counts.index[-1]], "a": 1.0, "b": 0.0}).to_csv("thin.csv", index=False)
    words = f"every anchor was dropped.*{counts.index[-1]} with {counts.iloc[-1]} of"
    with pytest.raises(DataError, match=words):
        tg.calibrate(spec_of(anchors="thin.csv", min_responses=int(counts.max())), QUIET)


def test_the_command_prints_one_json_object(store, capsys):
    words = ["calibrate", "--responses=answers.csv", "--engine=mml", "--min-responses=50", "--json"]
    assert main([*words, "--progress=none"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "pass"
    assert len(answer["items"]) == 12


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--engine=stan"], "engine"),
        (["--respones=x"], "did you mean --responses"),
        (["--publish"], "publish: there is no database"),
        (["--duplicates=all"], "duplicates"),
        (["--drift-b=0"], "drift_b"),
    ],
)
def test_bad_flags_end_with_status_2_and_one_line(store, capsys, words, expected):
    assert main(["calibrate", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("tallgrass: error: ")
    assert err.count("\n") == 1
    assert expected in err


def test_rerun_repeats_a_calibration(gibbs, capsys):
    assert main(["rerun", gibbs.run_id, "--json", "--progress=none"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["items"][0]["b"] == pytest.approx(gibbs.items["b"].iloc[0], abs=1e-12)


def test_the_environment_and_the_json_form_hold_the_spec(monkeypatch):
    monkeypatch.setenv("TALLGRASS_ENGINE", "mml")
    from tallgrass.items.specs import load_calibration_spec

    spec = load_calibration_spec({"responses": "x.csv"})
    assert spec.engine == "mml"
    assert CalibrationSpec.from_json(spec.to_json()) == spec


def test_every_engine_has_its_own_numbers_of_draws():
    nuts, gibbs = CalibrationSpec(), CalibrationSpec(engine="gibbs")
    assert (nuts.draws, nuts.tune) == (2000, 1000)
    assert (gibbs.draws, gibbs.tune) == (1000, 100)
    assert changed_calibration(gibbs, {"engine": "nuts"}) == nuts
    assert changed_calibration(nuts, {"engine": "gibbs"}) == gibbs
    chosen = changed_calibration(nuts, {"draws": 500})
    assert changed_calibration(chosen, {"engine": "gibbs"}).draws == 500


@pytest.fixture
def filled(postgres_url, store):
    simulated = simulated_items(n_users=600, n_items=12, n_anchors=3, per_user=8, seed=2)
    engine = engine_of(postgres_url)
    label = "it's \"monthly\"'; drop table responses; --"
    frame(simulated.responses).assign(window=label).to_sql("responses", engine, index=False)
    pd.read_csv("drifted.csv").to_sql("current", engine, index=False)
    return postgres_url, label


def test_a_database_is_calibrated_and_the_undrifted_items_published(filled):
    url, label = filled
    spec = spec_of(
        responses=url, window=label, anchors="current", publish=True, publish_table="current"
    )
    result = tg.calibrate(spec, QUIET)
    assert result.verdict.status == "pass"
    with engine_of(url).connect() as connection:
        found = pd.read_sql("SELECT * FROM current", connection).set_index("item")
    assert result.published == 11
    before = pd.read_csv("drifted.csv").set_index("item")
    assert found.loc["i00000", "b"] == before.loc["i00000", "b"]
    assert found.loc["i00001", "b"] == pytest.approx(result.items["b"].iloc[1], abs=1e-12)
    everything = json.dumps(reading.details(result.run_id), default=str)
    everything += Path(result.report_path).read_text("utf-8")
    assert PASSWORD not in everything
    assert "***" in stored(result).data.params["responses"]
    assert PASSWORD not in str(tg.load_trace(result.run_id).attrs)


def test_a_failed_verdict_publishes_nothing(filled, capsys):
    url, _ = filled
    words = [
        "calibrate",
        f"--responses={url}",
        "--engine=nuts",
        "--publish",
        "--min-responses=50",
        "--fit-checks=false",
    ]
    words += ["--draws=8", "--tune=10", "--chains=2", "--progress=none"]
    assert main(words) == 3
    assert "Nothing was published" in capsys.readouterr().out
    with engine_of(url).connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_name = 'item_parameters'"
        ).all()
    assert tables == []


def one_chain(url, **changes):
    """A calibration whose R-hat cannot be computed."""
    return spec_of(responses=url, chains=1, draws=3000, publish=True, **changes)


def published_items(url):
    with engine_of(url).connect() as connection:
        return connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_name = 'item_parameters'"
        ).all()


def test_an_unresolved_verdict_publishes_nothing_and_says_why(filled):
    url, _ = filled
    result = tg.calibrate(one_chain(url), QUIET)
    assert result.verdict.status == "unresolved"
    assert result.published == 0
    assert published_items(url) == []
    reason = stored(result).data.tags["published.refused"]
    assert "R-hat max could not be computed" in reason
    assert "publish_unresolved" in reason


def test_an_unresolved_verdict_publishes_where_that_is_allowed(filled):
    url, _ = filled
    result = tg.calibrate(one_chain(url, publish_unresolved=True), QUIET)
    assert result.verdict.status == "unresolved"
    assert result.published == len(result.items)


def test_the_flag_for_unresolved_ones_does_not_publish_after_fail(filled, capsys):
    url, _ = filled
    words = [
        "calibrate",
        f"--responses={url}",
        "--engine=nuts",
        "--publish",
        "--min-responses=50",
        "--fit-checks=false",
    ]
    words += ["--draws=8", "--tune=10", "--chains=2", "--progress=none", "--publish-unresolved"]
    assert main(words) == 3
    assert "Nothing was published: the verdict is fail" in capsys.readouterr().out
    assert published_items(url) == []


def test_mml_publishes_on_the_scale_of_the_anchors(filled):
    url, _ = filled
    # The anchors are what they were on a scale 0.8 higher; one of them drifted.
    shifted = pd.read_csv("anchors.csv").assign(b=lambda table: table["b"] + 0.8)
    shifted.to_sql("bank", engine_of(url), index=False)
    spec = spec_of(engine="mml", responses=url, anchors="bank", publish=True, publish_table="bank")
    result = tg.calibrate(spec, QUIET)
    population = result.analysis.calibrated.population
    assert population.mean == pytest.approx(0.8, abs=4 * population.mean_se)
    link = {name: result.metrics[f"link/{name}"] for name in ("A", "A_se", "B", "B_se")}
    assert link["B"] == population.mean
    assert 0 < link["A_se"] < 0.3
    own = tg.calibrate(spec_of(engine="mml"), QUIET).items
    expected = link["A"] * own["b"] + link["B"]
    np.testing.assert_allclose(result.items["b"], expected, rtol=1e-9)
    with engine_of(url).connect() as connection:
        found = pd.read_sql("SELECT * FROM bank", connection).set_index("item")
    assert found.loc["i00007", "b"] == pytest.approx(expected[7])


def test_a_lost_database_ends_the_command_with_one_line(postgres_url, store, capsys):
    wrong = postgres_url.replace(PASSWORD, "not-this")
    before = count_runs()
    assert main(["calibrate", f"--responses={wrong}", "--engine=map"]) == 2
    err = capsys.readouterr().err
    assert "cannot connect" in err
    assert "not-this" not in err
    assert count_runs() == before


@pytest.mark.faults
def test_an_interrupted_calibration_keeps_its_draws_and_is_killed(store):
    words = ["calibrate", "--responses=answers.csv", "--engine=gibbs", "--min-responses=50"]
    words += ["--draws=60000", "--tune=100", "--progress=plain"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])}
    before = set(tg.runs(model="items")["run_id"])
    process = subprocess.Popen(
        [sys.executable, "-m", "tallgrass", *words],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("sampling:"):  # a tenth of the draws
            break
    (run_id,) = set(tg.runs(model="items")["run_id"]) - before
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert status_of(run_id) == "KILLED"
    assert tg.load_trace(run_id)["posterior"].sizes["draw"] > 10


def test_errors_of_a_calibration_are_of_ours(store):
    with pytest.raises(TallgrassError):
        tg.calibrate(make_calibration_spec(responses="sqlite:///nowhere/x.db"), QUIET)
