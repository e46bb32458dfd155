"""Coordinates of standardised positions of which some legislators' are held fixed on another scale.

``v`` are positions with group means -1 and +1, and ``xi = d + c v``. Each class has the same two
methods: free variables -> v, and v -> values of the free variables.

Two anchors give c and d, whatever v is: v has the coordinates of any other model. With more, the
other anchors' v follow from those of the highest (p) and the lowest (q), because they are on one
line, and the free members of each group take up the rest of its mean:

    v_r = v_q + (x_r - x_q) / (x_p - x_q) (v_p - v_q)
    mean of the free members of group g = (n_g (-/+1) - sum of the anchors' v in g) / m_g

for n_g members, m_g of them free. With k anchors the Jacobian of (v_p, v_q, deviations) -> xi of
the n - k free members is ``c^(n + 1 - k)`` times a constant: in each group the mean of the free xi
is linear in (c, d), the deviations are c times orthonormal coordinates, and
``d(c, d) / d(v_p, v_q) = c^3 / (x_p - x_q)``.
"""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.anchors import Anchors
from tallgrass.rollcalls.start import Floats

_GROUPS = ("left", "right")
_LEAST_GAP = 0.2  # between the highest and the lowest anchor at the start, in half gaps

Positions = tuple[Any, Any, Any]  # v, and that of the highest and of the lowest anchor


class TwoAnchors:
    """Two anchors: v is free but for its group means."""

    def __init__(self, groups: NDArray[np.int8], anchors: Anchors) -> None:
        self.groups, self.anchors = groups, anchors

    def positions(self) -> Positions:
        """Variables ``deviation_left`` and ``deviation_right``, in the model of the context."""
        deviations = [
            pm.Flat(f"deviation_{name}", shape=size(np.sum(self.groups == g) - 1))
            for g, name in enumerate(_GROUPS)
        ]
        v = co.standardised_positions(deviations, self.groups)
        rows = integers(self.anchors.rows)
        return v, v[rows[0]], v[rows[1]]

    def coordinates(self, v: Floats) -> dict[str, Floats]:
        """Values of the variables at v."""
        return {
            f"deviation_{name}": co.zero_sum_inverse(v[self.groups == g] - 2.0 * g + 1.0)
            for g, name in enumerate(_GROUPS)
        }


class ManyAnchors:
    """More than two anchors.

    Raises
    ------
    DataError
        When all members of a group are anchors.
    """

    def __init__(self, groups: NDArray[np.int8], anchors: Anchors) -> None:
        self.groups, self.anchors = groups, anchors
        self.rows = np.array(anchors.rows)
        x = np.array(anchors.positions)
        self.share = (x - x[-1]) / (x[0] - x[-1])
        everyone = np.arange(len(groups))
        self.free = [np.setdiff1d(everyone[groups == g], self.rows) for g in range(len(_GROUPS))]
        for free, name in zip(self.free, _GROUPS, strict=True):
            if not len(free):
                raise DataError(
                    f"anchors: everybody on the {name} is one",
                    f"{len(self.rows)} anchors",
                    "leave at least one member of each party free",
                )

    def positions(self) -> Positions:
        """Variables ``anchor_ends`` (v of the highest and the lowest anchor) and deviations."""
        ends = pm.Flat("anchor_ends", shape=2)
        anchored = ends[1] + numbers(self.share) * (ends[0] - ends[1])
        v = pt.set_subtensor(numbers(np.zeros(len(self.groups)))[integers(self.rows)], anchored)
        for g, (name, free) in enumerate(zip(_GROUPS, self.free, strict=True)):
            deviation = pm.Flat(f"deviation_{name}", shape=size(len(free) - 1))
            of_group = numbers(self.groups[self.rows] == g)
            total = number(np.sum(self.groups == g) * (2.0 * g - 1.0))
            mean = (total - pt.sum(of_group * anchored)) / number(len(free))
            weights, is_free = np.zeros((2, len(self.groups)))
            weights[free], is_free[free] = co.zero_sum_weights(len(free)), 1.0
            v = v + numbers(weights) * pt.sum(deviation) + numbers(is_free) * mean
            v = pt.inc_subtensor(v[integers(free[:-1])], deviation)
        return v, ends[0], ends[1]

    def coordinates(self, v: Floats) -> dict[str, Floats]:
        """Values of the variables near v, whose anchors are moved to one line."""
        x = np.array(self.anchors.positions)
        slope, intercept = np.polyfit(x, v[self.rows], 1)
        gap = max(slope * (x[0] - x[-1]), _LEAST_GAP)
        middle = intercept + slope * (x[0] + x[-1]) / 2
        point = {"anchor_ends": np.array([middle + gap / 2, middle - gap / 2])}
        for name, free in zip(_GROUPS, self.free, strict=True):
            point[f"deviation_{name}"] = co.zero_sum_inverse(v[free] - v[free].mean())
        return point
