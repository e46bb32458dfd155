"""Tables of items and of users, from draws or from point estimates."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tallgrass.items.engines import ItemEstimates, one_sided_items
from tallgrass.items.engines.estimates import Link
from tallgrass.items.engines.traces import item_trace
from tallgrass.items.fit import (
    empirical_reliability,
    item_fit,
    marginal_reliability,
    person_fit,
)
from tallgrass.items.model import POPULATION
from tallgrass.items.priors import ItemPriors, Population
from tallgrass.items.reference import Estimates, Placed, placed_fit, unplaced
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

TAILS = (0.025, 0.975)
_SLICE = 256  # parameters per quantile call
_Z = 1.959963984540054  # half the width of a 95 % interval of N(0, 1)


class PopulationSummary(NamedTuple):
    """Mean and standard deviation of the abilities with 95 % intervals; N(0, 1) if not ``free``."""

    mean: float = 0.0
    mean_se: float = 0.0
    mean_low: float = 0.0
    mean_high: float = 0.0
    sd: float = 1.0
    sd_se: float = 0.0
    sd_low: float = 1.0
    sd_high: float = 1.0
    free: bool = False


STANDARD = PopulationSummary()


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The results of one engine, in the same form for all engines.

    Parameters
    ----------
    items : DataFrame
        One row per item: item, a, a_sd, a_low, a_high, b, b_sd, b_low, b_high (95 % intervals), n,
        share_correct, anchor, one_sided (all right or all wrong); from :func:`with_fit` infit,
        infit_z, infit_p, outfit, outfit_z, outfit_p too.
    users : DataFrame
        One row per user: user, theta, theta_sd, theta_low, theta_high, n, and the same of fit.
    draws : dict of str to ndarray
        ``a`` and ``b``, shape (n_draws, n_items); empty for point estimates.
    marginal_reliability, empirical_reliability : float
        Share of the variance of abilities that the responses explain.
    population : PopulationSummary
        Mean and standard deviation of the abilities.
    link : Link or None
        The link to the scale of the anchors, of maximum likelihood.
    theta_draws : ndarray, shape (n_draws, n_users)
        Row by row from the same points as ``draws``; empty where they were not kept.
    precision : ndarray, shape (n_items, 2)
        Of the priors of log a and b; 0 without priors.
    """

    items: pd.DataFrame
    users: pd.DataFrame
    draws: dict[str, Floats]
    marginal_reliability: float
    empirical_reliability: float
    population: PopulationSummary = STANDARD
    link: Link | None = None
    theta_draws: Floats = field(default_factory=lambda: np.empty((0, 0)))
    precision: Floats = field(default_factory=lambda: np.zeros((0, 2)))


def of_trace(trace: xr.DataTree, responses: Responses, priors: ItemPriors) -> Calibrated:
    """Posterior means, standard deviations and equal-tailed intervals of the draws."""
    posterior = trace["posterior"].to_dataset()
    draws = {name: _flat(posterior[name].to_numpy()) for name in ("a", "b")}
    columns: dict[str, Floats] = {}
    for name, values in draws.items():
        columns |= _summary(name, values)
    if "theta" in posterior:
        users = _summary("theta", _flat(posterior["theta"].to_numpy()))
    else:
        summary = trace["theta_summary"].to_dataset()
        mean, sd = summary["mean"].to_numpy(), summary["sd"].to_numpy()
        users = _normal("theta", mean, sd)
    population = PopulationSummary()
    if priors.free:
        population = _population_drawn(
            *(posterior[name].to_numpy().reshape(-1, 1) for name in POPULATION)
        )
    calibrated = _assembled(columns, users, draws, responses, priors, population)
    if "theta" not in posterior:
        return calibrated
    return replace(calibrated, theta_draws=_flat(posterior["theta"].to_numpy()))


def with_fit(calibrated: Calibrated, responses: Responses, placed: bool = True) -> Calibrated:
    """The tables with the fit of items and users.

    Parameters
    ----------
    placed : bool
        Whether to place it among repeats (:mod:`tallgrass.items.reference`); without, the deviates
        are NaN.
    """
    items, users, population = calibrated.items, calibrated.users, calibrated.population
    estimates = Estimates(
        a=items["a"].to_numpy(float),
        b=items["b"].to_numpy(float),
        theta=users["theta"].to_numpy(float),
        theta_sd=users["theta_sd"].to_numpy(float),
        mean=population.mean,
        sd=population.sd,
        precision=calibrated.precision,
    )
    if not placed:
        of = responses, estimates.theta, estimates.a, estimates.b
        return replace(
            calibrated,
            items=items.assign(**_fit_columns(unplaced(item_fit(*of)))),
            users=users.assign(**_fit_columns(unplaced(person_fit(*of)))),
        )
    draws = dict(calibrated.draws)
    if len(calibrated.theta_draws):
        draws["theta"] = calibrated.theta_draws
    of_items, of_users = placed_fit(responses, estimates, draws or None)
    return replace(
        calibrated,
        items=items.assign(**_fit_columns(of_items)),
        users=users.assign(**_fit_columns(of_users)),
    )


def of_estimates(estimates: ItemEstimates, responses: Responses, priors: ItemPriors) -> Calibrated:
    """Point estimates with normal intervals; the interval of a is computed on log a."""
    a, a_sd = estimates.a, estimates.a_sd
    # On the log scale the interval stays positive; an estimate without prior may be negative.
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(_Z * a_sd / a)
    positive = a > 0
    columns = {
        "a": a,
        "a_sd": a_sd,
        "a_low": np.where(positive, a / factor, a - _Z * a_sd),
        "a_high": np.where(positive, a * factor, a + _Z * a_sd),
        **_normal("b", estimates.b, estimates.b_sd),
    }
    users = _normal("theta", estimates.theta, estimates.theta_sd)
    if estimates.engine == "mml":  # it has no priors of items
        wide = np.full(len(estimates.a), np.inf)
        priors = replace(priors, log_a_sd=wide, b_sd=wide)
    calibrated = _assembled(
        columns, users, {}, responses, priors, _population_estimated(estimates.population)
    )
    return replace(calibrated, link=estimates.link)


def trace_of_estimates(
    estimates: ItemEstimates,
    responses: Responses,
    priors: ItemPriors,
    attributes: Mapping[str, Any],
) -> xr.DataTree:
    """Point estimates in the layout of a trace: the group ``estimates`` in place of draws."""
    group = xr.Dataset(
        {
            **{name: ("item", getattr(estimates, name)) for name in ("a", "a_sd", "b", "b_sd")},
            **{name: ("user", getattr(estimates, name)) for name in ("theta", "theta_sd")},
            "population_mean": estimates.population.mean,
            "population_mean_se": estimates.population.mean_se,
            "population_sd": estimates.population.sd,
            "population_sd_se": estimates.population.sd_se,
        }
    )
    more = {
        "engine": estimates.engine,
        "log_lik": estimates.log_lik,
        "converged": int(estimates.converged),
        "iterations": estimates.iterations,
        "sampling_s": estimates.seconds,
    }
    return item_trace({"estimates": group}, responses, priors, {**more, **attributes})


def _assembled(
    columns: dict[str, Floats],
    abilities: dict[str, Floats],
    draws: dict[str, Floats],
    responses: Responses,
    priors: ItemPriors,
    population: PopulationSummary,
) -> Calibrated:
    theta, sd = abilities["theta"], abilities["theta_sd"]
    n_items, n_users = len(responses.items), len(responses.users)
    right = responses.correct == 1
    n = np.bincount(responses.item, minlength=n_items)
    one_sided = set(one_sided_items(responses))
    items = pd.DataFrame(
        {
            "item": list(responses.items),
            **columns,
            "n": n,
            "share_correct": np.bincount(responses.item[right], minlength=n_items) / n,
            "anchor": priors.anchor,
            "one_sided": [name in one_sided for name in responses.items],
        }
    )
    users = pd.DataFrame(
        {
            "user": list(responses.users),
            **abilities,
            "n": np.bincount(responses.user, minlength=n_users),
        }
    )
    return Calibrated(
        items,
        users,
        draws,
        marginal_reliability(sd, population.sd),
        empirical_reliability(theta, sd),
        population,
        precision=_precision(priors),
    )


def _precision(priors: ItemPriors) -> Floats:
    """Of log a and b, shape (n_items, 2)."""
    return np.stack([priors.log_a_sd**-2, priors.b_sd**-2], axis=1)


def _population_estimated(population: Population) -> PopulationSummary:
    mean, sd, mean_se, sd_se = population
    if not (mean_se or sd_se):
        return PopulationSummary()
    factor = np.exp(_Z * sd_se / sd)  # on the log scale the interval stays positive
    return PopulationSummary(
        mean, mean_se, mean - _Z * mean_se, mean + _Z * mean_se,
        sd, sd_se, sd / factor, sd * factor, True,
    )  # fmt: skip


def _population_drawn(mean: Floats, sd: Floats) -> PopulationSummary:
    (low, high), (sd_low, sd_high) = (np.quantile(draws, TAILS) for draws in (mean, sd))
    return PopulationSummary(
        float(mean.mean()), float(mean.std(ddof=1)), float(low), float(high),
        float(sd.mean()), float(sd.std(ddof=1)), float(sd_low), float(sd_high), True,
    )  # fmt: skip


def _fit_columns(fit: Placed) -> dict[str, Floats]:
    names = ("infit", "infit_z", "infit_p", "outfit", "outfit_z", "outfit_p")
    return {name: getattr(fit, name) for name in names}


def _flat(draws: Floats) -> Floats:
    """The draws of all chains in sequence, shape (n_draws, n_entries)."""
    return draws.reshape(-1, draws.shape[-1])


def _summary(name: str, draws: Floats) -> dict[str, Floats]:
    # In slices, because np.quantile copies its input and the draws may fill half of the memory.
    parts = [draws[:, k : k + _SLICE] for k in range(0, draws.shape[1], _SLICE)]
    low, high = np.hstack([np.quantile(part, TAILS, axis=0) for part in parts])
    return {
        name: draws.mean(axis=0),
        f"{name}_sd": draws.std(axis=0, ddof=1),
        f"{name}_low": low,
        f"{name}_high": high,
    }


def _normal(name: str, mean: Floats, sd: Floats) -> dict[str, Floats]:
    return {
        name: mean,
        f"{name}_sd": sd,
        f"{name}_low": mean - _Z * sd,
        f"{name}_high": mean + _Z * sd,
    }
