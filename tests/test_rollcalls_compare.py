import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tallgrass.errors import DataError
from tallgrass.rollcalls.compare import compare_estimates, fixed_members


def series(values, names="abcdefghij"):
    return pd.Series(np.asarray(values, float), index=list(names[: len(values)]))


def test_r_and_spearman_equal_scipy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=10)
    y = x + rng.normal(size=10)
    comparison = compare_estimates(series(y), series(x))
    assert comparison.r == pytest.approx(stats.pearsonr(x, y).statistic)
    assert comparison.spearman == pytest.approx(stats.spearmanr(x, y).statistic)
    assert comparison.n_common == 10
    assert not comparison.sign_flip


def test_a_reflected_reference_is_a_sign_flip_with_no_difference():
    current = series([-2, -1, 0, 1.5])
    comparison = compare_estimates(current, -3 * current + 1)
    assert comparison.sign_flip
    assert comparison.r == pytest.approx(-1)
    assert comparison.abs_r == pytest.approx(1)
    assert comparison.slope == pytest.approx(-1 / 3)
    np.testing.assert_allclose(comparison.table["difference"], 0, atol=1e-12)
    assert comparison.table["rank_change"].tolist() == [0, 0, 0, 0]


def test_legislators_are_joined_by_slug_and_missing_ones_left_out():
    current = series([1, 2, 3, 4])
    reference = pd.Series([40.0, 20.0, 10.0, 7.0], index=["d", "b", "a", "z"])
    comparison = compare_estimates(current, reference)
    assert comparison.n_common == 3
    assert sorted(comparison.table["slug"]) == ["a", "b", "d"]
    by_slug = comparison.table.set_index("slug")["reference_raw"]
    assert by_slug.to_dict() == {"a": 10.0, "b": 20.0, "d": 40.0}


def test_the_reference_is_rescaled_by_least_squares():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=10), rng.normal(size=10)
    comparison = compare_estimates(series(y), series(x))
    slope, intercept = np.polyfit(x, y, 1)
    assert comparison.slope == pytest.approx(slope)
    assert comparison.intercept == pytest.approx(intercept)
    table = comparison.table.set_index("slug").loc[list("abcdefghij")]
    np.testing.assert_allclose(table["reference"], slope * x + intercept)
    np.testing.assert_allclose(table["difference"], y - slope * x - intercept)


def test_the_largest_difference_comes_first():
    comparison = compare_estimates(series([1, 2, 3, 9, 5]), series([1, 2, 3, 4, 5]))
    assert comparison.table["slug"].iloc[0] == "d"
    sizes = comparison.table["difference"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_rank_change_counts_places_towards_the_higher_end():
    comparison = compare_estimates(series([1, 2, 5, 4]), series([1, 2, 3, 4]))
    changes = comparison.table.set_index("slug")["rank_change"]
    assert changes.to_dict() == {"a": 0, "b": 0, "c": 1, "d": -1}


def test_rank_change_of_a_reflected_reference_is_counted_after_turning_it():
    comparison = compare_estimates(series([1, 2, 5, 4]), series([-1, -2, -3, -4]))
    assert comparison.sign_flip
    changes = comparison.table.set_index("slug")["rank_change"]
    assert changes.to_dict() == {"a": 0, "b": 0, "c": 1, "d": -1}


def test_two_common_legislators_are_too_few():
    with pytest.raises(DataError, match=r"too few legislators in common.*2 common of 3 and 2"):
        compare_estimates(series([1, 2, 3]), series([1, 2]))


def test_values_that_are_not_finite_do_not_count_as_common():
    comparison = compare_estimates(series([1, 2, 3, np.nan, 5]), series([1, np.inf, 3, 4, 6]))
    assert sorted(comparison.table["slug"]) == ["a", "c", "e"]


def test_estimates_without_spread_are_refused():
    with pytest.raises(DataError, match="same for everybody"):
        compare_estimates(series([1, 2, 3]), series([4, 4, 4]))


def test_a_slug_given_twice_is_refused():
    twice = pd.Series([1.0, 2.0, 3.0], index=["a", "a", "b"])
    with pytest.raises(DataError, match=r"twice for one legislator.*'a'"):
        compare_estimates(twice, series([1, 2, 3]))


@given(
    st.lists(st.integers(-1000, 1000), min_size=3, max_size=10, unique=True),
    st.floats(0.01, 100),
    st.floats(-10, 10),
)
def test_a_linear_map_of_the_estimates_correlates_perfectly(values, factor, shift):
    current = series(values)
    comparison = compare_estimates(current, factor * current + shift)
    assert comparison.abs_r == pytest.approx(1)
    assert comparison.abs_r <= 1
    assert comparison.spearman == pytest.approx(1)


def two_parties(order=1, apart=5.0, n=8, seed=3):
    """Estimates and a reference in which the second party's members have order ``order``."""
    rng = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(2 * n)]
    inside = rng.normal(size=n)
    reference = np.concatenate([inside - apart, rng.permutation(inside) + apart])
    current = reference.copy()
    current[n:] = apart + order * (reference[n:] - apart)
    parties = pd.Series(["Democrat"] * n + ["Republican"] * n, names)
    return pd.Series(current, names), pd.Series(reference, names), parties


def test_two_parties_far_apart_hide_an_order_that_is_reversed_inside_one_of_them():
    comparison = compare_estimates(*two_parties(order=-1))
    assert comparison.abs_r > 0.9
    assert comparison.within["Democrat"].r == pytest.approx(1)
    assert comparison.within["Republican"].r == pytest.approx(-1)
    assert comparison.within["Republican"].spearman == pytest.approx(-1)
    assert comparison.least_r_within == pytest.approx(-1)


def test_agreement_within_a_party_is_that_of_scipy_over_its_members():
    rng = np.random.default_rng(5)
    current, reference, parties = two_parties()
    current = current + rng.normal(size=len(current))
    comparison = compare_estimates(current, reference, parties)
    for party, agreement in comparison.within.items():
        of = parties.index[parties == party]
        assert agreement.r == pytest.approx(stats.pearsonr(current[of], reference[of])[0])
        assert agreement.spearman == pytest.approx(stats.spearmanr(current[of], reference[of])[0])
        assert agreement.n == len(of)


def test_agreement_within_a_party_does_not_depend_on_the_direction_of_a_scale():
    current, reference, parties = two_parties(order=-1)
    turned = compare_estimates(current, -3 * reference, parties)
    assert turned.sign_flip
    assert turned.within["Democrat"].r == pytest.approx(1)
    assert turned.within["Republican"].r == pytest.approx(-1)


def test_members_without_a_party_and_parties_of_two_have_no_agreement_within():
    names = list("abcdefgh")
    values = pd.Series(np.arange(8.0), names)
    parties = pd.Series(["", "", "", "Green", "Green", "Blue", "Blue", "Blue"], names)
    assert set(compare_estimates(values, values, parties).within) == {"Blue"}


def test_who_moved_most_is_given_with_both_ranks():
    reference = series([1, 2, 3, 4, 5, 6])
    current = series([7, 2, 3, 4, 5, 6])
    assert compare_estimates(current, reference).moved_most == ("a", 6, 1)


def test_people_held_fixed_count_neither_for_r_nor_for_ranks():
    rng = np.random.default_rng(7)
    current = series(rng.normal(size=10))
    reference = current + 0.1 * series(rng.normal(size=10))
    reference["a"], reference["b"] = 9.0, -9.0  # pinned far from where the votes put them
    comparison = compare_estimates(current, reference, fixed={"a", "b"})
    free = list("cdefghij")
    assert comparison.r == pytest.approx(stats.pearsonr(current[free], reference[free])[0])
    assert comparison.spearman == pytest.approx(stats.spearmanr(current[free], reference[free])[0])
    slope, intercept = np.polyfit(reference[free], current[free], 1)
    assert (comparison.slope, comparison.intercept) == pytest.approx((slope, intercept))
    assert (comparison.n_compared, comparison.n_common) == (8, 10)
    with_them = abs(stats.pearsonr(current, reference)[0])
    assert comparison.abs_r_with_fixed == pytest.approx(with_them)
    table = comparison.table.set_index("slug")
    assert sorted(table.index) == sorted(current.index)
    assert set(table.index[table["fixed"]]) == {"a", "b"}
    assert sorted(table["rank_current"].dropna()) == list(range(1, 9))
    assert table.loc[["a", "b"], "rank_change"].isna().all()
    assert comparison.moved_most.slug in free


def test_people_held_fixed_count_where_too_few_others_are_common():
    comparison = compare_estimates(series([1, 2, 3, 5]), series([1, 2, 4, 5]), fixed={"a", "d"})
    assert comparison.n_compared == 4


def test_the_members_that_a_run_holds_fixed_are_its_anchors():
    table = pd.DataFrame({"slug": ["a", "b", "c"], "anchor": [0, 1, -1]})
    assert fixed_members(table) == {"b", "c"}
    assert fixed_members(table[["slug"]]) == set()  # a run of an earlier version
