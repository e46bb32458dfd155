"""The posterior of the item model, sampled."""

from tallgrass.responses import Anchors, Responses
from tallgrass.sampling import Observer, Sampled
from tallgrass.specs import SamplerSpec


def calibrate_nuts(
    responses: Responses,
    anchors: Anchors | None,
    spec: SamplerSpec,
    observer: Observer | None = None,
) -> Sampled:
    """Draws by NUTS; arguments and errors as :func:`tallgrass.sampling.sample`.

    The trace has the groups posterior (``a``, ``b`` by item, ``theta`` by user), sample_stats,
    warmup_sample_stats, observed_data (the responses) and constant_data (``anchor``, ``n``,
    ``share_correct`` by item).
    """
    raise NotImplementedError


def calibrate_gibbs(
    responses: Responses,
    anchors: Anchors | None,
    spec: SamplerSpec,
    observer: Observer | None = None,
    most_draws: int = 16_000,
) -> Sampled:
    """Draws by blocked Gibbs, extended until R-hat and ESS pass, or ``most_draws`` a chain.

    The trace is laid out as that of :func:`calibrate_nuts`, without the statistics of NUTS
    (energy, divergences): sample_stats holds acceptance rates.
    """
    raise NotImplementedError
