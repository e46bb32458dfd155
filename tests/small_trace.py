"""Traces and votes of a few numbers, for values that can be worked out by hand."""

import numpy as np
import xarray as xr

from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix


def small_trace(xi, alpha, beta, mu=None, sigma=None, party=(0, 1), anchor=None):
    """A trace of one chain from arrays of shape (draw, entry)."""

    def variable(values, dim):
        return (("chain", "draw", dim), np.asarray(values, float)[None])

    data = {"xi": variable(xi, "legislator")}
    data |= {"alpha": variable(alpha, "rollcall"), "beta": variable(beta, "rollcall")}
    coords = {
        "legislator": [f"m{i}" for i in range(len(xi[0]))],
        "rollcall": [f"v{j}" for j in range(len(alpha[0]))],
    }
    if mu is not None:
        data |= {"mu_party": variable(mu, "party"), "sigma_within": variable(sigma, "party")}
        coords["party"] = ["Democrat", "Republican"]
    constant = {
        "party_index": ("legislator", np.array(party, np.int8)),
        "anchor": ("legislator", np.zeros(len(party), np.int8) if anchor is None else anchor),
    }
    return xr.DataTree.from_dict(
        {"/posterior": xr.Dataset(data, coords=coords), "/constant_data": xr.Dataset(constant)}
    )


def small_votes(cells, parties=("Democrat", "Republican"), names=None):
    cells = np.asarray(cells, np.int8)
    members = tuple(
        Legislator(f"m{i}", names[i] if names else f"Member {i}", party, str(i))
        for i, party in enumerate(parties)
    )
    rollcalls = tuple(
        RollCall(f"v{j}", f"HB {j}", "Final", "", "2025-01-01") for j in range(cells.shape[1])
    )
    return VoteMatrix(cells, members, rollcalls, "small", "senate")
