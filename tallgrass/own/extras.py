"""What can be computed beside the draws of a PyMC model: log-likelihood, predictive draws."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.inference.labels import metric_name

_INTERVAL = 0.9  # of predictions
_MOST_DRAWS = 1000  # of the predictive groups

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Extra:
    """What was computed beside the draws.

    Parameters
    ----------
    metrics : mapping of str to float
        Leave-one-out ELPD, and the share of the data inside 90 % predictive intervals.
    file : bytes or None
        A NetCDF file of the groups.
    replicated : mapping of str to ndarray, shape (n_draws, n)
        Data drawn from the posterior, by observed variable.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    file: bytes | None = None
    replicated: Mapping[str, Any] = field(default_factory=dict)


Extras = Callable[[xr.DataTree], Extra]


def extras_of(
    graph: Any, seed: int, *, log_likelihood: bool, prior: bool, posterior: bool
) -> Extras | None:
    """A function of the draws that computes what was asked for; None where nothing was.

    An error in it is a warning: the draws are there, and the run goes on.

    Parameters
    ----------
    graph : pymc.Model
        The model.
    seed : int
        Seed of the predictive draws.
    """
    if not (log_likelihood or prior or posterior):
        return None

    def compute(trace: xr.DataTree) -> Extra:
        import pymc as pm

        groups: dict[str, xr.Dataset] = {}
        metrics: dict[str, float] = {}
        with graph:
            if prior:
                _add(
                    groups,
                    "prior",
                    lambda: pm.sample_prior_predictive(_MOST_DRAWS, random_seed=seed),
                )
            if posterior:
                thinned = _thinned(trace)
                _add(
                    groups,
                    "posterior_predictive",
                    lambda: pm.sample_posterior_predictive(
                        thinned, random_seed=seed, progressbar=False
                    ),
                )
            if log_likelihood:
                _add(
                    groups,
                    "log_likelihood",
                    lambda: pm.compute_log_likelihood(
                        _with_posterior(trace), extend_inferencedata=True, progressbar=False
                    ),
                )
                metrics |= _loo(groups, trace)
        if not groups:
            return Extra(metrics)
        replicated = _replicated(groups)
        tree = xr.DataTree.from_dict(groups)
        file = bytes(tree.to_netcdf(engine="h5netcdf"))
        return Extra(metrics | _coverage(replicated, trace), file, replicated)

    return compute


def _add(groups: dict[str, xr.Dataset], wanted: str, compute: Any) -> None:
    logging.getLogger("pymc").setLevel(logging.ERROR)
    try:
        tree = compute()
    except Exception as error:
        logger.warning("cannot compute the group %s (%s: %s)", wanted, type(error).__name__, error)
        return
    names = ("prior", "prior_predictive") if wanted == "prior" else (wanted,)
    computed = {name: tree[name].to_dataset() for name in names if name in tree.children}
    if not any(len(dataset.data_vars) for dataset in computed.values()):
        logger.warning("the group %s is empty: the model has no observed variable", wanted)
        return
    groups |= computed


def _replicated(groups: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Predicted data by variable, shape (n_draws, n), where they are numbers."""
    if "posterior_predictive" not in groups:
        return {}
    arrays = groups["posterior_predictive"].transpose("chain", "draw", ...)
    return {
        str(name): array.to_numpy().reshape(array.shape[0] * array.shape[1], -1).astype(float)
        for name, array in arrays.data_vars.items()
        if array.dtype.kind in "biuf" and array.size
    }


def _coverage(replicated: Mapping[str, Any], trace: xr.DataTree) -> dict[str, float]:
    """Share of the observed values inside their 90 % predictive intervals, by variable."""
    if "observed_data" not in trace.children:
        return {}
    observed, metrics = trace["observed_data"].to_dataset(), {}
    tails = ((1 - _INTERVAL) / 2, (1 + _INTERVAL) / 2)
    for name, draws in replicated.items():
        if name not in observed:
            continue
        values = observed[name].to_numpy().astype(float).ravel()
        known = np.isfinite(values)
        low, high = np.quantile(draws[:, known], tails, axis=0)
        inside = (values[known] >= low) & (values[known] <= high)
        metrics[f"fit/{metric_name(name)}_inside_90"] = float(inside.mean())
    return metrics


def _thinned(trace: xr.DataTree) -> xr.DataTree:
    """At most a thousand draws, evenly spread over the chains."""
    posterior = trace["posterior"].to_dataset()
    per_chain = max(1, _MOST_DRAWS // posterior.sizes["chain"])
    step = max(1, posterior.sizes["draw"] // per_chain)
    return xr.DataTree.from_dict({"posterior": posterior.isel(draw=slice(None, None, step))})


def _with_posterior(trace: xr.DataTree) -> xr.DataTree:
    """A copy that PyMC may extend."""
    groups = {
        name: trace[name].to_dataset()
        for name in ("posterior", "observed_data", "constant_data")
        if name in trace.children
    }
    return xr.DataTree.from_dict(groups)


def _loo(groups: dict[str, xr.Dataset], trace: xr.DataTree) -> dict[str, float]:
    """Leave-one-out ELPD of each observed variable, by PSIS (ArviZ)."""
    if "log_likelihood" not in groups:
        return {}
    import arviz_stats as stats

    metrics = {}
    tree = xr.DataTree.from_dict(
        {"posterior": trace["posterior"].to_dataset(), "log_likelihood": groups["log_likelihood"]}
    )
    for name in map(str, groups["log_likelihood"].data_vars):
        try:
            loo = stats.loo(tree, var_name=name, pointwise=True)
        except Exception as error:
            logger.warning("cannot compute LOO of %s (%s)", name, error)
            continue
        key = f"fit/{metric_name(name)}"
        metrics[f"{key}_elpd_loo"] = float(loo.elpd)
        metrics[f"{key}_elpd_loo_se"] = float(loo.se)
        metrics[f"{key}_pareto_k_max"] = float(np.max(loo.pareto_k))
    return metrics
