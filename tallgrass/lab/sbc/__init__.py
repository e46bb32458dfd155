"""Simulation-based calibration: is what the sampler returns the posterior of the model.

Parameters are drawn from the prior and votes from the parameters; the model is fitted to the votes.
Where prior, likelihood, coordinates and sampler belong together, the rank of each true parameter
among its posterior draws is uniform (Cook, Gelman and Rubin, 2006; Talts, Betancourt, Simpson,
Vehtari and Gelman, 2018). The log-likelihood of the votes is ranked too: unlike any single
parameter, it also reacts when the posterior does not listen to the votes (Modrák et al., 2023).

Two things need care. *Anchors* that PCA chooses depend on the votes, so the flat model is given
two fixed legislators. *Order*: canonical coordinates hold the Democratic members' mean below the
Republicans', which draws from the hierarchical prior do almost always, not always; and where the
parties hardly differ, the posterior has a second mode, the mirror image, that no chain reaches.
So the check is made given A: the members' means are at least LEAST_GAP apart, in that order. Prior
draws outside A are drawn again, posterior draws outside A are left out. Given A and the votes, the
true parameters and the posterior draws inside A have one and the same density, proportional to
prior(theta) likelihood(votes | theta) 1[theta in A]: ranks are uniform, exactly, as without A.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from tallgrass.errors import SpecError
from tallgrass.inference.ranks import rank_diagnostics
from tallgrass.inference.spec import SamplerSpec
from tallgrass.lab.sbc.truth import Design, draw_parameters, draw_votes, log_likelihood
from tallgrass.lab.sbc.uniformity import GRID, band, p_value, tail_probability
from tallgrass.rollcalls.anchors import Anchors
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.models.flat import build_flat
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample
from tallgrass.rollcalls.votes import VoteMatrix

Floats = NDArray[np.float64]

LEVEL = 0.001  # chance that anything at all is rejected, when all is right
LEAST_SIMULATIONS, LEAST_LEGISLATORS, LEAST_ROLLCALLS = 20, 8, 10
SAMPLER = SamplerSpec(draws=1000, tune=700, chains=2)
_KEPT = 100  # draws a simulation, so far apart that they are nearly independent
_SLOW_MIXING = 1.05  # R-hat


@dataclass(frozen=True, eq=False)
class Calibration:
    """The outcome of a check.

    Parameters
    ----------
    ranks : DataFrame
        One row a simulation and parameter: simulation, variable, name, rank (draws below the
        truth), draws, fraction (``(rank + U) / (draws + 1)``, U uniform: itself uniform when all is
        right).
    table : DataFrame
        One row a variable: variable, parameters (how many), worst (the name of the least uniform),
        p_worst (its p-value), p_bias and p_spread (t-tests on the means of ``fraction - 1/2`` and
        ``12 (fraction - 1/2)^2 - 1`` over the variable's parameters in each simulation: a small
        fault that all of them share), p_corrected (the least of the three times the number of all
        tests, at most 1), passed.
    n : int
        Number of simulations.
    seconds : float
        Time in seconds the check took.
    divergent, slow : int
        Simulations with a divergence, and with an R-hat above 1.05. They stay in: leaving
        them out would be a choice by the posterior.
    """

    ranks: pd.DataFrame
    table: pd.DataFrame
    n: int
    seconds: float
    divergent: int
    slow: int

    @property
    def calibrated(self) -> bool:
        """Whether no parameter's ranks were rejected."""
        return bool(self.table["passed"].all())

    def band(self) -> tuple[Floats, Floats, Floats]:
        """Grid, and the lowest and highest empirical distribution function that is not rejected."""
        return GRID, *band(self.n, LEVEL / _n_tests(self.table))


def check_calibration(
    n: int,
    spec: ModelSpec,
    n_legislators: int = 14,
    n_rollcalls: int = 100,
    seed: int = 42,
    truth: ModelSpec | None = None,
    sampler: SamplerSpec = SAMPLER,
    observer: Callable[[int], None] | None = None,
) -> Calibration:
    """Check that fits of simulated legislatures are calibrated.

    Parameters
    ----------
    n : int
        Number of simulated legislatures.
    spec : ModelSpec
        The model that is fitted.
    n_legislators, n_rollcalls : int
        Size of each legislature.
    seed : int
        Equal seeds give equal results.
    truth : ModelSpec, optional
        The model that parameters are drawn from; ``spec`` unless a wrong model is wanted.
    sampler : SamplerSpec
        How each legislature is sampled; its seed is replaced.
    observer : callable, optional
        Called with the number of simulations done after each.

    Raises
    ------
    SpecError
        When there are too few simulations, legislators or roll calls, or the two models differ in
        more than their priors.
    """
    for what, received, least in (
        ("simulations", n, LEAST_SIMULATIONS),
        ("legislators", n_legislators, LEAST_LEGISLATORS),
        ("rollcalls", n_rollcalls, LEAST_ROLLCALLS),
    ):
        if received < least:
            raise SpecError(
                f"too few {what} for a calibration check", received, f"use {least} or more"
            )
    truth = truth or spec
    if truth.model != spec.model:
        raise SpecError("parameters of another model than the fitted one", truth.model, spec.model)
    began = time.perf_counter()
    design = Design(spec.model == "hierarchical", n_legislators, n_rollcalls)
    ranks, divergent, slow = [], 0, 0
    for number in range(n):
        generator = np.random.default_rng((seed, number))
        parameters = draw_parameters(truth, design, generator)
        votes = draw_votes(parameters, design, generator)
        trace = _fit(votes, spec, design, sampler, int(generator.integers(2**32)))
        ranks.append(_ranks(trace, parameters, votes, design, generator).assign(simulation=number))
        divergent += bool(trace["sample_stats"]["diverging"].any())
        slow += highest_rhat(trace) > _SLOW_MIXING
        if observer is not None:
            observer(number + 1)
    joined = pd.concat(ranks, ignore_index=True)
    table = uniformity_table(joined)
    return Calibration(joined, table, n, time.perf_counter() - began, divergent, slow)


def uniformity_table(ranks: pd.DataFrame) -> pd.DataFrame:
    """Test the ranks of every parameter; the ``table`` of :class:`Calibration`."""
    rows = []
    for variable, of_variable in ranks.groupby("variable", sort=False):
        fractions = of_variable.pivot_table("fraction", "simulation", "name", sort=False)
        tails = fractions.apply(lambda values: tail_probability(values.to_numpy()))
        centred = fractions.to_numpy() - 0.5
        rows.append(
            {
                "variable": variable,
                "parameters": len(tails),
                "worst": tails.idxmin(),
                # The least tail probability of a variable is also its least p-value.
                "p_worst": p_value(float(tails.min()), len(fractions)),
                "p_bias": ttest_1samp(centred.mean(axis=1), 0.0).pvalue,
                "p_spread": ttest_1samp(12 * np.square(centred).mean(axis=1), 1.0).pvalue,
            }
        )
    table = pd.DataFrame(rows)
    least = table[["p_worst", "p_bias", "p_spread"]].min(axis=1)
    table["p_corrected"] = np.minimum(least * _n_tests(table), 1.0)
    return table.assign(passed=table["p_corrected"] > LEVEL)


def _n_tests(table: pd.DataFrame) -> int:
    """One a parameter, and two a variable."""
    return int(table["parameters"].sum()) + 2 * len(table)


def _fit(
    votes: VoteMatrix, spec: ModelSpec, design: Design, sampler: SamplerSpec, seed: int
) -> xr.DataTree:
    start = make_start(votes, "pca")
    if design.anchors is None:
        model = build_model(votes, spec, start)
    else:
        model = build_flat(votes, spec, start, Anchors(design.anchors))
    return sample(model, votes, sampler.model_copy(update={"seed": seed}), start.scores).trace


def _ranks(
    trace: xr.DataTree,
    parameters: dict[str, Floats],
    votes: VoteMatrix,
    design: Design,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Ranks of one simulation among its thinned draws inside A."""
    posterior = trace["posterior"]
    step = max(posterior.sizes["chain"] * posterior.sizes["draw"] // _KEPT, 1)
    draws = {
        name: np.concatenate(posterior[name].to_numpy()[:, step - 1 :: step]) for name in parameters
    }
    inside = design.separated(draws["xi"])
    draws = {name: values[inside] for name, values in draws.items()}
    names = {
        "xi": votes.slugs,
        "alpha": votes.vote_ids,
        "beta": votes.vote_ids,
        "mu_party": PARTIES,
        "sigma_within": PARTIES,
        "log_likelihood": ("votes",),
    }
    fitted = ("xi", "alpha", "beta")
    draws["log_likelihood"] = log_likelihood(votes.cells, *(draws[k] for k in fitted))[:, None]
    true = {name: values[None] for name, values in parameters.items()}
    true["log_likelihood"] = log_likelihood(votes.cells, *(true[k] for k in fitted))[:, None]
    n_draws = int(inside.sum())
    tables = []
    for variable, values in true.items():
        free = np.ones(values.shape[1], bool)
        if variable == "xi" and design.anchors is not None:
            free[list(design.anchors)] = False  # constants
        rank = np.sum(draws[variable] < values, axis=0)[free]
        tables.append(
            pd.DataFrame(
                {
                    "variable": variable,
                    "name": np.array(names[variable], object)[free],
                    "rank": rank,
                    "draws": n_draws,
                    "fraction": (rank + generator.random(len(rank))) / (n_draws + 1),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def highest_rhat(trace: xr.DataTree) -> float:
    """Over all entries that are not constant; NaN, which counts as not slow, for one chain.

    Infinite for chains that never moved.
    """
    highest = []
    for variable in trace["posterior"].to_dataset().data_vars.values():
        draws = variable.to_numpy()
        varying = np.ptp(draws, axis=(0, 1)) > 0
        if varying.any():
            highest.append(rank_diagnostics(draws[:, :, varying]).rhat.max())
    return float(np.max(highest)) if highest else np.inf
