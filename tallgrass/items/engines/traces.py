"""The trace of the item model, with the same groups for all samplers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tallgrass.inference.draws import as_tree, statistics
from tallgrass.items.engines.estimates import answer_counts
from tallgrass.items.model import POPULATION, PUBLIC
from tallgrass.items.priors import ItemPriors
from tallgrass.items.responses import Responses

Floats = NDArray[np.float64]


def nuts_trace(
    raw: xr.DataTree,
    responses: Responses,
    priors: ItemPriors,
    attributes: Mapping[str, Any],
    public: tuple[str, ...] = PUBLIC,
) -> xr.DataTree:
    """The trace of draws from nutpie or PyMC."""
    groups = {
        "posterior": raw["posterior"].to_dataset()[[*public, *(POPULATION if priors.free else ())]],
        "sample_stats": statistics(raw["sample_stats"].to_dataset()),
    }
    if "warmup_sample_stats" in raw.children:
        groups["warmup_sample_stats"] = statistics(raw["warmup_sample_stats"].to_dataset())
    return item_trace(groups, responses, priors, attributes)


def item_trace(
    groups: dict[str, xr.Dataset],
    responses: Responses,
    priors: ItemPriors,
    attributes: Mapping[str, Any],
) -> xr.DataTree:
    """The groups with the names of items and users, plus the data and the anchors."""
    n, share = answer_counts(responses)
    data = {
        "user_index": ("response", responses.user),
        "item_index": ("response", responses.item),
        "correct": ("response", responses.correct),
    }
    constant = {
        "anchor": ("item", priors.anchor.astype(np.int8)),
        "n": ("item", n),
        "share_correct": ("item", share),
        "log_a_prior_mean": ("item", priors.log_a_mean),
        "log_a_prior_sd": ("item", priors.log_a_sd),
        "b_prior_mean": ("item", priors.b_mean),
        "b_prior_sd": ("item", priors.b_sd),
    }
    if responses.graded:
        lowest = [responses.lowest.get(name, 0) for name in responses.items]
        constant["lowest"] = ("item", np.array(lowest, np.int64))
    coords = {"item": list(responses.items), "user": list(responses.users)}
    groups = {
        **groups,
        # Indices; the names are in the coordinates of the posterior.
        "observed_data": xr.Dataset(data),
        "constant_data": xr.Dataset(constant),
    }
    return as_tree(groups, coords, {"data_sha256": responses.fingerprint, **attributes})


def theta_summary(sums: Floats, squares: Floats, draws: int) -> xr.Dataset:
    """Mean, sd and split R-hat of each ability from sums, shape (chain, half, user)."""
    first = -(-draws // 2)
    lengths = np.array([first, draws - first])[None, :, None]
    means = sums / lengths
    within = ((squares - lengths * means**2) / (lengths - 1)).mean(axis=(0, 1))
    between = means.reshape(-1, means.shape[-1]).var(axis=0, ddof=1)
    n = draws / 2
    rhat = np.sqrt((n - 1) / n + between / within)
    total = draws * len(sums)
    mean = sums.sum(axis=(0, 1)) / total
    sd = np.sqrt((squares.sum(axis=(0, 1)) - total * mean**2) / (total - 1))
    return xr.Dataset({"mean": ("user", mean), "sd": ("user", sd), "rhat": ("user", rhat)})
