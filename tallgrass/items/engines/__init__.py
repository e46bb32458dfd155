"""Estimate item parameters from responses: four engines for ``2pl``, three for other models.

``calibrate_nuts`` and ``calibrate_gibbs`` sample the posterior and return
:class:`tallgrass.inference.draws.Sampled`: its trace holds ``a`` (item), ``b`` (item) and ``theta``
(user). ``calibrate_map``, ``calibrate_mml`` and ``calibrate_linked`` (the latter, on the scale of
anchors) return :class:`ItemEstimates`. ``calibrate_other_nuts``, ``estimate`` and
``estimate_linked`` are those of ``1pl``, ``3pl`` and ``graded``.
"""

from tallgrass.items.engines.any_linked import estimate_linked
from tallgrass.items.engines.any_model import estimate
from tallgrass.items.engines.estimates import ItemEstimates, item_counts, one_sided_items
from tallgrass.items.engines.gibbs import calibrate_gibbs
from tallgrass.items.engines.linked import calibrate_linked
from tallgrass.items.engines.marginal import calibrate_map, calibrate_mml
from tallgrass.items.engines.nuts import calibrate_nuts
from tallgrass.items.engines.other import calibrate_other_nuts

__all__ = [
    "ItemEstimates",
    "calibrate_gibbs",
    "calibrate_linked",
    "calibrate_map",
    "calibrate_mml",
    "calibrate_nuts",
    "calibrate_other_nuts",
    "estimate",
    "estimate_linked",
    "item_counts",
    "one_sided_items",
]
