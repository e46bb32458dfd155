import numpy as np
import pandas as pd
import pytest

from tallgrass.rollcalls.elpd_difference import elpd_difference, same_votes


def votes_table(n=40, seed=0, **columns):
    """Single votes of eight legislators with made-up densities."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "legislator": [f"m{i % 8}" for i in range(n)],
            "rollcall": [f"v{i // 8}" for i in range(n)],
            "vote": np.where(np.arange(n) % 3, 1, -1),
            "elpd_loo": -rng.exponential(size=n),
            "pareto_k": 0.3,
        }
    )
    return table.assign(**columns)


def test_the_difference_is_that_of_the_sums_and_its_error_that_of_the_pairs():
    one, two = votes_table(seed=1), votes_table(seed=2)
    difference = elpd_difference(one, two)
    d = one["elpd_loo"] - two["elpd_loo"]
    assert difference.difference == pytest.approx(one["elpd_loo"].sum() - two["elpd_loo"].sum())
    assert difference.se == pytest.approx(np.sqrt(40) * d.std(ddof=0))
    assert difference.n_votes == 40


def test_votes_are_paired_by_legislator_and_roll_call_in_whatever_order_they_come():
    one, two = votes_table(seed=1), votes_table(seed=2)
    shuffled = two.sample(frac=1, random_state=3, ignore_index=True)
    assert elpd_difference(one, shuffled) == elpd_difference(one, two)


def test_the_error_of_two_runs_that_agree_vote_by_vote_is_smaller_than_that_of_either_alone():
    one = votes_table(seed=1)
    two = one.assign(elpd_loo=one["elpd_loo"] - 0.1)
    difference = elpd_difference(one, two)
    assert difference.difference == pytest.approx(4.0)
    assert difference.se == pytest.approx(0.0, abs=1e-6)


def test_a_vote_counts_as_bad_when_its_k_is_high_or_undefined_in_either_run():
    one = votes_table(4, pareto_k=[0.1, 0.71, np.nan, 0.2])
    two = votes_table(4, pareto_k=[0.1, 0.1, 0.1, 0.9])
    assert elpd_difference(one, two).bad_pareto_k == pytest.approx(0.75)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.iloc[1:],
        lambda t: t.assign(rollcall="w" + t["rollcall"]),
        lambda t: t.assign(legislator=t["legislator"].replace("m1", "m9")),
        lambda t: t.assign(vote=-t["vote"]),
    ],
)
def test_different_votes_have_no_difference(change):
    table = votes_table()
    assert not same_votes(table, change(table))
    assert elpd_difference(table, change(table)) is None


def test_slugs_that_came_back_as_numbers_are_the_same_people():
    table = votes_table(8, legislator=[str(i) for i in range(8)])
    assert same_votes(table, table.assign(legislator=range(8)))


def test_a_run_without_densities_has_no_difference():
    table = votes_table()
    assert elpd_difference(table, table.assign(elpd_loo=np.nan)) is None
