"""Tables of items and of users, from draws or from point estimates."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tallgrass.items import model_columns
from tallgrass.items.curves import Curves
from tallgrass.items.engines import ItemEstimates, one_sided_items
from tallgrass.items.engines.estimates import Link, answer_counts
from tallgrass.items.engines.traces import item_trace
from tallgrass.items.fit import (
    empirical_reliability,
    item_fit_of,
    marginal_reliability,
    person_fit_of,
)
from tallgrass.items.model import POPULATION
from tallgrass.items.models import ItemModelName
from tallgrass.items.placement import Placed, unplaced
from tallgrass.items.population_summary import (
    STANDARD,
    TAILS,
    PopulationSummary,
    Z,
    population_drawn,
    population_estimated,
)
from tallgrass.items.priors import ItemPriors
from tallgrass.items.reference import Estimates, placed_fit
from tallgrass.items.reference_any import placed_fit_of
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

_SLICE = 256  # parameters per quantile call


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The results of one engine, in the same form for all engines.

    Parameters
    ----------
    items : DataFrame
        One row per item: item, a, a_sd, a_low, a_high, b, b_sd, b_low, b_high (95 % intervals), n,
        share_correct, anchor, one_sided (all right or all wrong); from :func:`with_fit` infit,
        infit_z, infit_p, outfit, outfit_z, outfit_p too. Of ``3pl`` and ``graded`` also those of
        :mod:`tallgrass.items.model_columns`.
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
    priors : ItemPriors or None
        The priors of the items; None without.
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
    priors: ItemPriors | None = None

    @property
    def curves(self) -> Curves:
        """The response curves of the items, at their estimates."""
        return model_columns.curves_of_table(self.items)


def of_trace(trace: xr.DataTree, responses: Responses, priors: ItemPriors) -> Calibrated:
    """Posterior means, standard deviations and equal-tailed intervals of the draws."""
    posterior = trace["posterior"].to_dataset()
    draws = {name: _flat(posterior[name].to_numpy()) for name in ("a", "b")}
    columns: dict[str, Floats] = {}
    for name, values in draws.items():
        columns |= _summary(name, values)
    columns |= model_columns.of_draws(posterior)
    if "theta" in posterior:
        users = _summary("theta", _flat(posterior["theta"].to_numpy()))
    else:
        summary = trace["theta_summary"].to_dataset()
        mean, sd = summary["mean"].to_numpy(), summary["sd"].to_numpy()
        users = _normal("theta", mean, sd)
    population = PopulationSummary()
    if priors.free:
        population = population_drawn(
            *(posterior[name].to_numpy().reshape(-1, 1) for name in POPULATION)
        )
    calibrated = _assembled(columns, users, draws, responses, priors, population)
    if "theta" not in posterior:
        return calibrated
    return replace(calibrated, theta_draws=_flat(posterior["theta"].to_numpy()))


def with_fit(
    calibrated: Calibrated,
    responses: Responses,
    placed: bool = True,
    model: ItemModelName = "2pl",
) -> Calibrated:
    """The tables with the fit of items and users.

    Parameters
    ----------
    placed : bool
        Whether to place it among repeats (:mod:`tallgrass.items.reference`); without, and where an
        estimate is not finite, the deviates are NaN.
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
    values = (estimates.a, estimates.b, estimates.theta, estimates.theta_sd)
    known = bool(np.isfinite(np.concatenate([*values, [population.mean, population.sd]])).all())
    if not (placed and known):  # answers are drawn from nothing that is not finite
        of = responses, estimates.theta, calibrated.curves
        return replace(
            calibrated,
            items=items.assign(**_fit_columns(unplaced(item_fit_of(*of)))),
            users=users.assign(**_fit_columns(unplaced(person_fit_of(*of)))),
        )
    if model != "2pl":
        curves, priors = calibrated.curves, calibrated.priors
        scale = (population.mean, population.sd)
        of_items, of_users = placed_fit_of(model, responses, curves, scale, priors)
    else:
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
        factor = np.exp(Z * a_sd / a)
    positive = a > 0
    columns = {
        "a": a,
        "a_sd": a_sd,
        "a_low": np.where(positive, a / factor, a - Z * a_sd),
        "a_high": np.where(positive, a * factor, a + Z * a_sd),
        **_normal("b", estimates.b, estimates.b_sd),
        **model_columns.of_estimates(estimates),
    }
    users = _normal("theta", estimates.theta, estimates.theta_sd)
    if estimates.engine == "mml":  # it has no priors of items
        wide = np.full(len(estimates.a), np.inf)
        priors = replace(priors, log_a_sd=wide, b_sd=wide)
    calibrated = _assembled(
        columns, users, {}, responses, priors, population_estimated(estimates.population)
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
    if estimates.c.size:
        group["c"], group["c_sd"] = ("item", estimates.c), ("item", estimates.c_sd)
    if estimates.thresholds.size:
        for name in ("thresholds", "thresholds_sd"):
            group[name] = (("item", "order"), getattr(estimates, name))
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
    n_users = len(responses.users)
    n, share = answer_counts(responses)
    one_sided = set(one_sided_items(responses))
    items = pd.DataFrame(
        {
            "item": list(responses.items),
            **columns,
            "n": n,
            "share_correct": share,
            **(
                {"lowest": [responses.lowest.get(name, 0) for name in responses.items]}
                if responses.graded
                else {}
            ),
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
        priors=priors if np.isfinite(priors.log_a_sd).all() else None,
    )


def _precision(priors: ItemPriors) -> Floats:
    """Of log a and b, shape (n_items, 2)."""
    return np.stack([priors.log_a_sd**-2, priors.b_sd**-2], axis=1)


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
        f"{name}_low": mean - Z * sd,
        f"{name}_high": mean + Z * sd,
    }
