from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tallgrass.rollcalls.axis import Axis, axis_check, axis_metrics, describe_axis
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

PARTIES = ("Democrat",) * 4 + ("Republican",) * 6
NAMES = pd.Series({f"m{i}": f"Name {i}" for i in range(10)})


def votes_of(positions, n_rollcalls=60, seed=0, second=None):
    """Noise-free votes of ten members on roll calls that divide them by position."""
    rng = np.random.default_rng(seed)
    cells = np.zeros((10, n_rollcalls), np.int8)
    for j in range(n_rollcalls):
        axis = positions if second is None or j % 2 else second
        order = np.sort(axis)
        cut = order[:-1] + np.diff(order) * rng.random(9)
        cells[:, j] = np.where(axis > cut[rng.integers(9)], 1, -1) * rng.choice([-1, 1])
    return VoteMatrix(
        cells,
        tuple(Legislator(f"m{i}", NAMES.iloc[i], PARTIES[i]) for i in range(10)),
        tuple(RollCall(f"v{j:03}") for j in range(n_rollcalls)),
        "made up",
        "senate",
    )


LINE = np.array([-2.0, -1.5, -1.2, -0.9, 0.4, 0.8, 1.0, 1.3, 1.7, 2.2])


def draws_of_line(n_draws=400, noise=0.0, seed=1):
    return LINE[:, None] + noise * np.random.default_rng(seed).normal(size=(10, n_draws))


def test_separation_is_the_gap_in_units_of_the_spread_within_a_party():
    axis = describe_axis(votes_of(LINE), draws_of_line())
    left, right = LINE[:4], LINE[4:]
    expected = (right.mean() - left.mean()) / np.sqrt((left.var() + right.var()) / 2)
    assert axis.party_separation == pytest.approx(expected)
    assert axis.separation_low == pytest.approx(expected)
    assert axis.other_side_share == 0
    assert axis.on_other_side == ()


def test_neither_the_direction_nor_the_unit_of_the_scale_matters():
    votes, xi = votes_of(LINE), draws_of_line(noise=0.8)
    turned = describe_axis(votes, 7 - 3 * xi)
    axis = describe_axis(votes, xi)
    assert turned.party_separation == pytest.approx(axis.party_separation)
    assert turned.other_side_share == pytest.approx(axis.other_side_share)
    assert turned.on_other_side == axis.on_other_side


def test_members_beyond_the_midpoint_are_counted_and_named():
    xi = draws_of_line()
    xi[3] = 0.3  # a Democrat to the right of the midpoint, 0.07
    axis = describe_axis(votes_of(LINE), xi)
    assert axis.on_other_side == ("m3",)
    assert axis.other_side_share == pytest.approx(0.1)


def test_a_member_held_fixed_does_not_count():
    xi, fixed = draws_of_line(), np.arange(10) == 3
    xi[3] = 3.0
    axis = describe_axis(votes_of(LINE), xi, fixed)
    free = describe_axis(votes_of(LINE), draws_of_line(), fixed)
    assert axis == free
    assert axis.on_other_side == ()


def test_the_share_on_the_other_side_is_the_mean_over_draws():
    xi = draws_of_line()
    xi[3, :100] = 0.3  # in a quarter of the draws
    axis = describe_axis(votes_of(LINE), xi)
    assert axis.other_side_share == pytest.approx(0.025)
    assert axis.on_other_side == ()


def test_the_eigenvalues_are_those_of_the_agreement_between_members():
    votes = votes_of(LINE)
    cells = votes.cells.astype(float)
    standard = (cells - cells.mean(axis=0)) / cells.std(axis=0)
    values = np.linalg.eigvalsh(standard @ standard.T)[::-1]
    axis = describe_axis(votes, draws_of_line())
    assert axis.eigenvalue_ratio == pytest.approx(values[0] / values[1])


def test_a_second_line_of_division_lowers_the_ratio_of_the_eigenvalues():
    across = LINE[np.random.default_rng(4).permutation(10)]
    one = describe_axis(votes_of(LINE), draws_of_line()).eigenvalue_ratio
    two = describe_axis(votes_of(LINE, second=across), draws_of_line()).eigenvalue_ratio
    assert two < 0.5 * one


def test_without_two_parties_only_the_votes_are_described():
    votes = votes_of(LINE)
    alone = replace(votes, legislators=tuple(replace(m, party="") for m in votes.legislators))
    axis = describe_axis(alone, draws_of_line())
    assert set(axis.metrics) == {"axis/eigenvalue_ratio"}
    assert axis_check({"senate": axis}, NAMES) is None


def test_a_joint_run_has_the_figures_of_each_chamber():
    axes = {"house": Axis(4.0, 5.0), "senate": Axis(3.0, 2.0)}
    metrics = axis_metrics(axes)
    assert metrics["axis/party_separation_house"] == 5.0
    assert metrics["axis/eigenvalue_ratio_senate"] == 3.0


@pytest.mark.parametrize("n_rollcalls", [1, 3])
def test_votes_with_one_direction_only_have_no_ratio(n_rollcalls):
    votes = votes_of(LINE, n_rollcalls)
    same = replace(votes, cells=np.repeat(votes.cells[:, :1], n_rollcalls, axis=1))
    assert "axis/eigenvalue_ratio" not in describe_axis(same, draws_of_line()).metrics


def test_parties_well_apart_on_a_strong_first_division_fit():
    check = axis_check({"house": Axis(8.2, 5.3, 4.9, 5.8, 0.01)}, NAMES)
    assert (check.name, check.status, check.words) == ("party axis", "fits", "")


def test_parties_that_overlap_question_the_axis_and_members_are_named():
    axis = Axis(2.8, 1.6, 1.5, 1.7, 0.35, ("m1", "m2", "m3", "m4", "m5"))
    check = axis_check({"senate": axis}, NAMES)
    assert check.status == "questioned"
    assert "1.6 within-party standard deviations apart (95 % interval 1.5 to 1.7)" in check.words
    assert "35 % of the members" in check.words
    assert "(Name 1, Name 2, Name 3 and 2 more)" in check.words
    assert "a model with two dimensions would tell the two apart (dims=2)" in check.words
    assert "second division" not in check.words


def test_a_second_division_more_than_half_as_strong_questions_the_axis_by_itself():
    check = axis_check({"senate": Axis(1.5, 4.3, 3.8, 5.0, 0.03)}, NAMES)
    assert check.status == "questioned"
    assert "eigenvalue of the agreement between members is 1.5 times the second" in check.words
    assert "leaves it out; a model with two dimensions would not (dims=2)" in check.words
    assert "not clearly the line" not in check.words


def test_the_chamber_of_a_joint_run_whose_axis_is_in_doubt_is_named():
    axes = {"house": Axis(8.0, 5.0, 4.0, 6.0, 0.0), "senate": Axis(1.5, 5.0, 4.0, 6.0, 0.0)}
    words = axis_check(axes, NAMES).words
    assert words.startswith("In the Senate the second division")
    assert "(dims=2, for this chamber alone)" in words


def test_the_words_are_those_of_the_groups():
    axis = Axis(1.5, 1.2, 1.0, 1.4, 0.3)
    words = axis_check({"house": axis}, NAMES, 1, ("Labour", "Conservative", "Liberal")).words
    assert "not clearly the line between Labour and Conservative" in words
    assert "(dims=2, model=flat)" in words
    assert "the parties" not in words
