import numpy as np
import pandas as pd
import pytest
from example_trace import example_trace, example_votes

from tallgrass.rollcalls.fit_checks import fit_checks
from tallgrass.rollcalls.predictive import KEPT_DRAWS, Replicates, predictive_checks
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix


def votes_of(cells: np.ndarray, parties: str) -> VoteMatrix:
    names = {"D": "Democrat", "R": "Republican", "I": "Independent"}
    members = tuple(Legislator(f"m{i:02d}", f"M {i}", names[p]) for i, p in enumerate(parties))
    rollcalls = tuple(RollCall(f"v{j:02d}") for j in range(cells.shape[1]))
    return VoteMatrix(cells.astype(np.int8), members, rollcalls, "hand", "house")


def replicated(votes: VoteMatrix, draws: list[np.ndarray]) -> Replicates:
    """Replicates that are given as whole matrices of votes, one per draw, all of them kept."""
    replicates = Replicates.empty(votes, len(draws))
    row, column = np.nonzero(votes.cells)
    for d, cells in enumerate(draws):
        replicates.kept[:, d] = cells[row, column]
        for i, j in zip(row, column, strict=True):
            replicates.legislators[i, d] += cells[i, j] > 0
            replicates.rollcalls[votes.party_index[i], j, d] += cells[i, j] > 0
    return replicates


@pytest.fixture
def random_votes() -> VoteMatrix:
    rng = np.random.default_rng(0)
    cells = rng.choice([-1, 0, 1], (6, 40), p=[0.45, 0.1, 0.45])
    return votes_of(cells, "DDRRRI")


def test_agreement_of_pairs_is_the_share_of_their_common_votes(random_votes: VoteMatrix) -> None:
    cells = random_votes.cells
    rng = np.random.default_rng(1)
    draws = [cells * rng.choice([-1, 1], cells.shape) for _ in range(30)]

    pairs = predictive_checks(random_votes, replicated(random_votes, draws)).pairs

    assert len(pairs) == 15
    for _, row in pairs.iterrows():
        i, k = (random_votes.slugs.index(row[name]) for name in ("first", "second"))
        both = (cells[i] != 0) & (cells[k] != 0)
        assert row["n_common"] == both.sum()
        assert row["observed"] == pytest.approx((cells[i] == cells[k])[both].mean())
        shares = [(d[i] == d[k])[both].mean() for d in draws]
        assert row["mean"] == pytest.approx(np.mean(shares), rel=1e-6)
        low, high = np.quantile(shares, [0.025, 0.975])
        assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-6)


def test_agreement_with_a_party_is_over_its_other_members(random_votes: VoteMatrix) -> None:
    cells, draws = random_votes.cells, [random_votes.cells]

    checks = predictive_checks(random_votes, replicated(random_votes, draws)).checks

    def agreement(i: int, others: list[int]) -> float:
        same = both = 0
        for k in others:
            common = (cells[i] != 0) & (cells[k] != 0)
            same, both = same + (cells[i] == cells[k])[common].sum(), both + common.sum()
        return float(same / both)

    def observed(check: str) -> dict[str, float]:
        part = checks[checks["check"] == check]
        return dict(zip(part["id"], part["observed"], strict=True))

    own, other = observed("own_party_agreement"), observed("other_party_agreement")
    assert own["m00"] == pytest.approx(agreement(0, [1]))
    assert own["m03"] == pytest.approx(agreement(3, [2, 4]))
    assert other["m03"] == pytest.approx(agreement(3, [0, 1]))
    assert "m05" not in own  # of neither party


def test_margins_within_a_party_are_those_of_its_members(random_votes: VoteMatrix) -> None:
    cells = random_votes.cells
    draws = [cells, -cells]

    checks = predictive_checks(random_votes, replicated(random_votes, draws)).checks

    for party, rows in (("Democrat", [0, 1]), ("Republican", [2, 3, 4])):
        part = checks[(checks["check"] == "party_margin") & (checks["party"] == party)]
        voted = (cells[rows] != 0).any(axis=0)
        np.testing.assert_allclose(part["observed"], cells[rows].sum(axis=0)[voted])
        np.testing.assert_allclose(part["mean"], 0.0, atol=1e-12)


def test_who_votes_with_neither_side_is_seen_in_the_pairs_and_the_share_of_yeas() -> None:
    votes, truth = example_votes(40, 120, seed=3)
    cells = votes.cells.copy()
    # of the members in the middle of the party, whose agreement is predicted to be high
    stranger = int(np.argmin(np.where(votes.party_index == 1, np.abs(truth["xi"] - 1.0), np.inf)))
    cells[stranger] = np.where(cells[stranger] == 0, 0, -1)  # nay to everything
    strange = VoteMatrix(cells, votes.legislators, votes.rollcalls, "example", "house")

    checks = fit_checks(example_trace(votes, truth), strange, seed=0)

    table = checks.legislators.set_index("slug")
    assert table.loc[votes.slugs[stranger], "misfit"]
    assert table.loc[votes.slugs[stranger], "pairs_outside"] > 12
    assert table.drop(votes.slugs[stranger])["misfit"].sum() <= 3
    row = table.loc[votes.slugs[stranger]]
    assert row["yea_rate_observed"] == 0 < row["yea_rate_low"]
    assert row["own_party_observed"] < row["own_party_low"]


def test_as_many_as_expected_are_outside_where_votes_are_drawn_from_the_draws_themselves() -> None:
    votes, truth = example_votes(60, 40, seed=5)
    trace = example_trace(votes, truth, chains=4, draws=200)
    posterior = trace["posterior"]
    outside, expected = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        draw = {"chain": rng.integers(4), "draw": rng.integers(200)}
        xi, alpha, beta = (posterior[n].isel(draw).to_numpy() for n in ("xi", "alpha", "beta"))
        yea = rng.random(votes.cells.shape) < 1 / (1 + np.exp(alpha - np.outer(xi, beta)))
        cells = np.where(votes.cells == 0, 0, np.where(yea, 1, -1)).astype(np.int8)
        drawn = VoteMatrix(cells, votes.legislators, votes.rollcalls, "example", "house")
        metrics = fit_checks(trace, drawn, seed=seed).metrics
        names = ("misfit_legislators", "misfit_party_margins", "misfit_pairs", "surprising_votes")
        outside.append([metrics[f"fit/{name}"] for name in names])
        expected.append([metrics[f"fit/{name}_expected"] for name in names])

    error = np.std(outside, axis=0, ddof=1) / np.sqrt(12)
    difference = np.mean(outside, axis=0) - np.mean(expected, axis=0)
    assert (np.abs(difference) < 4 * error).all(), (difference, error)
    assert 0.5 < np.mean(expected, axis=0)[0] <= 0.05 * 60


def test_a_limit_on_legislators_outside_holds_in_99_percent_of_the_replicates() -> None:
    votes, truth = example_votes(50, 40, seed=5)
    metrics = fit_checks(example_trace(votes, truth), votes, seed=0).metrics
    limit, expected = (metrics[f"fit/misfit_legislators_{n}"] for n in ("limit", "expected"))
    # Nearly independent legislators: about a Poisson number, whose 99 % quantile this is.
    assert expected + 1.5 * np.sqrt(expected) < limit < expected + 4.5 * np.sqrt(expected)


def test_votes_are_kept_of_evenly_spaced_draws_of_all_chains() -> None:
    votes, _ = example_votes(4, 5)
    for n_draws in (1, 5, 399, 400, 401, 799, 2000):
        n_kept = Replicates.empty(votes, n_draws).kept.shape[1]
        assert 0 < n_kept <= KEPT_DRAWS
        step = n_draws // n_kept
        assert n_draws - (n_kept - 1) * step <= 2 * step, "a chain at the end is left out"


def test_fewer_draws_are_kept_of_a_large_chamber_so_that_pairs_fit_into_memory() -> None:
    cells = np.ones((435, 4), np.int8)
    votes = votes_of(cells, "D" * 200 + "R" * 235)
    n_kept = Replicates.empty(votes, 2000).kept.shape[1]
    assert 100 <= n_kept < KEPT_DRAWS
    assert n_kept * 435 * 434 / 2 <= 20_000_000


def test_a_pair_with_few_common_votes_has_no_agreement() -> None:
    cells = np.ones((3, 30))
    cells[0, 15:], cells[1, :6] = 0, 0  # 9 votes in common
    votes = votes_of(cells, "DRR")
    pairs = predictive_checks(votes, replicated(votes, [cells])).pairs
    assert pairs[["first", "second", "n_common"]].to_numpy().tolist() == [
        ["m00", "m02", 15],
        ["m01", "m02", 24],
    ]


def test_legislators_without_a_vote_or_a_party_are_no_obstacle() -> None:
    cells = np.ones((3, 12))
    cells[1] = 0
    votes = votes_of(cells, "III")
    predictive = predictive_checks(votes, replicated(votes, [cells]))
    assert list(predictive.legislators["slug"]) == ["m00", "m02"]
    assert predictive.legislators["own_party_observed"].isna().all()
    assert isinstance(predictive.pairs, pd.DataFrame)
