"""Sample the posterior of the item model by blocked Gibbs, with more draws until it converges."""

import time

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tallgrass.inference.draws import DrawSink, Interrupted, Sampled
from tallgrass.inference.progress import Observer
from tallgrass.inference.ranks import converged
from tallgrass.inference.samplers import harmless
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.thresholds import Thresholds
from tallgrass.items.engines.draw_cache import Keeper
from tallgrass.items.engines.estimates import centre_of
from tallgrass.items.engines.gibbs_chains import GibbsChains
from tallgrass.items.engines.information import MOST_WORK
from tallgrass.items.engines.marginal import calibrate_map
from tallgrass.items.engines.traces import item_trace
from tallgrass.items.priors import (
    STANDARD,
    PriorChoice,
    item_priors,
)
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

MOST_DRAWS = 16_000


def calibrate_gibbs(
    responses: Responses,
    anchors: Anchors | None,
    spec: SamplerSpec,
    observer: Observer | None = None,
    most_draws: int = MOST_DRAWS,
    sink: DrawSink | None = None,
    choice: PriorChoice = STANDARD,
    thresholds: Thresholds | None = None,
) -> Sampled:
    """Draws by blocked Gibbs, doubled until R-hat and ESS pass, at most ``most_draws`` per chain.

    The trace has the layout of :func:`calibrate_nuts`, but sample_stats holds acceptance rates by
    chain instead of the statistics of NUTS. If the draws of the abilities take more than 1 GiB, at
    first or after draws are added, the posterior holds only ``a`` and ``b``, and the group
    ``theta_summary`` holds the mean, sd and R-hat (split, not rank-normalised) of each ability.

    Parameters
    ----------
    spec : SamplerSpec
        Draws, tuning sweeps, chains and seed; the other fields concern NUTS and are ignored.
    observer : callable, optional
        Called a few times a second with the progress of all chains.
    sink : DrawSink, optional
        Receives the draws every second or two (less often where writing takes long), so that they
        outlive this process.
    choice : PriorChoice
        The priors, and whether the population is free: then ``population_mean`` and
        ``population_sd`` are drawn too.
    thresholds : Thresholds, optional
        R-hat and ESS at which draws are enough; by default the usual ones.

    Raises
    ------
    Interrupted
        On Ctrl-C or SIGTERM, with the draws so far.
    DataError
        When an anchor has no response.
    """
    began = time.perf_counter()
    priors = item_priors(responses, anchors, choice)
    mode = calibrate_map(responses, anchors, choice=choice, most_work=MOST_WORK)
    centre = centre_of(mode, priors)
    start_s = time.perf_counter() - began
    about = {"sampler": "gibbs", "sampler_version": "1", "start_s": start_s}
    about |= {"requested_draws": spec.most_draws}

    def framed(posterior: xr.Dataset) -> xr.DataTree:
        groups = {"posterior": posterior, "sample_stats": xr.Dataset()}
        return item_trace(groups, responses, priors, about)

    keeper = None if sink is None else Keeper(sink, spec.tune, framed)
    sampler = GibbsChains(responses, priors, centre, spec, observer and harmless(observer), keeper)
    began = time.perf_counter()
    limits = thresholds or Thresholds()
    interrupted = False
    try:
        sampler.run()
        while (
            2 * sampler.draws <= most_draws
            and spec.chains > 1
            and not converged(sampler.parts(), limits.rhat, limits.ess)
        ):
            sampler.extend(2 * sampler.draws)
            sampler.run()
    except KeyboardInterrupt:
        interrupted = True
    sampling_s = time.perf_counter() - began
    sampled = None
    if sampler.n_complete > 0:
        attributes = {**about, "compile_s": 0.0, "sampling_s": sampling_s}
        trace = item_trace(sampler.groups(), responses, priors, attributes)
        sampled = Sampled(trace, 0.0, sampling_s, True)
    if interrupted:
        raise Interrupted(sampled)
    assert sampled is not None  # every chain has finished
    return sampled
