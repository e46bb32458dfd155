"""The posterior of a stored run as an MLflow model: made of its trace, whenever it is wanted."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, TallgrassError
from tallgrass.tracking import reading, writing
from tallgrass.tracking.writing.model import Served

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

DRAWS = 200  # of a model; enough for a mean to a fifteenth of a standard deviation
_EXAMPLE = 3  # rows

logger = logging.getLogger(__name__)


def log_model(run: str, register: bool = False) -> str:
    """Store the posterior of a run as an MLflow model, which predicts without Tallgrass.

    A run on roll calls gives the probability of a yea for rows of legislator and roll call; a
    calibration scores persons by their answers, and gives the probability of a right one. The
    model holds 200 draws.

    Parameters
    ----------
    run : str
        Id of a run, or its first characters.
    register : bool
        Also make it a version in the model registry, with the alias ``baseline``.

    Returns
    -------
    str
        The address of the model, for ``mlflow.pyfunc.load_model``.

    Raises
    ------
    TrackingError
        When the run or its draws are not there, or MLflow does not take the model.
    DataError
        When the run is neither on roll calls nor a calibration.

    Examples
    --------
    >>> import mlflow, pandas as pd
    >>> run_id = tg.runs(chamber="senate", limit=1)["run_id"].iloc[0]
    >>> votes = tg.load_votes("sample", chamber="senate")
    >>> model = mlflow.pyfunc.load_model(tg.log_model(run_id))
    >>> row = {"legislator": votes.slugs[:1], "rollcall": votes.vote_ids[1:2]}
    >>> list(model.predict(pd.DataFrame(row)).columns)
    ['probability', 'low', 'high']
    """
    run_id = reading.find_run(run)
    tags = reading.details(run_id)["tags"]
    address = writing.log_model(run_id, served(reading.load_trace(run_id)))
    if not register:
        return address
    name = " ".join(filter(None, (tags.get(t) for t in ("chamber", "model", "session"))))
    return writing.register(run_id, address, name or "items") or address


def promote(run: str) -> str | None:
    """Make a finished run a baseline: later runs on the same data are compared with it.

    Other promoted runs stay promoted; the newest on the same data counts. Where the store has a
    model registry, and the run predicts (:func:`log_model`), its model becomes a version with the
    alias ``baseline``.

    Parameters
    ----------
    run : str
        Id of the run, or its first characters.

    Returns
    -------
    str or None
        ``models:/<name>@baseline``; None where no model is registered.

    Raises
    ------
    TrackingError
        When the run is unknown or did not finish.

    Examples
    --------
    >>> run_id = tg.runs(chamber="senate", limit=1)["run_id"].iloc[0]
    >>> tg.promote(run_id)
    'models:/senate ...@baseline'
    """
    run_id = reading.find_run(run)
    reading.promote(run_id)
    try:
        address = log_model(run_id, register=True)
    except TallgrassError as error:
        logger.info("no model is registered: %s", error)
        return None
    return address if writing.ALIAS in address else None


def served(trace: "DataTree") -> Served:
    """What the MLflow model of a trace is made of.

    Raises
    ------
    DataError
        When the draws are neither of a run on roll calls nor of a calibration.
    """
    if "posterior" not in trace.children and "estimates" in trace.children:
        return _of_estimates(trace)
    posterior = trace["posterior"].to_dataset()
    if {"xi", "alpha", "beta"} <= set(posterior) and {"legislator", "rollcall"} <= set(
        posterior.dims
    ):
        return _of_rollcalls(_thinned(posterior))
    if {"a", "b"} <= set(posterior) and "item" in posterior.dims:
        return _of_items(_thinned(posterior), trace)
    raise DataError(
        "no model can be made of the run",
        ", ".join(map(str, posterior.data_vars))[:80],
        "runs on roll calls (xi, alpha, beta) and calibrations (a, b) predict",
    )


def _of_rollcalls(draws: "Dataset") -> Served:
    from tallgrass.rollcalls import served as code

    arrays = {name: _array(draws[name], dim) for name, dim in _ROLLCALLS.items()}
    arrays["xi"], arrays["beta"] = (_with_dimension(arrays[name]) for name in ("xi", "beta"))
    names = {dim: draws[dim].to_numpy().astype(str) for dim in ("legislator", "rollcall")}
    n = min(_EXAMPLE, *(len(values) for values in names.values()))
    example = pd.DataFrame({dim: values[:n] for dim, values in names.items()}, dtype=object)
    return Served(Path(str(code.__file__)), {**arrays, **names}, example)


_ROLLCALLS = {"xi": "legislator", "alpha": "rollcall", "beta": "rollcall"}


def _of_estimates(trace: "DataTree") -> Served:
    """Point estimates as a posterior of one draw."""
    estimates = trace["estimates"].to_dataset()
    draw = estimates[[n for n in _OF_ESTIMATES if n in estimates]].expand_dims("sample")
    return _of_items(draw, trace)


_OF_ESTIMATES = ("a", "b", "c", "thresholds", "population_mean", "population_sd")


def _of_items(draws: "Dataset", trace: "DataTree") -> Served:
    from tallgrass.items import served as code

    n = draws.sizes["sample"]
    arrays = {name: _array(draws[name], "item") for name in ("a", "b")}
    for name, variable, usual in (("mean", "population_mean", 0.0), ("sd", "population_sd", 1.0)):
        known = variable in draws
        arrays[name] = draws[variable].to_numpy() if known else np.full(n, usual)
    items = draws["item"].to_numpy().astype(str)
    if "c" in draws:
        arrays["c"] = _array(draws["c"], "item")
    if "thresholds" in draws:
        arrays["thresholds"] = np.asarray(draws["thresholds"].to_numpy(), np.float32)
    if "threshold_b" in draws:
        from tallgrass.items.model_columns import thresholds_of

        place = thresholds_of(draws["threshold"].to_numpy().astype(str), items)
        values = _array(draws["threshold_b"], "threshold")
        arrays["thresholds"] = np.where(place < 0, np.float32(np.nan), values[:, place])
    if "thresholds" in arrays:
        constant = trace["constant_data"].to_dataset()
        arrays["lowest"] = constant["lowest"].to_numpy()
    example = pd.DataFrame(
        {"person": ["a"] * len(items[:_EXAMPLE]), "item": items[:_EXAMPLE]}, dtype=object
    )
    example["response"] = [1.0, 0.0, np.nan][: len(example)]
    return Served(Path(str(code.__file__)), {**arrays, "item": items}, example)


def _thinned(posterior: "Dataset") -> "Dataset":
    """At most ``DRAWS`` draws, evenly spread over the chains."""
    stacked = posterior.stack(sample=("chain", "draw"), create_index=False)  # noqa: PD013 - xarray
    n = stacked.sizes["sample"]
    return stacked.isel(sample=np.unique(np.linspace(0, n - 1, min(n, DRAWS)).astype(int)))


def _array(variable: Any, dim: str) -> np.ndarray:
    return np.asarray(variable.transpose("sample", dim, ...).to_numpy(), np.float32)


def _with_dimension(array: np.ndarray) -> np.ndarray:
    return array if array.ndim == 3 else array[:, :, None]
