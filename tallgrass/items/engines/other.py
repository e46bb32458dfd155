"""The engines of ``1pl``, ``3pl`` and ``graded``: NUTS, posterior mode, maximum likelihood."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.inference.draws import DrawSink, Sampled
from tallgrass.inference.progress import Observer
from tallgrass.inference.samplers import sample_and_assemble
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines.any_model import estimate
from tallgrass.items.engines.estimates import ItemEstimates
from tallgrass.items.engines.family import family_of
from tallgrass.items.engines.traces import nuts_trace
from tallgrass.items.models import ItemModelName
from tallgrass.items.other_models import PUBLIC_OF, OtherCentre, build_other
from tallgrass.items.priors import ItemPriors, PriorChoice, item_priors
from tallgrass.items.responses import Anchors, Responses


def calibrate_other_nuts(
    model: ItemModelName,
    responses: Responses,
    anchors: Anchors | None,
    spec: SamplerSpec,
    observer: Observer | None = None,
    sink: DrawSink | None = None,
    choice: PriorChoice = PriorChoice(),  # noqa: B008 - immutable
) -> Sampled:
    """Draws of an item model by NUTS, started around the posterior mode.

    The trace is as that of :func:`tallgrass.items.engines.nuts.calibrate_nuts`, with ``c`` (item)
    of ``3pl`` and ``threshold_b`` (threshold) of ``graded``, whose ``b`` is the mean of an item's
    thresholds.

    Raises
    ------
    Interrupted, SamplingError
        As :func:`tallgrass.rollcalls.trace.sample`.
    DataError
        When an item of ``graded`` has an answer between others that nobody gave.
    """
    choice = replace(choice, model=model)
    priors = item_priors(responses, anchors, choice)
    began = time.perf_counter()
    thresholds = family_of(model, responses, priors).thresholds
    mode = estimate(model, responses, choice, anchors=anchors)
    start_s = time.perf_counter() - began
    built = build_other(model, responses, priors, thresholds, _centre(mode, priors))

    def assembled(raw: xr.DataTree, settings: Mapping[str, Any]) -> xr.DataTree:
        attributes = {**settings, "start_s": start_s, "item_model": model}
        return nuts_trace(raw, responses, priors, attributes, PUBLIC_OF[model])

    return sample_and_assemble(built, spec, assembled, observer, sink)


def _centre(mode: ItemEstimates, priors: ItemPriors) -> OtherCentre:
    """Around the mode; an undefined standard error is replaced by that of the prior."""
    log_a_sd = mode.a_sd / mode.a
    if mode.thresholds.size:
        used = np.isfinite(mode.thresholds)
        wide = np.broadcast_to(priors.b_sd[:, None], used.shape)
        b, b_sd, prior_sd = mode.thresholds[used], mode.thresholds_sd[used], wide[used]
    else:
        b, b_sd, prior_sd = mode.b, mode.b_sd, priors.b_sd
    return OtherCentre(
        log_a=np.log(mode.a),
        log_a_sd=np.where(np.isfinite(log_a_sd), log_a_sd, priors.log_a_sd),
        b=b,
        b_sd=np.where(np.isfinite(b_sd), b_sd, prior_sd),
        c=mode.c if mode.c.size else priors.c_mean,
        theta=mode.theta,
        theta_sd=mode.theta_sd,
    )
