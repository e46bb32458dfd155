"""Find common bills that work differently on the two scales, and give them less weight.

A bill's deviation is the logit on the reference scale minus that of the linked target, one standard
deviation left and right of the mean of the reference's members: two numbers per bill, as in the
joint model. It is judged in units of its posterior standard deviation.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.inference.linking import MIN_ITEMS, Items, link, same_direction

Floats = NDArray[np.float64]
Draws = tuple[Floats, Floats]  # alpha and beta, shape (n_items, n_draws)

DEVIATES = 3.0  # posterior standard deviations above which a bill deviates
TUNING = 1.345  # of Huber's weights, in posterior standard deviations
_ROUNDS = 10
_ROUNDING = 1e-5  # logits; smaller posterior standard deviations count as this


def deviations(
    reference: Draws, target: Draws, coefficients: tuple[float, float], mean: float, sd: float
) -> pd.DataFrame:
    """Deviation of every bill from the link.

    Returns
    -------
    DataFrame
        left, right (deviations in logits, posterior means), z (the larger of them, in posterior
        standard deviations), deviates, p_opposite (probability that the signs differ).
    """
    a, b = coefficients
    alpha, beta = target[0] + target[1] * b / a, target[1] / a
    table, z = pd.DataFrame(), []
    for name, point in (("left", mean - sd), ("right", mean + sd)):
        deviation = (reference[1] * point - reference[0]) - (beta * point - alpha)
        table[name] = deviation.mean(axis=1)
        spread = np.maximum(deviation.std(axis=1, ddof=1), _ROUNDING)
        z.append(np.abs(table[name].to_numpy()) / spread)
    table["z"] = np.maximum(*z)
    table["deviates"] = table["z"] > DEVIATES
    table["p_opposite"] = (reference[1] * target[1] < 0).mean(axis=1)
    return table


def robust_weights(reference: Draws, target: Draws, how: str, mean: float, sd: float) -> Floats:
    """Weights of the bills: 0 for those that deviate (``drop``), or Huber's (``weight``).

    They are found in rounds: link, compute the deviations, link again. Bills of opposite sign have
    weight 0. At least MIN_ITEMS bills are kept, those that deviate least.
    """
    means = [Items(alpha.mean(axis=1), beta.mean(axis=1)) for alpha, beta in (reference, target)]
    usable = same_direction(means[0], means[1])
    weights = usable.astype(float)
    for _ in range(_ROUNDS):
        coefficients = link(means[0], means[1], "haebara", mean, sd, weights)
        z = deviations(reference, target, coefficients, mean, sd)["z"].to_numpy()
        if how == "drop":
            limit = np.sort(z[usable])[MIN_ITEMS - 1]
            updated = (usable & (z <= max(DEVIATES, limit))).astype(float)
        else:
            updated = np.where(usable, np.minimum(1.0, TUNING / np.maximum(z, TUNING)), 0.0)
        if np.allclose(updated, weights, atol=1e-3):
            break
        weights = updated
    return weights
