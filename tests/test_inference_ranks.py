"""R-hat and ESS equal ArviZ's."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from tallgrass.inference import ranks
from tallgrass.inference.ranks import bulk_ess_per_chain, converged, rank_diagnostics, relative_ess


def chains(n_chains, n_draws, n_entries=12, correlation=0.0, seed=0):
    x = np.random.default_rng(seed).normal(size=(n_chains, n_draws, n_entries))
    for t in range(1, n_draws):
        x[:, t] = correlation * x[:, t - 1] + np.sqrt(1 - correlation**2) * x[:, t]
    return x


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.5, 0.97])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shape", [(4, 1000), (4, 501), (2, 100), (3, 5), (4, 4), (1, 57)])
def test_they_equal_arviz_to_1e_8(shape, ties, correlation):
    draws = chains(*shape, correlation=correlation)
    if ties:
        draws = np.round(draws, 1)
    found, rows = rank_diagnostics(draws), np.moveaxis(draws, -1, 0)
    rhat = array_stats.rhat(rows) if shape[0] > 1 else np.full(12, np.nan)
    np.testing.assert_allclose(found.rhat, rhat, rtol=1e-8)
    np.testing.assert_allclose(found.ess_bulk, array_stats.ess(rows, method="bulk"), rtol=1e-8)
    tail = array_stats.ess(rows, method="tail", prob=(0.05, 0.95))
    np.testing.assert_allclose(found.ess_tail, tail, rtol=1e-8)


def test_numba_compiles_them_once_however_many_entries_there_are():
    single = chains(4, 100, 1)
    single.setflags(write=False)
    for draws in (single, chains(4, 101, 3), chains(2, 100, 300).astype(np.float32)):
        rank_diagnostics(draws)
    assert len(ranks._entries.signatures) == 1


def test_the_relative_size_for_the_mean_is_that_of_arviz():
    rows = np.random.default_rng(4).normal(size=(5, 4, 101)).cumsum(axis=2)
    expected = array_stats.ess(rows, method="mean", relative=True)
    np.testing.assert_allclose(relative_ess(rows), expected, rtol=1e-8)


def test_single_precision_draws_give_what_arviz_gives_for_the_same_numbers():
    draws = chains(4, 200).astype(np.float32)
    rows = np.moveaxis(draws.astype(np.float64), -1, 0)
    np.testing.assert_allclose(rank_diagnostics(draws).rhat, array_stats.rhat(rows), rtol=1e-8)


def test_more_entries_than_one_task_takes_keep_their_order():
    draws = chains(2, 50, n_entries=150)
    each = [rank_diagnostics(draws[:, :, [k]]).ess_bulk[0] for k in range(150)]
    np.testing.assert_array_equal(rank_diagnostics(draws).ess_bulk, each)


def test_nan_and_infinity_have_no_diagnostics_and_do_not_touch_their_neighbours():
    draws = chains(4, 100, n_entries=3)
    clean = rank_diagnostics(draws)
    draws[0, 3, 0], draws[1, 4, 1] = np.nan, np.inf
    found = rank_diagnostics(draws)
    for values, before in zip(found, clean, strict=True):
        assert np.isnan(values[:2]).all()
        assert values[2] == before[2]


def test_three_draws_are_too_few():
    assert np.isnan(np.array(rank_diagnostics(chains(4, 3)))).all()


def test_the_least_chain_is_the_one_that_moves_least():
    draws = chains(3, 400, n_entries=2)
    draws[1] = chains(1, 400, n_entries=2, correlation=0.95, seed=1)[0]
    rows = np.moveaxis(draws[[1]], -1, 0)
    expected = array_stats.ess(rows, method="bulk")
    np.testing.assert_allclose(bulk_ess_per_chain(draws), expected, rtol=1e-8)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_draws_that_are_not_finite_have_not_converged(value):
    draws = chains(4, 1000, n_entries=3)
    draws[1, 500, 2] = value
    assert not converged([draws], 1.01, 400)
    draws[:, :, 2] = value
    assert not converged([draws], 1.01, 400)


def test_converged_asks_every_entry_that_varies():
    good = chains(4, 1000, n_entries=3)
    assert converged([good], 1.01, 400)
    constant = good.copy()
    constant[:, :, 1] = 2.0
    assert converged([good, constant], 1.01, 400)
    apart = good.copy()
    apart[0, :, 2] += 1.0
    assert not converged([good, apart], 1.01, 400)
    assert not converged([chains(4, 1000, correlation=0.97)], 1.5, 400)
