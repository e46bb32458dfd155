"""DIF by group: false alarms, power, purification, Mantel-Haenszel, and a whole run with it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_store import default_store
from item_data import table
from scipy import sparse, stats
from scipy.special import expit

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.items.dif import _group, dif_table, groups_of
from tallgrass.items.drift import with_information
from tallgrass.items.engines import calibrate_map
from tallgrass.items.engines.quadrature import log_probabilities
from tallgrass.items.mantel_haenszel import mantel_haenszel, severity
from tallgrass.items.population_summary import PopulationSummary
from tallgrass.items.specs import make_calibration_spec
from tallgrass.settings import Settings


def two_groups(seed, n=500, n_items=20, shift=0.0, n_shifted=0, apart=0.5):
    """Answers of two groups, the second less able; the first items are harder for it."""
    generator = np.random.default_rng(seed)
    a, b = np.exp(0.2 * generator.normal(size=n_items)), generator.normal(size=n_items)
    theta = np.concatenate([generator.normal(size=n), generator.normal(size=n) - apart])
    focal = np.arange(2 * n) >= n
    harder = np.where(focal[:, None] & (np.arange(n_items) < n_shifted), shift, 0.0)
    right = generator.random((2 * n, n_items)) < expit(a * (theta[:, None] - b - harder))
    return right.astype(int), pd.Series(np.where(focal, "second", "first"))


def compared(right, group):
    responses = table(right)
    mode = calibrate_map(responses)
    items = pd.DataFrame({"item": mode.items, "a": mode.a, "b": mode.b})
    return dif_table(responses, items, group, "sex").set_index("item").sort_index()


def test_items_alike_in_two_groups_of_unlike_ability_are_accused_as_often_as_stated():
    """160 items at 5 %: within what a binomial allows at 1 in 1000."""
    tables = [compared(*two_groups(seed, apart=1.2)) for seed in range(8)]
    hits = sum(int((found["p"] < 0.05).sum()) for found in tables)
    assert stats.binomtest(hits, 160, 0.05).pvalue > 0.001
    z = np.concatenate([found["b_difference"] / found["b_difference_sd"] for found in tables])
    assert abs(z.mean()) < 4 / np.sqrt(160)


def test_mean_and_spread_of_a_group_are_estimated_without_shrinking():
    """10 items answered by 2000 users of N(-1, 1): within four standard errors."""
    generator = np.random.default_rng(9)
    b = np.linspace(-2, 1, 10)
    right = generator.random((2000, 10)) < expit(generator.normal(-1, 1, (2000, 1)) - b)
    answers = np.empty((2000, 20))
    answers[:, 0::2], answers[:, 1::2] = ~right, right
    table = log_probabilities(np.ones(10), -b, np.linspace(-6, 6, 81))
    found = _group(sparse.csr_matrix(answers), table, np.ones(10, bool), np.arange(2000))
    assert found.mean == pytest.approx(-1, abs=4 * found.mean_se)
    assert found.mean_se == pytest.approx(1 / np.sqrt(2000 * 0.65), rel=0.15)


def test_items_that_are_harder_for_a_group_are_found_by_the_right_amount_and_left_out():
    found = compared(*two_groups(101, n=900, shift=0.8, n_shifted=4))
    moved, others = found.iloc[:4], found.iloc[4:]
    assert (moved["p"] < 0.01).all()
    assert not moved["matching"].any()
    assert moved["b_difference"].mean() == pytest.approx(
        0.8, abs=3 * moved["b_difference_sd"].mean() / 2
    )
    well_known = moved[moved["b_difference_sd"] < 0.2]  # an easy item tells little of its b
    assert len(well_known) == 3
    assert (well_known["p_b"] > 0.8).all()
    assert set(well_known["severity"]) <= {"B", "C"}
    assert (moved["mh_delta"] < -0.8).all()
    # Four of twenty items pull the groups apart; once they are left out the others are as before.
    assert abs((others["b_difference"] / others["b_difference_sd"]).mean()) < 1
    assert (others["p"] < 0.05).mean() < 0.25


def test_incomplete_answers_are_matched_by_ability():
    right, group = two_groups(7, n=1500, shift=1.0, n_shifted=1)
    responses = table(right)
    chosen = np.random.default_rng(1).random(len(responses)) < 0.5
    part = type(responses)(
        responses.users, responses.items, responses.user[chosen], responses.item[chosen],
        responses.correct[chosen],
    )  # fmt: skip
    mode = calibrate_map(part)
    items = pd.DataFrame({"item": mode.items, "a": mode.a, "b": mode.b})
    found = dif_table(part, items, group, "sex").set_index("item")
    assert found.index[0] == "i000"
    assert found.loc["i000", "mh_delta"] == pytest.approx(found.loc["i000", "delta"], abs=1.0)


def test_mantel_and_haenszel_is_the_odds_ratio_over_strata():
    """Against a table worked by hand: odds ratios of 6 and 4 in two strata."""
    cells = {0: (30, 10, 10, 20), 1: (40, 10, 20, 20)}  # right, wrong of reference; then of focal
    delta, se = mantel_haenszel(*answers_of(list(cells.values())))
    ratio = (30 * 20 / 70 + 40 * 20 / 90) / (10 * 10 / 70 + 10 * 20 / 90)
    assert delta == pytest.approx(-2.35 * np.log(ratio))
    # Robins, Breslow and Greenland; Woolf's variance of two equal strata is near it.
    woolf = 1 / sum(1 / sum(1 / c for c in counts) for counts in cells.values())
    assert se == pytest.approx(2.35 * np.sqrt(woolf), rel=0.05)


@pytest.mark.parametrize(
    ("cells", "ratio", "low", "high"),
    [
        (  # smoking and lung cancer in eight cities (Liu, 1992; Agresti, 2002, table 6.9)
            [
                (126, 100, 35, 61), (908, 688, 497, 807), (913, 747, 336, 598),
                (235, 172, 58, 121), (402, 308, 121, 215), (182, 156, 72, 98), (60, 99, 11, 43),
                (104, 89, 21, 36),
            ],
            2.174482, 1.984002, 2.383249,
        ),
        (  # admissions to Berkeley by department (Bickel and others, 1975)
            [
                (512, 313, 89, 19), (353, 207, 17, 8), (120, 205, 202, 391),
                (138, 279, 131, 244), (53, 138, 94, 299), (22, 351, 24, 317),
            ],
            0.9046968, 0.7719074, 1.0603298,
        ),
    ],
)  # fmt: skip
def test_odds_ratios_and_intervals_are_those_that_mantelhaen_test_of_r_prints(
    cells, ratio, low, high
):
    right, focal, stratum = answers_of(cells)
    delta, se = mantel_haenszel(right, focal, stratum)
    width = stats.norm.ppf(0.975) * se
    found = np.exp(-np.array([delta, delta + width, delta - width]) / 2.35)
    assert found == pytest.approx([ratio, low, high], rel=1e-6)


def answers_of(cells):
    """Right, group and stratum of every person; cells: right, wrong of reference, then of focal."""
    counts = np.array(cells).ravel()
    kinds = np.array([(1, 0), (0, 0), (1, 1), (0, 1)] * len(cells))
    right, focal = np.repeat(kinds, counts, axis=0).T
    return right.astype(float), focal.astype(bool), np.repeat(np.arange(len(counts)) // 4, counts)


def test_mantel_and_haenszel_calls_items_without_dif_at_the_nominal_rate():
    """300 items of 15 data sets, groups half a standard deviation apart, purification as it is.

    In a set of 20 items a fifth may be called by chance: their deviates hang together by the
    number right. Over sets the rate is 5 %.
    """
    tables = [compared(*two_groups(seed)) for seed in range(40, 55)]
    z = np.concatenate([found["mh_delta"] / found["mh_delta_se"] for found in tables])
    hits = int((np.abs(z) > stats.norm.ppf(0.975)).sum())
    assert stats.binomtest(hits, len(z), 0.05).pvalue > 0.01
    assert 0.9 < z.std() < 1.1
    assert stats.binomtest(60, 300, 0.05).pvalue < 1e-9  # a rate of 20 % would be seen


@pytest.mark.parametrize(
    ("delta", "se", "expected"),
    [(0.9, 0.1, "A"), (1.4, 0.8, "A"), (1.2, 0.2, "B"), (-1.6, 0.5, "B"), (-1.9, 0.3, "C")],
)
def test_severities_are_those_of_ets(delta, se, expected):
    assert severity(delta, se) == expected


def test_the_reference_is_the_largest_group_and_small_groups_are_left_out():
    assert groups_of(pd.Series(["a"] * 40 + ["b"] * 50 + ["c"] * 5), "x") == ["b", "a"]


def test_an_anchor_that_lost_a_fifth_of_its_information_is_weaker():
    drift = pd.DataFrame({"a_before": [1.0, 1.0], "a": [0.85, 0.95], "b_before": 0.0, "b": 0.0})
    found = with_information(drift, PopulationSummary(), 0.2)
    assert found["weaker"].tolist() == [True, False]
    theta = np.linspace(-8, 8, 4001)
    weight = np.exp(-0.5 * theta**2)
    p = expit(0.85 * theta)
    expected = (0.85**2 * p * (1 - p) * weight).sum() / weight.sum()
    assert found["information"].iloc[0] == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        right, group = two_groups(3, n=300, n_items=8, shift=1.2, n_shifted=1)
        frame = pd.DataFrame(right, columns=[f"q{j}" for j in range(8)])
        frame.assign(user=[f"u{k}" for k in range(600)], sex=group).to_csv("a.csv", index=False)
        yield folder


@pytest.mark.slow
def test_a_run_with_dif_stores_its_table_and_shows_it(folder):
    spec = make_calibration_spec(
        responses="a.csv", dif="sex", engine="map", min_responses=1, fit_checks=False
    )
    result = tg.calibrate(spec, Settings(progress="none"))
    assert result.analysis.dif["item"].iloc[0] == "q0"
    assert result.metrics["dif/n_c"] >= 1
    assert result.metrics["dif/n_a"] + result.metrics["dif/n_b"] + result.metrics["dif/n_c"] == 8
    page = Path(result.report_path.removeprefix("file://")).read_text("utf-8")
    assert "Groups compared item by item" in page
    assert "differ much between groups: q0 (second)" in page


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--dif", "gender"], "responses without the covariate gender"),
        (
            ["--dif", "sex", "--item-model", "3pl", "--engine", "map"],
            "compared by item_model=1pl or",
        ),
        (["--dif", "q0", "--covariates", "sex"], "2 to 10 groups of at least 30 users"),
    ],
)
def test_a_comparison_of_groups_that_cannot_be_is_refused_before_a_run(
    folder, capsys, flags, words
):
    frame = pd.read_csv("a.csv")
    if "q0" in flags:
        frame["q0"] = frame.index  # a number for each user is no group
        frame.to_csv("b.csv", index=False)
    source = "b.csv" if "q0" in flags else "a.csv"
    assert main(["calibrate", "--responses", source, "--min-responses", "1", *flags]) == 2
    assert words in capsys.readouterr().err
