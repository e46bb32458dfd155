"""Common bills that work differently on the two scales, and a link that leans on them less.

A bill's deviation is how far its logit on the reference scale is from that of the linked target, at
one standard deviation left and right of the reference's members: two numbers a bill, as the joint
model has. It counts in its posterior standard deviations.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.rollcalls.linking.methods import MIN_ITEMS, Items, link, same_direction

Floats = NDArray[np.float64]
Draws = tuple[Floats, Floats]  # alpha and beta, shape (n_items, n_draws)

DEVIATES = 3.0  # posterior standard deviations: deviates for sure
TUNING = 1.345  # of Huber's weights, in posterior standard deviations
_ROUNDS = 10
_ROUNDING = 1e-5  # logits; what is known better than this is known exactly


def deviations(
    reference: Draws, target: Draws, coefficients: tuple[float, float], mean: float, sd: float
) -> pd.DataFrame:
    """How far every bill is from where the link puts it.

    Returns
    -------
    DataFrame
        left, right (deviation in logits, posterior means), z (the larger of the two in posterior
        standard deviations), deviates, p_opposite (probability that the signs differ).
    """
    a, b = coefficients
    alpha, beta = target[0] + target[1] * b / a, target[1] / a
    table, z = pd.DataFrame(), []
    for name, point in (("left", mean - sd), ("right", mean + sd)):
        moved = (reference[1] * point - reference[0]) - (beta * point - alpha)
        table[name] = moved.mean(axis=1)
        spread = np.maximum(moved.std(axis=1, ddof=1), _ROUNDING)
        z.append(np.abs(table[name].to_numpy()) / spread)
    table["z"] = np.maximum(*z)
    table["deviates"] = table["z"] > DEVIATES
    table["p_opposite"] = (reference[1] * target[1] < 0).mean(axis=1)
    return table


def robust_weights(reference: Draws, target: Draws, how: str, mean: float, sd: float) -> Floats:
    """Weights of the bills: 0 for those that deviate (``drop``), or Huber's (``weight``).

    Found in rounds: link, look who deviates from that link, link again. Bills of opposite sign
    have weight 0. Never fewer than MIN_ITEMS bills are kept: those that deviate least.
    """
    means = [Items(alpha.mean(axis=1), beta.mean(axis=1)) for alpha, beta in (reference, target)]
    kept = same_direction(means[0], means[1])
    weights = kept.astype(float)
    for _ in range(_ROUNDS):
        coefficients = link(means[0], means[1], "haebara", mean, sd, weights)
        z = deviations(reference, target, coefficients, mean, sd)["z"].to_numpy()
        if how == "drop":
            least = np.sort(z[kept])[MIN_ITEMS - 1]
            new = (kept & (z <= max(DEVIATES, least))).astype(float)
        else:
            new = np.where(kept, np.minimum(1.0, TUNING / np.maximum(z, TUNING)), 0.0)
        if np.allclose(new, weights, atol=1e-3):
            break
        weights = new
    return weights
