"""Model + SamplerSpec -> draws, by nutpie or by PyMC's own NUTS: same graph, same result."""

from tallgrass.sampling.draws import ChainProgress, Interrupted, Observer, Sampled
from tallgrass.sampling.samplers import SAMPLERS, harmless, sample, sample_and_assemble

__all__ = [
    "SAMPLERS",
    "ChainProgress",
    "Interrupted",
    "Observer",
    "Sampled",
    "harmless",
    "sample",
    "sample_and_assemble",
]
