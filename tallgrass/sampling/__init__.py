"""Model + SamplerSpec -> draws, by nutpie or by PyMC's own NUTS: same graph, same result."""

from tallgrass.sampling.draws import ChainProgress, DrawSink, Interrupted, Observer, Sampled, never
from tallgrass.sampling.samplers import SAMPLERS, harmless, sample, sample_and_assemble, trajectory

__all__ = [
    "SAMPLERS",
    "ChainProgress",
    "DrawSink",
    "Interrupted",
    "Observer",
    "Sampled",
    "harmless",
    "never",
    "sample",
    "sample_and_assemble",
    "trajectory",
]
