"""1PL, 3PL and graded responses: curves, published estimates, densities, recovery, refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytest
from item_data import table
from scipy import stats

from tallgrass.errors import DataError, SpecError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.curves import Curves, curves_of
from tallgrass.items.engines import calibrate_map, calibrate_mml, calibrate_other_nuts, estimate
from tallgrass.items.engines.family import family_of
from tallgrass.items.engines.other import _centre
from tallgrass.items.other_models import build_other
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.responses import Responses
from tallgrass.items.sources import ResponseRequest, responses_of_frame
from tallgrass.items.specs import make_calibration_spec

SCIENCE = Path(__file__).parent / "data" / "science.csv"
MODELS = ["1pl", "3pl", "graded"]


def graded(matrix, names=None):
    matrix = np.asarray(matrix)
    user, item = (x.ravel() for x in np.indices(matrix.shape))
    return Responses(
        tuple(f"u{i:05d}" for i in range(len(matrix))),
        tuple(names or (f"i{j:03d}" for j in range(matrix.shape[1]))),
        user,
        item,
        matrix.ravel().astype(np.int8),
        graded=True,
    )


def drawn(model, n_users, n_items, seed):
    """Parameters from the priors, and answers of every user to every item."""
    generator = np.random.default_rng(seed)
    theta = generator.normal(size=n_users)
    a = np.exp(0.2 * generator.normal(size=1 if model == "1pl" else n_items)) * np.ones(n_items)
    shape = (n_items, 3) if model == "graded" else (n_items, 1)
    b = np.sort(generator.normal(size=shape), axis=1)
    c = generator.beta(5, 17, n_items) if model == "3pl" else np.zeros(n_items)
    at_least = c[:, None] + (1 - c[:, None]) / (
        1 + np.exp(-a[:, None] * (theta[:, None, None] - b))
    )
    answers = (generator.random((n_users, n_items, 1)) < at_least).sum(axis=2)
    responses = graded(answers) if model == "graded" else table(answers)
    return responses, theta, a, b, c


def example_curves(model):
    a = np.array([0.7, 1.4])
    if model == "graded":
        return curves_of(a, np.array([[-1.0, 0.2, 1.5], [-0.5, 0.1, np.nan]]))
    return curves_of(a, np.array([-0.4, 0.9]), np.array([0.2, 0.1]) if model == "3pl" else None)


@pytest.mark.parametrize("model", MODELS)
def test_the_answers_to_an_item_are_certain_together_at_any_ability(model):
    curves = example_curves(model)
    p = np.exp(curves.log_probabilities([-40.0, -3.0, 0.0, 3.0, 40.0]))
    np.testing.assert_allclose(np.add.reduceat(p, curves.first[:-1]), 1.0, atol=1e-14)


@pytest.mark.parametrize("model", MODELS)
def test_derivatives_of_the_curves_are_those_by_differences(model):
    curves, theta, h = example_curves(model), np.array([-2.0, 0.3, 1.7]), 1e-6

    def moved(place, step):
        intercept = curves.intercept.copy()
        if 0 < place <= intercept.shape[1]:
            intercept[:, place - 1] += step
        slope = curves.slope + (step if place == 0 else 0.0)
        c = curves.c + (step if place > intercept.shape[1] else 0.0)
        return Curves(slope, intercept, c).log_probabilities(theta)

    found = curves.derivatives(theta)
    for k in range(found.shape[1] - (model != "3pl")):
        numeric = (moved(k, h) - moved(k, -h)) / (2 * h)
        np.testing.assert_allclose(found[:, k], numeric, atol=1e-7)
    up, down = (curves.log_probabilities(theta + step) for step in (h, -h))
    np.testing.assert_allclose(curves.by_ability(theta), (up - down) / (2 * h), atol=1e-7)


@pytest.mark.parametrize("engine", ["mml", "map"])
def test_the_general_engine_gives_2pl_as_the_engine_of_its_own(engine):
    responses = drawn("2pl", 500, 8, 3)[0]
    expected = calibrate_mml(responses) if engine == "mml" else calibrate_map(responses)
    found = estimate("2pl", responses, None if engine == "mml" else PriorChoice())
    for name in ("a", "b", "a_sd", "b_sd", "theta"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4)


def test_1pl_of_lsat6_and_lsat7_is_that_of_mirt(data_dir):
    """philchalmers/mirt@2fc2b236, test-01-mirtOne.R and test-15-IRTpars.R: slope 1, free variance.

    A variance of the abilities is the square of a slope that all items share.
    """
    published = json.loads((data_dir / "items" / "published.json").read_text())["LSAT6_Rasch_mirt"]
    d = {
        "LSAT6": published["d"],
        "LSAT7": [1.8680155, 0.7908857, 1.4607798, 0.5214175, 1.9927099],
    }
    for name, expected in d.items():
        frame = pd.read_csv(data_dir / "items" / f"{name}.csv")
        found = estimate("1pl", table(frame.to_numpy(), list(frame.columns)), None)
        np.testing.assert_allclose(-found.a * found.b, expected, atol=0.01)
        assert np.ptp(found.a) == 0
        if name == "LSAT6":
            assert found.a[0] ** 2 == pytest.approx(published["var_theta"], abs=0.01)


def test_3pl_of_lsat7_is_that_of_mirt_or_likelier(data_dir):
    """philchalmers/mirt@2fc2b236, test-15-IRTpars.R.

    The answers hardly tell c of the second item (standard error 0.14), so that a hundredth in its d
    is nothing: there the maximum found is above the published one.
    """
    frame = pd.read_csv(data_dir / "items" / "LSAT7.csv")
    responses = table(frame.to_numpy(), list(frame.columns))
    d = np.array([1.86562047, 0.09404091, 1.78051762, 0.48189021, 1.86845282])
    b = np.array([-1.85291884, -0.04877029, -1.06840017, -0.65462572, -2.43551721])
    found = estimate("3pl", responses, None)
    others = [0, 2, 3, 4]
    np.testing.assert_allclose((-found.a * found.b)[others], d[others], atol=0.01)
    np.testing.assert_allclose(found.b[others], b[others], atol=0.01)
    assert found.c[1] == pytest.approx(0.2950545, abs=0.01)
    assert found.c_sd[1] == pytest.approx(0.1398565, rel=0.05)
    assert found.b[1] == pytest.approx(b[1], abs=0.1 * found.b_sd[1])
    published = curves_of(-d / b, b, np.where(np.arange(5) == 1, 0.2950545, 2e-5))
    nodes, weights = np.polynomial.hermite_e.hermegauss(81)
    at = published.log_probabilities(nodes)[2 * responses.item + responses.correct]
    of_users = np.zeros((len(responses.users), len(nodes)))
    np.add.at(of_users, responses.user, at)
    likelihood = np.log(np.exp(of_users) @ (weights / weights.sum())).sum()
    assert likelihood == pytest.approx(-2658.055, abs=0.001)
    assert likelihood < found.log_lik < likelihood + 0.01


def test_graded_responses_of_science_are_those_of_mirt():
    """philchalmers/mirt@2fc2b236, test-02-mirtTwo.R: estimates and standard errors by SEM."""
    found = estimate("graded", read_science(), None)
    order = [found.items.index(name) for name in ("Comfort", "Work", "Future", "Benefit")]
    intercepts = (-found.a[:, None] * found.thresholds)[order]
    np.testing.assert_allclose(found.a[order], [1.041, 1.226, 2.3, 1.094], atol=0.01)
    expected = [
        [4.863, 2.639, -1.466], [2.924, 0.901, -2.266],
        [5.244, 2.218, -1.967], [3.347, 0.991, -1.688],
    ]  # fmt: skip
    np.testing.assert_allclose(intercepts, expected, atol=0.01)
    # By Louis' identity: 0.18838, 0.18189, 0.48269, 0.18336; that of a flat maximum to 2 %.
    np.testing.assert_allclose(found.a_sd[order], [0.18838, 0.18189, 0.48269, 0.18336], rtol=0.02)


def read_science():
    frame = pd.read_csv(SCIENCE)
    request = ResponseRequest("memory", min_responses=1, graded=True)
    return responses_of_frame(frame, request).responses


@pytest.mark.parametrize("model", MODELS)
def test_the_graph_of_a_model_is_its_density(model):
    """Against a plainly written one: curves, normal and beta priors, Jacobians."""
    responses = drawn(model, 60, 5, 2)[0]
    priors = item_priors(responses)
    thresholds = family_of(model, responses, priors).thresholds
    mode = estimate(model, responses)
    built = build_other(model, responses, priors, thresholds, _centre(mode, priors))
    density = built.graph.compile_logp(mode="FAST_COMPILE")
    free = built.graph.free_RVs
    public = pytensor.function(
        free, [built.graph[name] for name in built.public], mode="FAST_COMPILE"
    )
    for seed in range(3):
        point = {k: np.asarray(v) for k, v in built.start(np.random.default_rng(seed)).items()}
        values = dict(zip(built.public, public(*(point[one.name] for one in free)), strict=True))
        a, c = values["a"], values.get("c")
        b = values["b"][:, None]
        jacobian = 0.0
        if model == "graded":
            first = np.cumsum(thresholds) - thresholds
            b = np.full((len(a), int(thresholds.max())), np.nan)
            for j, (low, count) in enumerate(zip(first, thresholds, strict=True)):
                b[j, :count] = values["threshold_b"][low : low + count]
            jacobian = np.delete(point["threshold_raw"], first).sum()
            np.testing.assert_allclose(values["b"], np.nanmean(b, axis=1))
        if model == "3pl":
            jacobian = np.sum(5 * np.log(c) + 17 * np.log1p(-c))
        log_a = np.unique(np.log(a)) if model == "1pl" else np.log(a)
        prior = -0.5 * (np.sum((log_a / 0.2) ** 2) + np.nansum(b**2) + np.sum(values["theta"] ** 2))
        curves = curves_of(a, b, c)
        of_answers = curves.log_probabilities(values["theta"])
        code = curves.first[responses.item] + responses.correct
        expected = prior + jacobian + of_answers[code, responses.user].sum()
        assert density(point) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("model", MODELS)
def test_intervals_of_the_mode_cover_the_parameters_that_answers_were_drawn_from(model):
    """Binomial bounds at 1 in 1000 for each kind of parameter."""
    inside: dict[str, list[bool]] = {}
    for seed in range(3):
        responses, _, a, b, c = drawn(model, 800, 15, 10 + seed)
        found = estimate(model, responses)
        assert found.converged
        truth = {"a": a[:1] if model == "1pl" else a, "b": b.mean(axis=1)}
        if model == "3pl":
            truth["c"] = c
        for name, values in truth.items():
            estimates, sd = (getattr(found, f"{name}{end}")[: len(values)] for end in ("", "_sd"))
            inside.setdefault(name, []).extend(np.abs(estimates - values) < 1.96 * sd)
    for name, hits in inside.items():
        assert stats.binomtest(sum(hits), len(hits), 0.95).pvalue > 0.001, name


def test_an_answer_between_others_that_nobody_gave_is_refused():
    with pytest.raises(DataError, match=r"item i001: nobody gave an answer between others.*'?1"):
        estimate("graded", graded([[0, 0], [1, 2], [2, 2], [1, 0]]))


def test_graded_answers_count_from_the_lowest_that_was_given():
    frame = pd.DataFrame({"q1": [3, 4, 5, None], "q2": [0, 1, 1, 0]})
    found = responses_of_frame(frame, ResponseRequest("memory", min_responses=1, graded=True))
    assert found.responses.correct.tolist() == [0, 1, 2, 0, 1, 1, 0]


def test_a_graded_answer_that_is_no_whole_number_is_refused():
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["q", "q"], "response": ["1.5", "2"]})
    with pytest.raises(DataError, match=r"no whole number from 0 to 100, the first in row 1"):
        responses_of_frame(frame, ResponseRequest("memory", min_responses=1, graded=True))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"item_model": "3pl", "engine": "gibbs"}, "gibbs samples item_model=2pl alone"),
        ({"item_model": "1pl", "population": "free"}, "without anchors nothing fixes the scale"),
        ({"c_prior": "normal:0,1"}, "c_prior: the engines need a beta prior"),
        ({"c_prior": "beta:0.5,2"}, "at least 1"),
    ],
)
def test_what_a_model_cannot_have_is_refused(parameters, words):
    with pytest.raises(SpecError, match=words):
        make_calibration_spec(**parameters)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_ranks_of_parameters_among_draws_of_nuts_are_uniform(model):
    """Simulation-based calibration (Talts et al., 2018): 60 data sets from the priors."""
    n_draws, bins = 200, 10
    ranks: dict[str, list[int]] = {"a": [], "b": [], "theta": []}
    spec = SamplerSpec(draws=4 * n_draws, tune=300, chains=1, target_accept=0.7)
    for seed in range(60):
        responses, theta, a, b, c = drawn(model, 60, 4, 1000 + seed)
        if model == "graded":
            try:
                family_of(model, responses, item_priors(responses))
            except DataError:
                continue
        posterior = (
            calibrate_other_nuts(model, responses, None, spec).trace["posterior"].to_dataset()
        )
        thinned = posterior.isel(chain=0, draw=slice(None, None, 4))
        truth = {"a": a[0], "b": b.mean(axis=1)[0], "theta": theta[0]}
        if model == "3pl":
            truth["c"] = c[0]
        for name, value in truth.items():
            draws = thinned[name].to_numpy()[:, 0]
            ranks.setdefault(name, []).append(int((draws < value).sum()))
    for name, values in ranks.items():
        counts = np.bincount(
            np.minimum(np.array(values) * bins // n_draws, bins - 1), minlength=bins
        )
        assert stats.chisquare(counts).pvalue > 0.001, (name, counts)
