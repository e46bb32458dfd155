"""Tables of items and of users, from draws or from point estimates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tallgrass.items.engines import ItemEstimates, one_sided_items
from tallgrass.items.engines.traces import item_trace
from tallgrass.items.fit import (
    Fit,
    empirical_reliability,
    item_fit,
    marginal_reliability,
    person_fit,
)
from tallgrass.items.priors import ItemPriors
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]

TAILS = (0.025, 0.975)
_SLICE = 256  # parameters per quantile call
_Z = 1.959963984540054  # half the width of a 95 % interval of N(0, 1)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The results of one engine, in the same form for all engines.

    Parameters
    ----------
    items : DataFrame
        One row per item: item, a, a_sd, a_low, a_high, b, b_sd, b_low, b_high (95 % intervals), n,
        share_correct, anchor, one_sided (all right or all wrong), infit, infit_z, outfit,
        outfit_z.
    users : DataFrame
        One row per user: user, theta, theta_sd, theta_low, theta_high, n, infit, infit_z, outfit,
        outfit_z.
    draws : dict of str to ndarray
        ``a`` and ``b``, shape (n_draws, n_items); empty for point estimates.
    marginal_reliability, empirical_reliability : float
        Share of the variance of abilities that the responses explain.
    """

    items: pd.DataFrame
    users: pd.DataFrame
    draws: dict[str, Floats]
    marginal_reliability: float
    empirical_reliability: float


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
    return _assembled(columns, users, draws, responses, priors)


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
    return _assembled(columns, users, {}, responses, priors)


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
) -> Calibrated:
    theta, sd = abilities["theta"], abilities["theta_sd"]
    n_items, n_users = len(responses.items), len(responses.users)
    right = responses.correct == 1
    n = np.bincount(responses.item, minlength=n_items)
    fits = item_fit(responses, theta, columns["a"], columns["b"])
    one_sided = set(one_sided_items(responses))
    items = pd.DataFrame(
        {
            "item": list(responses.items),
            **columns,
            "n": n,
            "share_correct": np.bincount(responses.item[right], minlength=n_items) / n,
            "anchor": priors.anchor,
            "one_sided": [name in one_sided for name in responses.items],
            **_fit_columns(fits),
        }
    )
    users = pd.DataFrame(
        {
            "user": list(responses.users),
            **abilities,
            "n": np.bincount(responses.user, minlength=n_users),
            **_fit_columns(person_fit(responses, theta, columns["a"], columns["b"])),
        }
    )
    return Calibrated(
        items, users, draws, marginal_reliability(sd), empirical_reliability(theta, sd)
    )


def _fit_columns(fit: Fit) -> dict[str, Floats]:
    names = ("infit", "infit_z", "outfit", "outfit_z")
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
