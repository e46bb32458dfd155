"""A cohort that is abler than the one whose anchors hold the scale."""

import numpy as np
import pytest
from item_data import cohort

from tallgrass.errors import SpecError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines import (
    calibrate_gibbs,
    calibrate_linked,
    calibrate_map,
    calibrate_mml,
    calibrate_nuts,
)
from tallgrass.items.priors import PriorChoice
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import make_calibration_spec
from tallgrass.lab.sbc.item_ranks import rank_truth

FREE = PriorChoice(free=True)
N_ANCHORS = 10


@pytest.fixture(scope="module")
def abler():
    """1,500 users half a standard deviation abler than the anchors' cohort."""
    return cohort(n_anchors=N_ANCHORS)


def bias(b, data):
    """Mean error of the items that are no anchors; its standard error is about 0.02."""
    return float((b - data.b)[N_ANCHORS:].mean())


def test_abilities_held_at_the_standard_move_every_other_item(abler):
    assert bias(calibrate_map(abler.responses, abler.anchors).b, abler) < -0.2


@pytest.mark.parametrize("engine", ["map", "linked", "fixed"])
def test_point_estimates_find_the_population_and_leave_items_where_they_are(abler, engine):
    responses, anchors = abler.responses, abler.anchors
    found = {
        "map": lambda: calibrate_map(responses, anchors, choice=FREE),
        "linked": lambda: calibrate_linked(responses, anchors),
        "fixed": lambda: calibrate_mml(responses, fixed=anchors),
    }[engine]()
    mean, sd, mean_se, sd_se = found.population
    assert abs(bias(found.b, abler)) < 0.06
    # Of 3 standard errors: a right engine fails 1 in 200 seeds, and 0.5 is 15 of them away.
    assert abs(mean - 0.5) < 3 * mean_se < 0.15
    assert abs(sd - 1.0) < 3 * sd_se < 0.15
    np.testing.assert_allclose(found.theta.mean(), mean, atol=0.02)


@pytest.mark.parametrize("engine", ["gibbs", "nuts"])
def test_draws_of_the_population_agree_with_its_mode(abler, engine):
    draw = {"gibbs": calibrate_gibbs, "nuts": calibrate_nuts}[engine]
    spec = SamplerSpec(draws=500, tune=300, chains=2, seed=3, target_accept=0.5)
    more = {"most_draws": 500} if engine == "gibbs" else {}
    posterior = draw(abler.responses, abler.anchors, spec, choice=FREE, **more).trace["posterior"]
    mode = calibrate_map(abler.responses, abler.anchors, choice=FREE).population
    # The least ESS of these is above 100: a tenth of the posterior's standard deviation.
    for name, centre, se in (("mean", mode.mean, mode.mean_se), ("sd", mode.sd, mode.sd_se)):
        draws = posterior[f"population_{name}"].to_numpy()
        assert abs(draws.mean() - centre) < 0.8 * se
        assert draws.std() == pytest.approx(se, rel=0.3)
    assert abs(bias(posterior["b"].mean(("chain", "draw")).to_numpy(), abler)) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["gibbs", "nuts"])
def test_the_truth_of_a_free_population_ranks_as_one_of_the_draws(engine):
    ranks = rank_truth(engine, 60, seed=5, free=True)
    assert {"population_mean", "population_sd"} < set(ranks.names)
    assert ranks.least_p > 0.005


@pytest.mark.slow
def test_the_standard_errors_of_the_population_are_those_of_repeated_cohorts():
    deviates = []
    for seed in range(60):
        data = cohort(600, 20, 6, mean=0.5, sd=1.2, seed=seed)
        for found in (
            calibrate_linked(data.responses, data.anchors),
            calibrate_mml(data.responses, fixed=data.anchors),
        ):
            mean, sd, mean_se, sd_se = found.population
            deviates.append([(mean - 0.5) / mean_se, (sd - 1.2) / sd_se])
    spread = np.std(deviates, axis=0)
    # 60 cohorts: the standard deviation of a right deviate has a standard error of 0.09.
    assert (spread > 0.7).all()
    assert (spread < 1.3).all()
    assert (np.abs(np.mean(deviates, axis=0)) < 0.5).all()


def test_a_link_without_noise_recovers_scale_and_shift():
    data = cohort(300, 8, 5)
    found = calibrate_mml(data.responses)
    from tallgrass.items.engines.linked import linked
    from tallgrass.items.responses import Anchors

    # The anchors are the estimates themselves on a scale of 1.3 theta + 0.4.
    before = Anchors(data.anchors.items, found.a[:5] / 1.3, 1.3 * found.b[:5] + 0.4)
    link = linked(found, before).link
    assert link.a == pytest.approx(1.3, abs=1e-6)
    assert link.b == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({}, False),
        ({"anchors": "x.csv"}, True),
        ({"anchors": "x", "population": "standard"}, False),
    ],
)
def test_a_population_is_free_where_anchors_hold_the_scale(changes, free):
    assert CalibrationSpec(**changes).free is free


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"population": "free"}, "name the anchors"),
        (
            {"publish": True, "anchors": "x", "population": "standard", "responses": "sqlite:///x"},
            "population=free",
        ),
        ({"a_prior": "normal:0,1"}, "lognormal:0,0.5"),
        ({"b_prior": "lognormal:0,1"}, "normal:0,0.5"),
    ],
)
def test_what_would_mislead_is_refused(changes, words):
    with pytest.raises(SpecError, match=words):
        make_calibration_spec(**changes)
