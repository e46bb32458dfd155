"""Sample a model of roll calls, and the layout of its trace."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.inference.draws import DrawSink, Sampled, as_tree, never, statistics
from tallgrass.inference.progress import Observer
from tallgrass.inference.samplers import sample_and_assemble
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.models.base import Model
from tallgrass.rollcalls.reflection import aligned
from tallgrass.rollcalls.votes import VoteMatrix

# The variables that the verdict judges, in the order of the table of diagnostics.
VARIABLES = (
    *("xi", "xi_2", "mu_party", "mu_group", "mu_chamber", "mu_global", "sigma_within"),
    *("sigma_within_2", "delta", "k", "tau", "mu_new", "sigma_new"),
    *("sigma_bill", "sigma_dif", "sigma_chamber", "sigma_party"),
    *("alpha", "beta", "beta_2"),
)


def assemble(
    raw: xr.DataTree, model: Model, votes: VoteMatrix, scores: Any, attributes: Mapping[str, Any]
) -> xr.DataTree:
    """The trace in the layout that is the same for all samplers.

    Parameters
    ----------
    raw : xarray.DataTree
        Output of the sampler: posterior, sample_stats and optionally warmup_sample_stats.
    scores : ndarray or None
        The start's score of every legislator.
    attributes : mapping
        Settings and identity of the run, stored as attributes of the root.
    """
    coords = {"legislator": list(votes.slugs), "rollcall": list(votes.vote_ids)}
    anchor = np.zeros(len(votes.slugs), np.int8)
    if model.anchors is not None:
        positions = np.array(model.anchor_positions)
        # Their values are in the draws; this says who is an anchor, and of which side.
        upper = positions > (positions.max() + positions.min()) / 2
        anchor[list(model.anchors)] = np.where(upper, 1, -1)
    constant = {
        "party_index": ("legislator", votes.party_index),
        "anchor": ("legislator", anchor),
        **model.constants,
    }
    if scores is not None:
        constant["start_score"] = ("legislator", np.asarray(scores))
    groups = {
        "posterior": aligned(raw["posterior"].to_dataset()[list(model.public)], model.constants),
        "sample_stats": statistics(raw["sample_stats"].to_dataset()),
        "observed_data": xr.Dataset({"votes": (("legislator", "rollcall"), votes.cells)}, coords),
        "constant_data": xr.Dataset(constant, {"legislator": coords["legislator"]}),
    }
    if "warmup_sample_stats" in raw.children:
        groups["warmup_sample_stats"] = statistics(raw["warmup_sample_stats"].to_dataset())
    coords["party"] = list(votes.groups)
    identity = {
        "session": votes.session,
        "chamber": votes.chamber,
        "data_sha256": votes.fingerprint,
    }
    return as_tree(groups, coords, {**identity, **attributes})


def assembler(
    model: Model, votes: VoteMatrix, scores: Any, attributes: Mapping[str, Any]
) -> Callable[[xr.DataTree, Mapping[str, Any]], xr.DataTree]:
    """(trace of the sampler, its attributes) -> trace; see :func:`assemble`."""

    def assembled(raw: xr.DataTree, of_sampler: Mapping[str, Any]) -> xr.DataTree:
        return assemble(raw, model, votes, scores, {**of_sampler, **attributes})

    return assembled


def sample(
    model: Model,
    votes: VoteMatrix,
    spec: SamplerSpec,
    scores: Any = None,
    attributes: Mapping[str, Any] | None = None,
    observer: Observer | None = None,
    sink: DrawSink | None = None,
    stopped: Callable[[], bool] = never,
) -> Sampled:
    """Draw from the posterior.

    Parameters
    ----------
    model : Model
        From :func:`tallgrass.rollcalls.models.build_model`.
    votes : VoteMatrix
        The votes of the model, stored with the draws.
    spec : SamplerSpec
        Sampler, draws, tuning, chains, seed, target acceptance.
    scores : ndarray, optional
        The start's score of every legislator, stored with the draws.
    attributes : mapping, optional
        More attributes of the trace's root.
    observer : callable, optional
        Called a few times a second with the progress of all chains, perhaps from a thread of the
        sampler. Its errors never stop sampling; the first one is logged.
    sink : DrawSink, optional
        Receives the draws every second or two, so that they outlive this process.
    stopped : callable, optional
        Called a few times a second; sampling ends as on Ctrl-C once it returns true.

    Raises
    ------
    Interrupted
        On Ctrl-C or SIGTERM, with the draws so far.
    SamplingError
        When the sampler cannot start, or stops by itself.
    """
    assembled = assembler(model, votes, scores, attributes or {})
    return sample_and_assemble(model, spec, assembled, observer, sink, stopped)
