"""Priors of the item parameters: the same for all items except the anchors.

log a ~ N(0, 0.2), b ~ N(0, 1);  an anchor: log a ~ N(log a_previous, 0.05),
b ~ N(b_previous, 0.05)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

LOG_A_SD, B_SD, ANCHOR_SD = 0.2, 1.0, 0.05


@dataclass(frozen=True, eq=False)
class ItemPriors:
    """Normal priors of log a and b by item; every array has shape (n_items,).

    ``anchor`` tells which items are anchors.
    """

    log_a_mean: Floats
    log_a_sd: Floats
    b_mean: Floats
    b_sd: Floats
    anchor: NDArray[np.bool_]


def item_priors(responses: Responses, anchors: Anchors | None = None) -> ItemPriors:
    """The priors of the items of these responses.

    Raises
    ------
    DataError
        When an anchor is not among the items.
    """
    n = len(responses.items)
    priors = ItemPriors(
        np.zeros(n), np.full(n, LOG_A_SD), np.zeros(n), np.full(n, B_SD), np.zeros(n, bool)
    )
    if anchors is None or not anchors.items:
        return priors
    position = {name: j for j, name in enumerate(responses.items)}
    for name in anchors.items:
        if name not in position:
            raise DataError("anchor without a response", name, "leave it out, or add its responses")
    rows = np.array([position[name] for name in anchors.items])
    priors.log_a_mean[rows] = np.log(anchors.a)
    priors.b_mean[rows] = anchors.b
    priors.log_a_sd[rows] = priors.b_sd[rows] = ANCHOR_SD
    priors.anchor[rows] = True
    return priors
