import numpy as np
import pandas as pd
import pytest
import xarray as xr
from toy import USUAL

from tallgrass.errors import SpecError
from tallgrass.inference.kernel import dense as kernel
from tallgrass.inference.spec import SamplerSpec
from tallgrass.lab.sbc import (
    LEVEL,
    Calibration,
    check_calibration,
    highest_rhat,
    uniformity_table,
)
from tallgrass.lab.sbc.truth import (
    ABSENCE,
    LEAST_GAP,
    Design,
    draw_parameters,
    draw_votes,
    log_likelihood,
)
from tallgrass.lab.sbc.uniformity import GRID, band, p_value, tail_probability
from tallgrass.rollcalls.spec import ModelSpec

FLAT, HIERARCHICAL = ModelSpec(model="flat"), ModelSpec(model="hierarchical")
QUICK = SamplerSpec(draws=150, tune=200, chains=2)
SIZE = (USUAL[0] + USUAL[1], USUAL[2])


@pytest.mark.parametrize("n", [20, 100])
def test_p_values_of_uniform_numbers_are_what_a_simulation_counts(n: int) -> None:
    generator = np.random.default_rng(n)
    tails = np.array([tail_probability(generator.random(n)) for _ in range(4000)])

    for tail in np.quantile(tails, [0.01, 0.1, 0.5]):
        counted = np.mean(tails <= tail * (1 + 1e-9))
        error = np.sqrt(counted * (1 - counted) / len(tails))
        assert p_value(float(tail), n) == pytest.approx(counted, abs=4 * error)


@pytest.mark.parametrize("n", [7, 40])
def test_a_p_value_is_at_most_the_level_exactly_where_the_band_is_left(n: int) -> None:
    generator = np.random.default_rng(n)
    low, high = band(n, 0.05)

    outcomes = set()
    for _ in range(60):
        fractions = generator.beta(*generator.uniform(0.3, 3, 2), n)
        share = np.array([np.mean(fractions <= point) for point in GRID])
        left = bool(((share < low - 1e-12) | (share > high + 1e-12)).any())
        assert left == (p_value(tail_probability(fractions), n) <= 0.05)
        outcomes.add(left)
    assert outcomes == {True, False}


@pytest.mark.parametrize("shape", [(1, 1.7), (0.6, 0.6), (1.7, 1.7)])
def test_ranks_that_lean_or_bulge_are_rejected_with_200_simulations(
    shape: tuple[float, float],
) -> None:
    fractions = np.random.default_rng(0).beta(*shape, 200)

    assert p_value(tail_probability(fractions), 200) < LEVEL


def test_the_table_names_the_least_uniform_parameter_and_corrects_for_all_of_them() -> None:
    generator = np.random.default_rng(3)
    ranks = pd.DataFrame(
        [
            {"variable": variable, "name": name, "simulation": i, "fraction": generator.random()}
            for variable, names in {"xi": "abc", "alpha": "defg"}.items()
            for name in names
            for i in range(50)
        ]
    )
    bad = (ranks["variable"] == "alpha") & (ranks["name"] == "f")
    ranks.loc[bad, "fraction"] **= 4

    table = uniformity_table(ranks).set_index("variable")

    assert list(table["parameters"]) == [3, 4]
    assert list(table["passed"]) == [True, False]
    assert table.loc["alpha", "worst"] == "f"
    # seven parameters, and bias and spread of two variables
    assert table.loc["alpha", "p_corrected"] == pytest.approx(11 * table.loc["alpha", "p_worst"])


@pytest.mark.parametrize(("shape", "column"), [((1.1, 1), "p_bias"), ((1.15, 1.15), "p_spread")])
def test_a_small_fault_that_all_parameters_share_is_seen(
    shape: tuple[float, float], column: str
) -> None:
    generator = np.random.default_rng(0)
    ranks = pd.DataFrame(
        [
            {"variable": "alpha", "name": str(j), "simulation": i, "fraction": fraction}
            for i in range(200)
            for j, fraction in enumerate(generator.beta(*shape, 50))
        ]
    )

    (row,) = uniformity_table(ranks).to_dict("records")

    assert not row["passed"]
    assert row[column] < 1e-6
    assert row["p_worst"] > 1e-4


def test_parameters_have_the_moments_of_their_priors() -> None:
    design = Design(False, 20, 400)
    spec = ModelSpec(model="flat", beta_prior="lognormal:0.5,0.3", alpha_prior="normal:1,2")
    generator = np.random.default_rng(0)
    drawn = [draw_parameters(spec, design, generator) for _ in range(50)]

    log_beta = np.log([one["beta"] for one in drawn])
    assert (log_beta.mean(), log_beta.std()) == pytest.approx((0.5, 0.3), abs=0.01)
    alpha = np.array([one["alpha"] for one in drawn])
    assert (alpha.mean(), alpha.std()) == pytest.approx((1, 2), abs=0.05)
    xi = np.array([one["xi"] for one in drawn])
    assert (xi[:, 19] == 1).all()
    assert (xi[:, 0] == -1).all()
    assert (xi[:, 1:19].mean(), xi[:, 1:19].std()) == pytest.approx((0, 1), abs=0.1)


def test_parties_stand_apart_in_order_and_about_their_means() -> None:
    design = Design(True, 60, 1)
    generator = np.random.default_rng(0)
    drawn = [draw_parameters(HIERARCHICAL, design, generator) for _ in range(2000)]

    mu = np.array([one["mu_party"] for one in drawn])
    sigma = np.array([one["sigma_within"] for one in drawn])
    xi = np.array([one["xi"] for one in drawn])
    standardised = (xi - mu[:, design.party]) / sigma[:, design.party]
    assert design.separated(xi).all()
    assert (np.diff(mu) > 0).mean() > 0.99
    gap = xi[:, 30:].mean(axis=1) - xi[:, :30].mean(axis=1)
    assert gap.min() >= LEAST_GAP
    assert (standardised.mean(), standardised.std()) == pytest.approx((0, 1), abs=0.02)
    assert np.sqrt(np.mean(sigma**2)) == pytest.approx(1, abs=0.05)  # HalfNormal(1), 30 members


def test_small_parties_have_half_the_spread() -> None:
    design = Design(True, 10, 1)
    generator = np.random.default_rng(0)
    sigma = [draw_parameters(HIERARCHICAL, design, generator)["sigma_within"] for _ in range(2000)]

    assert np.sqrt(np.mean(np.square(sigma))) == pytest.approx(0.5, abs=0.03)


def test_a_prior_that_never_sets_the_parties_apart_is_refused() -> None:
    spec = ModelSpec(mu_prior="normal:0,0.01", sigma_prior="halfnormal:0.01")

    with pytest.raises(SpecError, match="wider mu_prior"):
        draw_parameters(spec, Design(True, 10, 5), np.random.default_rng(0))


def test_votes_follow_the_probabilities_of_their_parameters() -> None:
    design = Design(True, 40, 2000)
    xi = np.linspace(-2, 2, 40)
    alpha, beta = np.full(2000, 0.3), np.full(2000, 0.9)
    parameters = {"xi": xi, "alpha": alpha, "beta": beta}

    votes = draw_votes(parameters, design, np.random.default_rng(0))

    yea = (votes.cells == 1).sum(axis=1) / np.count_nonzero(votes.cells, axis=1)
    np.testing.assert_allclose(yea, 1 / (1 + np.exp(0.3 - 0.9 * xi)), atol=4 * 0.5 / np.sqrt(1900))
    assert np.mean(votes.cells == 0) == pytest.approx(ABSENCE, abs=0.005)
    assert votes.party_index.tolist() == design.party.tolist()


def test_the_ranked_log_likelihood_is_that_of_the_kernel() -> None:
    design = Design(False, 9, 30)
    generator = np.random.default_rng(0)
    drawn = [draw_parameters(FLAT, design, generator) for _ in range(3)]
    votes = draw_votes(drawn[0], design, generator)

    values = log_likelihood(
        votes.cells, *(np.array([one[name] for one in drawn]) for name in ("xi", "alpha", "beta"))
    )

    expected = [kernel.reference(votes.cells, o["xi"], o["alpha"], o["beta"])[0] for o in drawn]
    np.testing.assert_allclose(values, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((19, FLAT), "too few simulations"),
        ((20, FLAT, 7), "too few legislators"),
        ((20, FLAT, 8, 9), "too few rollcalls"),
        ((20, FLAT, 8, 10, 1, HIERARCHICAL), "another model"),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        check_calibration(*arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def quick() -> Calibration:
    return check_calibration(20, FLAT, *SIZE, seed=1, sampler=QUICK)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks of fewer simulations than a verdict needs."""
    monkeypatch.setattr("tallgrass.lab.sbc.LEAST_SIMULATIONS", 2)


def test_a_quick_check_ranks_every_free_parameter_once_a_simulation(quick: Calibration) -> None:
    counts = quick.ranks.groupby("variable")["name"].nunique().to_dict()

    assert counts == {"xi": 13, "alpha": 30, "beta": 30, "log_likelihood": 1}
    assert len(quick.ranks) == 20 * 74
    assert (quick.ranks["draws"] == 100).all()  # every third of 300
    assert quick.ranks["fraction"].between(0, 1, inclusive="neither").all()
    assert ((quick.ranks["fraction"] * 101).astype(int) == quick.ranks["rank"]).all()


def test_a_quick_check_of_the_right_model_is_calibrated(quick: Calibration) -> None:
    assert quick.calibrated, quick.table
    assert quick.table["parameters"].sum() == 74
    assert quick.n == 20


def test_the_band_is_that_of_the_level_corrected_for_all_parameters(quick: Calibration) -> None:
    grid, low, high = quick.band()

    expected = band(20, LEVEL / (74 + 2 * 4))
    assert (grid == GRID).all()
    assert (low == expected[0]).all()
    assert (high == expected[1]).all()


@pytest.mark.usefixtures("few_are_enough")
def test_equal_seeds_give_equal_ranks_however_many_follow_and_progress_is_told(
    quick: Calibration,
) -> None:
    told: list[int] = []

    again = check_calibration(3, FLAT, *SIZE, seed=1, sampler=QUICK, observer=told.append)
    other = check_calibration(2, FLAT, *SIZE, seed=2, sampler=QUICK)

    assert again.ranks.equals(quick.ranks[quick.ranks["simulation"] < 3])
    assert told == [1, 2, 3]
    assert not other.ranks["rank"].equals(quick.ranks["rank"].head(len(other.ranks)))


def test_parameters_drawn_from_another_prior_than_the_fitted_one_are_caught() -> None:
    wide = ModelSpec(model="flat", alpha_prior="normal:0,12")

    result = check_calibration(20, FLAT, *SIZE, seed=1, truth=wide, sampler=QUICK)

    table = result.table.set_index("variable")
    assert not result.calibrated
    assert not table.loc["alpha", "passed"]


@pytest.mark.usefixtures("few_are_enough")
@pytest.mark.slow
def test_a_check_of_the_hierarchical_model_ranks_the_party_level_too() -> None:
    result = check_calibration(2, HIERARCHICAL, *SIZE, seed=1, sampler=QUICK)

    counts = result.ranks.groupby("variable")["name"].nunique().to_dict()
    assert counts == {
        "xi": 15, "alpha": 30, "beta": 30, "mu_party": 2, "sigma_within": 2, "log_likelihood": 1
    }  # fmt: skip
    assert result.ranks["draws"].between(1, 100).all()  # those that keep the parties apart


@pytest.mark.slow
@pytest.mark.parametrize("spec", [FLAT, HIERARCHICAL], ids=lambda spec: spec.model)
def test_200_simulated_legislatures_are_calibrated(spec: ModelSpec) -> None:
    # Of a simulation 100 draws are ranked: of 500 as well as of the usual 2,000, at half the cost.
    result = check_calibration(200, spec, sampler=SamplerSpec(draws=250, tune=500, chains=2))

    assert result.calibrated, result.table.to_string()


def test_a_chain_that_never_moved_counts_as_one_that_mixes_slowly() -> None:
    draws = {"xi": (("chain", "draw", "legislator"), np.ones((1, 50, 3)))}
    still = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    assert highest_rhat(still) == np.inf
