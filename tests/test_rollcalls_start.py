import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.special import expit, log_expit
from toy import toy_votes

from tallgrass.errors import DataError
from tallgrass.rollcalls import start
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix


def matrix(cells, parties):
    cells = np.array(cells)
    return VoteMatrix(
        cells,
        tuple(Legislator(f"m{i:02d}", "", party) for i, party in enumerate(parties)),
        tuple(RollCall(f"v{j:03d}") for j in range(cells.shape[1])),
        "toy",
        "house",
    )


def plain_pca(votes):
    """First component by the covariance of the roll calls, legislator by legislator."""
    rows = []
    for cells in votes.cells.astype(float):
        cast = cells[cells != 0]
        rows.append(np.where(cells == 0, cast.mean() if len(cast) else 0.0, cells))
    filled = np.array(rows)
    columns = [x for x in filled.T if np.ptp(x) > 1e-12]
    z = np.array([(x - x.mean()) / x.std() for x in columns]).T
    direction = np.linalg.eigh(z.T @ z)[1][:, -1]
    scores = z @ direction
    return (scores - scores.mean()) / scores.std()


# PCA scores.


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_the_first_principal_component(seed):
    votes = toy_votes(9, 14, 40, seed=seed, missing=0.2)
    scores, expected = start.pca_scores(votes), plain_pca(votes)
    assert np.abs(scores @ expected) / len(scores) == pytest.approx(1, abs=1e-10)
    np.testing.assert_allclose(scores, expected * np.sign(scores @ expected), atol=1e-8)


def test_scores_have_mean_zero_and_standard_deviation_one():
    scores = start.pca_scores(toy_votes(5, 8, 30))
    assert scores.mean() == pytest.approx(0, abs=1e-12)
    assert scores.std() == pytest.approx(1, abs=1e-12)


def test_republicans_are_to_the_right_whichever_way_the_votes_are_counted():
    votes = toy_votes(9, 14, 40, seed=1)
    other = matrix(-votes.cells, [member.party for member in votes.legislators])
    party = votes.party_index
    for scores in (start.pca_scores(votes), start.pca_scores(other)):
        assert scores[party == 1].mean() > scores[party == 0].mean()


def test_without_parties_the_legislator_furthest_out_is_positive():
    votes = toy_votes(9, 14, 40, seed=1)
    for sign in (1, -1):
        scores = start.pca_scores(matrix(sign * votes.cells, [""] * 23))
        assert scores[np.argmax(np.abs(scores))] > 0


def test_a_roll_call_that_all_voted_alike_on_changes_nothing():
    votes = toy_votes(9, 14, 40, seed=2, missing=0.0)
    parties = [member.party for member in votes.legislators]
    wider = matrix(np.column_stack([votes.cells, np.ones(23, int), np.zeros(23, int)]), parties)
    assert np.corrcoef(start.pca_scores(wider), start.pca_scores(votes))[0, 1] > 0.99


@pytest.mark.parametrize("n", [2, 3, 7, 30])
@pytest.mark.parametrize("row", [[1, 1, 1], [1, -1, 0], [1, 1, -1, 0], [1, 1, -1, 0, 0, 1, 1, -1]])
def test_legislators_who_all_voted_alike_cannot_be_told_apart(n, row):
    votes = matrix([row] * n, [PARTIES[i % 2] for i in range(n)])
    with pytest.raises(DataError, match="do not tell legislators apart"):
        start.pca_scores(votes)


def test_a_matrix_without_votes_cannot_tell_legislators_apart():
    with pytest.raises(DataError, match="do not tell legislators apart"):
        start.pca_scores(matrix(np.zeros((4, 5), int), [*PARTIES, *PARTIES]))


@given(seed=st.integers(0, 1000), n=st.integers(2, 12), m=st.integers(1, 12))
def test_scores_are_finite_or_an_error_says_why(seed, n, m):
    cells = np.random.default_rng(seed).integers(-1, 2, size=(n, m))
    try:
        scores = start.pca_scores(matrix(cells, [PARTIES[i % 2] for i in range(n)]))
    except DataError:
        return
    assert np.isfinite(scores).all()
    assert scores.std() == pytest.approx(1)


# The start of a run.


def test_pca_starts_at_the_scores_and_none_at_nothing():
    votes = toy_votes(5, 8, 30)
    scores = start.pca_scores(votes)
    first = start.make_start(votes, "pca")
    assert np.array_equal(first.scores, scores)
    assert np.array_equal(first.pca, scores)
    nothing = start.make_start(votes, "none")
    assert nothing.scores is None
    assert np.array_equal(nothing.pca, scores)


RUN = "run:" + "0" * 32


def test_a_run_starts_at_the_past_positions_of_the_legislators_both_have():
    votes = toy_votes(5, 8, 30, seed=3)
    pca = start.pca_scores(votes)
    past = dict(zip(votes.slugs, 0.3 + 2.0 * pca**3, strict=True))
    scores = start.make_start(votes, RUN, past).scores
    np.testing.assert_allclose(scores, start.standardised(pca**3), atol=1e-12)


def test_a_legislator_new_since_the_past_run_starts_at_the_pca_score_on_its_scale():
    votes = toy_votes(5, 8, 30, seed=3)
    pca = start.pca_scores(votes)
    past = {slug: 5.0 + 0.25 * x for slug, x in zip(votes.slugs[4:], pca[4:], strict=True)}
    np.testing.assert_allclose(start.make_start(votes, RUN, past).scores, pca, atol=1e-10)


def test_a_past_run_that_lies_the_other_way_round_is_turned():
    votes = toy_votes(5, 8, 30, seed=3)
    pca = start.pca_scores(votes)
    past = dict(zip(votes.slugs, -pca, strict=True))
    np.testing.assert_allclose(start.make_start(votes, RUN, past).scores, pca, atol=1e-10)


@pytest.mark.parametrize("common", [0, 1, 2])
def test_a_past_run_with_fewer_than_three_common_legislators_is_refused(common):
    votes = toy_votes(5, 8, 30)
    past = {slug: float(i) for i, slug in enumerate(votes.slugs[:common])}
    past |= {"someone_else": 1.0, "nobody": float("nan")}
    with pytest.raises(DataError, match=f"{common} of 13 are common"):
        start.make_start(votes, RUN, past)


# Anchors and groups.


def test_the_anchors_are_the_outermost_active_member_of_each_party():
    cells = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [-1, 1, -1, 1], [-1, -1, 0, 1], [0, 0, -1, 0]])
    votes = matrix(cells, ["Republican", "Republican", "Democrat", "Democrat", "Democrat"])
    pca = np.array([0.5, 2.0, -0.2, 0.1, -3.0])  # rows 1 and 4 are furthest out but were absent
    assert start.choose_anchors(votes, pca) == (0, 2)


def test_an_independent_is_no_anchor_where_there_are_both_parties():
    votes = matrix(np.ones((4, 3), int), ["Independent", "Democrat", "Republican", "Independent"])
    assert start.choose_anchors(votes, np.array([-9.0, -0.1, 0.1, 9.0])) == (2, 1)


def test_without_both_parties_the_anchors_are_the_outermost_of_all():
    votes = matrix(np.ones((4, 3), int), ["Republican"] * 4)
    assert start.choose_anchors(votes, np.array([0.3, -1.0, 2.0, 0.1])) == (2, 1)


@pytest.mark.parametrize(
    "parties", [["Democrat", "Republican", "Republican"], ["", "", ""]], ids=["parties", "none"]
)
def test_a_side_where_nobody_voted_enough_has_no_anchor(parties):
    cells = [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    with pytest.raises(DataError, match="anchor on each side"):
        start.choose_anchors(matrix(cells, parties), np.array([-1.0, 0.5, 1.0]))


def test_groups_are_the_parties_and_independents_join_the_nearer_one():
    votes = matrix(np.ones((4, 2), int), ["Democrat", "Independent", "Republican", "Independent"])
    groups = start.two_groups(votes, np.array([1.0, -0.4, -0.5, 0.6]))
    # Democrats at 1, Republicans at -0.5: right of the middle (0.25) is group 1 by score
    assert groups.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("n", [2, 3, 9])
def test_without_both_parties_the_groups_are_the_halves_of_the_scores(n):
    votes = matrix(np.ones((n, 2), int), [""] * n)
    pca = np.random.default_rng(n).normal(size=n)
    groups = start.two_groups(votes, pca)
    assert groups.sum() == n - n // 2
    assert pca[groups == 1].min() > pca[groups == 0].max()


@given(
    n=st.integers(2, 30),
    seed=st.integers(0, 2**32 - 1),
    gap=st.sampled_from([-2.0, -1e-3, 0.0, 1e-9, 0.5, 8.0]),
)
def test_centred_positions_have_group_means_at_minus_and_plus_one(n, seed, gap):
    generator = np.random.default_rng(seed)
    groups = (np.arange(n) % 2).astype(np.int8)
    scores = gap * groups + generator.normal(size=n)
    assume(scores.std() > 1e-6)
    v = start.centred_positions(scores, groups)
    assert v[groups == 0].mean() == pytest.approx(-1, abs=1e-9)
    assert v[groups == 1].mean() == pytest.approx(1, abs=1e-9)
    # the order within a group stays, and nobody is absurdly far out
    assert np.array_equal(np.argsort(scores[groups == 0]), np.argsort(v[groups == 0]))
    assert np.abs(v).max() <= 1 + 2 * np.abs(scores - scores.mean()).max() / scores.std() * 2


# First values of the roll calls.


def ridge_gradient(votes, v, a, b):
    """Gradient of the penalised log-likelihood for the logits at v = -1 and v = +1."""
    cells = votes.cells.astype(float)
    residual = cells * expit(-cells * (np.outer(v, b) - a))
    left, right = -b - a, b - a
    return np.stack([(1 - v) / 2 @ residual - left / 9, (1 + v) / 2 @ residual - right / 9])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [(9, 14), (30, 60), (2, 3)])
def test_first_rollcall_values_are_at_the_maximum(sizes, seed):
    votes = toy_votes(*sizes, 60, seed=seed, missing=0.2)
    groups = votes.party_index
    v = start.centred_positions(start.pca_scores(votes), groups)
    a, b = start.rollcall_logits(votes, v, positive=False)
    assert np.abs(ridge_gradient(votes, v, a, b)).max() < 1e-6


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 40), far=st.sampled_from([1.0, 3.0, 6.0]))
@settings(max_examples=40)
def test_first_rollcall_values_are_at_the_maximum_wherever_legislators_are(seed, n, far):
    generator = np.random.default_rng(seed)
    cells = generator.choice([-1, 0, 1], size=(n, 20), p=[0.5, 0.1, 0.4])
    votes = matrix(cells, [PARTIES[i % 2] for i in range(n)])
    v = far * generator.normal(size=n)
    a, b = start.rollcall_logits(votes, v, positive=False)
    assert np.isfinite([a, b]).all()
    assert np.abs(ridge_gradient(votes, v, a, b)).max() < 1e-3


@pytest.mark.parametrize("positive", [False, True])
def test_a_perfect_party_line_vote_has_finite_first_values_of_the_right_sign(positive):
    n = 60
    party = np.arange(n) % 2
    cells = np.stack([2 * party - 1, 1 - 2 * party, np.ones(n), np.zeros(n)], axis=1)
    votes = matrix(cells.astype(int), [PARTIES[g] for g in party])
    a, b = start.rollcall_logits(votes, 2.0 * party - 1, positive)
    assert np.isfinite([a, b]).all()
    assert np.abs(b).max() < 20
    assert b[0] > 2
    assert (b[1] < -2) if not positive else (b[1] == pytest.approx(0.1))
    assert a[2] < -2  # all voted yea
    if not positive:
        assert (a[3], b[3]) == pytest.approx((0, 0))


def test_positive_first_slopes_are_at_least_a_tenth_and_intercepts_refitted():
    votes = toy_votes(12, 15, 50, seed=4)
    v = start.centred_positions(start.pca_scores(votes), votes.party_index)
    a, b = start.rollcall_logits(votes, v, positive=True)
    signed = start.rollcall_logits(votes, v, positive=False)[1]
    np.testing.assert_allclose(b, np.maximum(signed, 0.1))
    cells = votes.cells.astype(float)
    for j in np.flatnonzero(signed < 0.1)[:5]:
        observed = cells[:, j] != 0
        best = optimize.minimize_scalar(
            lambda x, j=j, o=observed: x**2 / 18 - log_expit(cells[o, j] * (b[j] * v[o] - x)).sum()
        )
        assert a[j] == pytest.approx(best.x, abs=1e-4)
