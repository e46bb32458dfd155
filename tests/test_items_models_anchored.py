"""Anchors of 1PL, 3PL and graded items: a cohort that is abler, a link, an anchor that drifted."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytensor
import pytest
from example_store import default_store
from item_data import table
from scipy.special import expit
from scipy.stats import beta, norm
from test_items_models import graded

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import DataError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.curves import curves_of
from tallgrass.items.drift import curves_of_drift, drift_table, with_information
from tallgrass.items.engines import calibrate_other_nuts, estimate, estimate_linked
from tallgrass.items.engines.any_linked import linked
from tallgrass.items.engines.any_model import fitted
from tallgrass.items.engines.family import family_of, rows_of
from tallgrass.items.engines.other import _centre
from tallgrass.items.other_models import build_other
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.specs import changed_calibration, make_calibration_spec
from tallgrass.items.tables import of_estimates
from tallgrass.settings import Settings

MODELS = ["1pl", "3pl", "graded"]
QUIET = Settings(progress="none")
FREE = PriorChoice(free=True)
N_ANCHORS = 10


class Cohort(NamedTuple):
    responses: Responses
    anchors: Anchors
    b: np.ndarray


def drawn(model, n_users=1500, n_items=25, n_anchors=N_ANCHORS, mean=0.5, sd=1.0, seed=1):
    """A cohort N(mean, sd) on the scale on which the anchors are what they were."""
    generator = np.random.default_rng(seed)
    theta = mean + sd * generator.normal(size=n_users)
    a = np.exp(0.2 * generator.normal(size=1 if model == "1pl" else n_items)) * np.ones(n_items)
    b = generator.normal(size=(n_items, 1))
    if model == "graded":
        b = np.sort(generator.normal(size=(n_items, 3)), axis=1) + 0.3 * np.arange(-1, 2)
    c = generator.beta(5, 17, n_items) if model == "3pl" else np.zeros(n_items)
    at_least = c[:, None] + (1 - c[:, None]) * expit(a[:, None] * (theta[:, None, None] - b))
    answers = (generator.random((n_users, n_items, 1)) < at_least).sum(axis=2)
    responses = graded(answers) if model == "graded" else table(answers)
    anchors = Anchors(
        responses.items, a, b.mean(axis=1),
        c if model == "3pl" else np.empty(0), b if model == "graded" else np.empty((0, 0)),
    ).chosen(range(n_anchors))  # fmt: skip
    return Cohort(responses, anchors, b.mean(axis=1))


@pytest.fixture(scope="module", params=MODELS)
def abler(request):
    """1,500 users half a standard deviation abler than the anchors' cohort, and their model."""
    return request.param, drawn(request.param)


def bias(found, data):
    """Mean error of the items that are no anchors."""
    return float((found.b - data.b)[N_ANCHORS:].mean())


def test_a_cohort_that_is_abler_moves_no_item(abler):
    model, data = abler
    responses, anchors = data.responses, data.anchors
    held = estimate(model, responses, PriorChoice(), anchors=anchors)
    assert bias(held, data) < -0.12  # abilities at N(0, 1): what this is about
    found = {
        "map": estimate(model, responses, FREE, anchors=anchors),
        "fixed": estimate(model, responses, None, anchors=anchors),
        "linked": estimate_linked(model, responses, anchors),
    }
    for name, one in found.items():
        mean, sd, mean_se, sd_se = one.population
        # Of 3 standard errors of the scale; b of 3pl hangs on c too.
        assert abs(bias(one, data)) < 3 * mean_se + (0.1 if model == "3pl" else 0.03), name
        assert abs(mean - 0.5) < 3 * mean_se < 0.2, name
        assert abs(sd - 1.0) < 3 * sd_se < 0.2, name
        np.testing.assert_allclose(one.theta.mean(), mean, atol=0.02)
    # Two engines on the same scale, where the answers and not the prior say what an item is.
    if model != "3pl":
        others = slice(N_ANCHORS, None)
        deviates = (found["map"].b - found["linked"].b)[others] / found["linked"].b_sd[others]
        assert np.abs(deviates).max() < 2
    np.testing.assert_array_equal(found["fixed"].b[:N_ANCHORS].round(6), anchors.b.round(6))


def test_a_link_without_noise_recovers_scale_and_shift(abler):
    """The anchors are the estimates themselves on a scale of 1.3 theta + 0.4."""
    model, data = abler
    found = fitted(model, data.responses, None)
    now, rows = found.estimates, rows_of(data.responses, data.anchors)
    before = Anchors(
        data.anchors.items, now.a[rows] / 1.3, 1.3 * now.b[rows] + 0.4,
        now.c[rows] if now.c.size else now.c,
        1.3 * now.thresholds[rows] + 0.4 if now.thresholds.size else now.thresholds,
    )  # fmt: skip
    result = linked(found, rows, before)
    assert result.link.a == pytest.approx(1.3, abs=1e-6)
    assert result.link.b == pytest.approx(0.4, abs=1e-6)
    np.testing.assert_allclose(result.b, 1.3 * now.b + 0.4, atol=1e-5)


def test_an_anchor_that_became_harder_is_the_one_that_is_called(abler):
    model, data = abler
    anchors, moved = data.anchors, np.zeros(N_ANCHORS)
    moved[3] = 0.9
    before = Anchors(
        anchors.items, anchors.a, anchors.b - moved, anchors.c,
        anchors.thresholds - moved[:, None] if anchors.thresholds.size else anchors.thresholds,
    )  # fmt: skip
    choice = PriorChoice(free=True, model=model)
    found = estimate(model, data.responses, choice, anchors=before)
    calibrated = of_estimates(found, data.responses, item_priors(data.responses, before, choice))
    drift = drift_table(calibrated, data.responses, before, 0.2, 0.25, choice)
    assert drift["item"][0] == anchors.items[3]
    assert drift["suspect"].tolist() == [True] + [False] * (N_ANCHORS - 1)
    assert drift["p_b"][0] > 0.95
    assert (drift["p_b"][1:] < 0.8).all()
    curves = curves_of_drift(drift, calibrated, before)
    informed = with_information(drift, calibrated.population, 0.2, curves)
    assert (informed["information"] > 0).all()
    assert drift["a_alone"].isna().all() == (model == "1pl")


@pytest.mark.parametrize("model", MODELS)
def test_the_graph_with_anchors_is_its_density(model):
    """Against a plainly written one: priors of anchors and others, and a free population."""
    data = drawn(model, 60, 6, 3)
    responses, anchors = data.responses, data.anchors
    choice = PriorChoice(free=True, model=model)
    priors = item_priors(responses, anchors, choice)
    thresholds = family_of(model, responses, priors).thresholds
    mode = estimate(model, responses, choice, anchors=anchors)
    built = build_other(model, responses, priors, thresholds, _centre(mode, priors))
    density = built.graph.compile_logp(mode="FAST_COMPILE")
    free = built.graph.free_RVs
    public = pytensor.function(
        free, [built.graph[name] for name in built.public], mode="FAST_COMPILE"
    )
    differences = []
    for seed in range(3):
        point = {k: np.asarray(v) for k, v in built.start(np.random.default_rng(seed)).items()}
        values = dict(zip(built.public, public(*(point[one.name] for one in free)), strict=True))
        a, theta, cuts = values["a"], values["theta"], values["b"][:, None]
        mean, sd = values["population_mean"], values["population_sd"]
        expected = norm.logpdf(theta, mean, sd).sum()
        expected += norm.logpdf(mean) + norm.logpdf(np.log(sd), 0, 0.5)
        if model == "graded":
            cuts = values["threshold_b"].reshape(6, 3)
            steps = np.delete(point["threshold_raw"].reshape(6, 3), 0, axis=1)
            expected += steps.sum()
        means = anchors.thresholds if model == "graded" else anchors.b[:, None]
        expected += norm.logpdf(cuts[:3], means, 0.05).sum() + norm.logpdf(cuts[3:]).sum()
        before = np.log(anchors.a)
        if model == "1pl":
            expected += norm.logpdf(np.log(a[0]), before.mean(), 0.05)
        else:
            expected += norm.logpdf(np.log(a[:3]), before, 0.05).sum()
            expected += norm.logpdf(np.log(a[3:]), 0, 0.2).sum()
        if model == "3pl":
            c, known = values["c"], anchors.c
            expected += beta.logpdf(c[:3], 1 + 100 * known, 1 + 100 * (1 - known)).sum()
            expected += beta.logpdf(c[3:], 5, 17).sum() + (np.log(c) + np.log1p(-c)).sum()
        curves = curves_of(a, cuts, values.get("c"))
        at = curves.log_probabilities(theta)
        expected += at[curves.first[responses.item] + responses.correct, responses.user].sum()
        differences.append(float(density(point)) - expected)
    assert np.ptp(differences) == pytest.approx(0, abs=1e-7)  # constants are left out


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_the_conflict_of_anchors_that_stayed_is_what_chance_gives(model):
    conflicts = []
    for seed in range(12):
        data = drawn(model, 800, 20, seed=100 + seed)
        choice = PriorChoice(free=True, model=model)
        found = estimate(model, data.responses, choice, anchors=data.anchors)
        priors = item_priors(data.responses, data.anchors, choice)
        calibrated = of_estimates(found, data.responses, priors)
        drift = drift_table(calibrated, data.responses, data.anchors, 0.2, 0.25, choice)
        conflicts.extend(drift["conflict"])
    # The anchors are as they were, so that their prior of 0.05 makes it a little rarer than 5 %.
    share = np.mean(np.array(conflicts) > 1.96)
    assert share < 0.12


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_standard_errors_on_the_scale_of_the_bank_are_those_of_repeated_cohorts(model):
    deviates: dict[str, list[float]] = {"map": [], "linked": []}
    for seed in range(20):
        data = drawn(model, 1000, 20, seed=200 + seed)
        of_engine = {
            "map": estimate(model, data.responses, FREE, anchors=data.anchors),
            "linked": estimate_linked(model, data.responses, data.anchors),
        }
        for name, found in of_engine.items():
            others = (found.b - data.b)[N_ANCHORS:] / found.b_sd[N_ANCHORS:]
            deviates[name].extend(others)
    for name, values in deviates.items():
        if model == "3pl" and name == "linked":
            continue  # without a prior c may end at its bound, where its error is not known
        assert 0.85 < np.sqrt(np.mean(np.square(values))) < 1.2, name


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_draws_agree_with_the_mode(model):
    data = drawn(model)
    spec = SamplerSpec(draws=300, tune=300, chains=2, seed=3, target_accept=0.7)
    sampled = calibrate_other_nuts(model, data.responses, data.anchors, spec, choice=FREE)
    posterior = sampled.trace["posterior"].to_dataset()
    mode = estimate(model, data.responses, FREE, anchors=data.anchors)
    for name, centre, se in (
        ("mean", mode.population.mean, mode.population.mean_se),
        ("sd", mode.population.sd, mode.population.sd_se),
    ):
        draws = posterior[f"population_{name}"].to_numpy()
        assert abs(draws.mean() - centre) < 0.9 * se
        assert draws.std() == pytest.approx(se, rel=0.35)
    means = posterior["b"].mean(("chain", "draw")).to_numpy()
    assert np.abs((means - mode.b) / mode.b_sd).max() < 0.9


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """A folder with answers and anchors of every model, and an empty store."""
    with default_store(tmp_path_factory.mktemp("bank")):
        for model in MODELS:
            data = drawn(model, 400, 12, 4)
            responses, anchors = data.responses, data.anchors
            pd.DataFrame({
                "user": np.array(responses.users)[responses.user],
                "item": np.array(responses.items)[responses.item],
                "response": responses.correct,
            }).to_csv(f"{model}.csv", index=False)  # fmt: skip
            known = pd.DataFrame({"item": anchors.items})
            if model != "1pl":
                known["a"] = anchors.a
            if model == "graded":
                for k in range(3):
                    known[f"b_{k + 1}"] = anchors.thresholds[:, k]
            else:
                known["b"] = anchors.b
            if model == "3pl":
                known["c"] = anchors.c
            known.to_csv(f"{model}-anchors.csv", index=False)
        yield


@pytest.mark.parametrize(("model", "engine"), [("1pl", "map"), ("3pl", "map"), ("graded", "mml")])
def test_a_bank_of_a_model_is_calibrated_on_its_scale(bank, model, engine):
    spec = make_calibration_spec(
        responses=f"{model}.csv", anchors=f"{model}-anchors.csv", item_model=model, engine=engine,
        min_responses=50,
    )  # fmt: skip
    result = tg.calibrate(spec, QUIET)
    assert result.verdict.status == "pass"
    assert result.analysis.calibrated.population.free
    assert len(result.drift) == 4
    assert result.metrics["population/mean"] == pytest.approx(0.5, abs=0.4)
    assert ("link/A" in result.metrics) == (engine == "mml")
    assert set(result.items["item"][result.items["anchor"]]) == set(result.drift["item"])
    page = Path(result.report_path.removeprefix("file://")).read_text("utf-8")
    assert "On the scale of the anchors this cohort has mean ability" in page
    assert "nan %" not in page
    assert ("only b can drift" in page) == (model == "1pl")


def test_a_bank_of_3pl_is_published_with_c_but_for_the_anchor_that_drifted(bank, tmp_path):
    """From a table of the database, by columns of the bank's own names."""
    location = f"sqlite:///{tmp_path}/bank.db"
    known = pd.read_csv("3pl-anchors.csv")
    known["b"] -= [1.5, 0, 0, 0]
    with sqlite3.connect(tmp_path / "bank.db") as connection:
        pd.read_csv("3pl.csv").to_sql("responses", connection, index=False)
        known.rename(columns={"a": "slope"}).to_sql("parameters", connection, index=False)
    spec = make_calibration_spec(
        responses=location, item_model="3pl", engine="map", min_responses=50, fit_checks=False,
        anchor_query="SELECT item, slope, b, c FROM parameters", anchor_a_column="slope",
        publish=True,
    )  # fmt: skip
    result = tg.calibrate(spec, QUIET)
    with sqlite3.connect(tmp_path / "bank.db") as connection:
        written = pd.read_sql("SELECT * FROM item_parameters", connection)
    assert set(result.items["item"]) - set(written["item"]) == {"i000"}
    items = result.items.set_index("item").loc[written["item"]]
    np.testing.assert_allclose(written["c"], items["c"])
    np.testing.assert_allclose(written["b_sd"], items["b_sd"])
    # What was published is what the next month is held by.
    changes = {"anchor_query": "", "anchors": "item_parameters", "anchor_a_column": "a"}
    changes |= {"engine": "mml", "anchoring": "fixed", "publish": False}
    following = tg.calibrate(changed_calibration(spec, changes), QUIET).items.set_index("item")
    for name in ("a", "b", "c"):
        np.testing.assert_allclose(following.loc[written["item"], name], written[name], atol=1e-6)


@pytest.mark.parametrize(
    ("model", "text", "words"),
    [
        ("3pl", "item,a,b\ni000,1,0\n", "anchors of item_model=3pl need the column c"),
        ("3pl", "item,a,b,c\ni000,1,0,1.2\n", "anchor i000 with an unusable c"),
        ("graded", "item,a,b\ni000,1,0\n", "anchors of item_model=graded need columns of thresh"),
        ("graded", "item,a,b_1,b_2\ni000,1,0,1\n", "i000 has 2 thresholds, and its answers need 3"),
        ("graded", "item,a,b_1,b_2\ni000,1,2,1\n", "anchor i000 with unusable thresholds"),
        ("1pl", "item,a,b\ni000,1,0\ni001,1.4,0\n", "anchors of item_model=1pl must have one a"),
    ],
)
def test_anchors_that_are_not_of_the_model_are_refused_in_one_line(
    bank, capsys, tmp_path, model, text, words
):
    (tmp_path / "anchors.csv").write_text(text)
    flags = [f"--responses={model}.csv", f"--item-model={model}", "--engine=mml"]
    assert main(["calibrate", *flags, f"--anchors={tmp_path}/anchors.csv"]) == 2
    assert words in capsys.readouterr().err


def test_simulated_anchors_are_of_2pl(bank, capsys):
    assert main(["calibrate", "--anchors=simulated", "--item-model=3pl", "--engine=mml"]) == 2
    assert "anchors that are not of item_model=3pl" in capsys.readouterr().err


def test_too_few_anchors_cannot_link():
    data = drawn("3pl", 300, 6, 2)
    with pytest.raises(DataError, match="too few anchors to link"):
        estimate_linked("3pl", data.responses, data.anchors)
