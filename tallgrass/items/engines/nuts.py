"""Sample the posterior of the item model by NUTS."""

import time
from collections.abc import Mapping
from typing import Any

import xarray as xr

from tallgrass.inference.draws import DrawSink, Sampled
from tallgrass.inference.progress import Observer
from tallgrass.inference.samplers import sample_and_assemble
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines.estimates import centre_of
from tallgrass.items.engines.information import MOST_WORK
from tallgrass.items.engines.marginal import calibrate_map
from tallgrass.items.engines.traces import nuts_trace
from tallgrass.items.model import build_items
from tallgrass.items.priors import STANDARD, PriorChoice, item_priors
from tallgrass.items.responses import Anchors, Responses


def calibrate_nuts(
    responses: Responses,
    anchors: Anchors | None,
    spec: SamplerSpec,
    observer: Observer | None = None,
    likelihood: str = "kernel",
    sink: DrawSink | None = None,
    choice: PriorChoice = STANDARD,
) -> Sampled:
    """Draws by NUTS, started around the posterior mode.

    The trace has the groups posterior (``a``, ``b`` by item, ``theta`` by user), sample_stats,
    warmup_sample_stats, observed_data (the responses) and constant_data (``anchor``, ``n``,
    ``share_correct`` and the priors by item).

    Parameters
    ----------
    sink : DrawSink, optional
        Receives the draws every second or two, so that they outlive this process.
    choice : PriorChoice
        The priors, and whether the population is free: then ``population_mean`` and
        ``population_sd`` are drawn too.

    Raises
    ------
    Interrupted, SamplingError
        As :func:`tallgrass.rollcalls.trace.sample`.
    DataError
        When an anchor has no response.
    """
    priors = item_priors(responses, anchors, choice)
    began = time.perf_counter()
    mode = calibrate_map(responses, anchors, choice=choice, most_work=MOST_WORK)
    centre = centre_of(mode, priors)
    start_s = time.perf_counter() - began
    model = build_items(responses, priors, centre, likelihood)

    def assembled(raw: xr.DataTree, settings: Mapping[str, Any]) -> xr.DataTree:
        return nuts_trace(raw, responses, priors, {**settings, "start_s": start_s})

    return sample_and_assemble(model, spec, assembled, observer, sink)
