"""Item parameters from responses, by four engines of one model.

``calibrate_nuts`` and ``calibrate_gibbs`` sample the posterior and return
:class:`tallgrass.sampling.Sampled`: its trace holds ``a`` (item), ``b`` (item) and ``theta``
(user). ``calibrate_map`` and ``calibrate_mml`` return :class:`ItemEstimates`.
"""

from tallgrass.estimation.estimates import ItemEstimates, item_counts, one_sided_items
from tallgrass.estimation.gibbs import calibrate_gibbs
from tallgrass.estimation.marginal import calibrate_map, calibrate_mml
from tallgrass.estimation.nuts import calibrate_nuts

__all__ = [
    "ItemEstimates",
    "calibrate_gibbs",
    "calibrate_map",
    "calibrate_mml",
    "calibrate_nuts",
    "item_counts",
    "one_sided_items",
]
