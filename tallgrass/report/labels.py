"""Places for names beside points, where they cover neither each other nor any point."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DIRECTIONS = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))
_DISTANCES = (7, 16, 28, 42, 60)


def label_offsets(
    points: Floats,
    labelled: Sequence[int] | NDArray[np.int64],
    labels: Sequence[str],
    frame: tuple[float, float, float, float],
    size: float,
    dot: float = 1.0,
) -> list[tuple[float, float]]:
    """Where the lower left corner of each label goes, seen from its point.

    Text sizes are estimated: asking a renderer would draw the figure once more. A label that fits
    nowhere takes the place with the least overlap.

    Parameters
    ----------
    points : ndarray, shape (n_points, 2)
        All points in pixels, the second coordinate upwards.
    labelled : sequence of int
        Which of them get a label.
    labels : sequence of str
        One for each of ``labelled``.
    frame : (left, bottom, right, top)
        Where labels may be, in pixels.
    size : float
        Of the text, in typographic points.
    dot : float
        Pixels of a typographic point.
    """
    taken = np.hstack([points - 4 * dot, points + 4 * dot])
    offsets = []
    for index, label in zip(labelled, labels, strict=True):
        wide, tall = len(label) * 0.56 * size * dot, 1.25 * size * dot
        best = (np.inf, 0.0, 0.0)
        for distance, (side, rise) in product(_DISTANCES, _DIRECTIONS):
            dx = side * distance * dot - wide * (1 - side) / 2
            dy = rise * distance * dot - tall / 2
            low = points[index] + (dx, dy)
            box = np.array([*low, low[0] + wide, low[1] + tall])
            cost = float(_overlaps(box, taken).sum()) + 0.2 * distance
            cost += 1e5 * (box[0] < frame[0] or box[2] > frame[2])
            cost += 1e5 * (box[1] < frame[1] or box[3] > frame[3])
            best = min(best, (cost, dx, dy))
        _, dx, dy = best
        low = points[index] + (dx, dy)
        taken = np.vstack([taken, [*low, low[0] + wide, low[1] + tall]])
        offsets.append((dx, dy))
    return offsets


def _overlaps(box: Floats, others: Floats) -> Floats:
    """Areas that a box (left, bottom, right, top) has in common with each of the others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return np.asarray(np.prod(np.maximum(sides, 0), axis=1))
