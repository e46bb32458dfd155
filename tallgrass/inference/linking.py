"""Link two scales by the mean-mean, mean-sigma, Stocking-Lord and Haebara methods.

With ``logit = beta xi - alpha``, the target's positions on the reference scale are
``xi_ref = A xi_tgt + B``. The probability of a yea stays the same when

    beta_ref = beta_tgt / A        alpha_ref = alpha_tgt + beta_tgt B / A

so the cut points ``alpha / beta`` are linked like positions, ``cut_ref = A cut_tgt + B``. Items
must discriminate in the same direction on both scales (A > 0). Those that do not are left out and
counted; the others are turned to positive beta, with alpha.

Sources: Loyd and Hoover (1980), Marco (1977), Haebara (1980), Stocking and Lord (1983); Kolen and
Brennan (2014, ch. 6) for all four.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from tallgrass.errors import DataError

Floats = NDArray[np.float64]

METHODS = ("mean-mean", "mean-sigma", "haebara", "stocking-lord")
MIN_ITEMS = 3
_GRID = np.linspace(-4.0, 4.0, 81)


@dataclass(frozen=True, slots=True)
class Items:
    """Difficulties and discriminations of the common items on one scale, shapes (n_items,)."""

    alpha: Floats
    beta: Floats

    def __post_init__(self) -> None:
        if self.alpha.shape != self.beta.shape or self.alpha.ndim != 1:
            raise DataError(
                "alpha and beta of different shapes", f"{self.alpha.shape}, {self.beta.shape}"
            )

    def select(self, keep: NDArray[np.bool_]) -> "Items":
        """The items whose mask is true."""
        return Items(self.alpha[keep], self.beta[keep])

    @property
    def oriented(self) -> "Items":
        """The items with positive discriminations: ``|beta|``, and alpha with the same sign."""
        side = np.sign(self.beta)
        return Items(side * self.alpha, np.abs(self.beta))


def transformed(target: Items, a: float, b: float) -> Items:
    """The target's items on the reference scale, where ``xi_ref = a xi_tgt + b``."""
    return Items(target.alpha + target.beta * b / a, target.beta / a)


def same_direction(reference: Items, target: Items) -> NDArray[np.bool_]:
    """Which items have discriminations of the same sign, not zero, on both scales."""
    return np.asarray(reference.beta * target.beta > 0)


def link(
    reference: Items,
    target: Items,
    method: str,
    mean: float = 0.0,
    sd: float = 1.0,
    weights: Floats | None = None,
) -> tuple[float, float]:
    """A and B of the link; items of opposite sign are left out.

    Parameters
    ----------
    reference, target : Items
        The same items on the two scales, in the same order.
    method : str
        One of METHODS.
    mean, sd : float
        Mean and standard deviation of the legislators on the reference scale. Characteristic curves
        are compared at 81 points within 4 sd of the mean, weighted by the normal density.
    weights : ndarray, optional, shape (n_items,)
        Weight of every item; by default all are equal. Items of weight 0 are left out.

    Raises
    ------
    DataError
        On an unknown method, or fewer than three items that discriminate in the same direction.
    """
    if method not in METHODS:
        raise DataError("unknown linking method", method, f"use one of {', '.join(METHODS)}")
    usable = same_direction(reference, target)
    weight_of_item = np.ones(len(usable)) if weights is None else weights
    usable &= weight_of_item > 0
    if usable.sum() < MIN_ITEMS:
        raise DataError(
            "too few common items that discriminate in the same direction on both scales",
            f"{usable.sum()} of {len(usable)}",
            f"at least {MIN_ITEMS} are needed; is one of the scales reversed?",
        )
    ref, tgt = reference.select(usable).oriented, target.select(usable).oriented
    w = weight_of_item[usable] / weight_of_item[usable].sum()
    if method == "mean-mean":
        return _with_cuts(ref, tgt, float(w @ tgt.beta / (w @ ref.beta)), w)
    if method == "mean-sigma":
        spreads = [_sd(items.alpha / items.beta, w) for items in (ref, tgt)]
        return _with_cuts(ref, tgt, spreads[0] / spreads[1], w)
    return _by_curves(ref, tgt, method, mean, sd, w)


def _sd(values: Floats, w: Floats) -> float:
    return float(np.sqrt(w @ (values - w @ values) ** 2))


def _with_cuts(ref: Items, tgt: Items, a: float, w: Floats) -> tuple[float, float]:
    return a, float(w @ (ref.alpha / ref.beta) - a * (w @ (tgt.alpha / tgt.beta)))


def _by_curves(
    ref: Items, tgt: Items, method: str, mean: float, sd: float, w: Floats
) -> tuple[float, float]:
    points = mean + sd * _GRID
    density = np.exp(-(_GRID**2) / 2)
    root = np.sqrt(density / density.sum())[:, None]
    expected = _yea(np.outer(points, ref.beta) - ref.alpha)
    sums_items = method == "stocking-lord"

    def residuals(parameters: Floats) -> Floats:
        linked = transformed(tgt, float(np.exp(parameters[0])), float(parameters[1]))
        difference = expected - _yea(np.outer(points, linked.beta) - linked.alpha)
        # Stocking and Lord compare the expected number of yeas, Haebara every item's curve.
        if sums_items:
            difference = len(w) * (difference @ w)[:, None]
        else:
            difference = difference * np.sqrt(len(w) * w)
        return np.asarray((root * difference).ravel())

    # The median of the ratios is robust against items with very uncertain slopes.
    a = float(np.median(tgt.beta / ref.beta))
    first = np.array(
        [np.log(a), np.median(ref.alpha / ref.beta) - a * np.median(tgt.alpha / tgt.beta)]
    )
    solution = scipy.optimize.least_squares(
        residuals, first, xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=200
    )
    return float(np.exp(solution.x[0])), float(solution.x[1])


def _yea(logit: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(logit / 2)))


def influence(
    reference: Items,
    target: Items,
    method: str = "haebara",
    mean: float = 0.0,
    sd: float = 1.0,
) -> pd.DataFrame:
    """The link without each item: columns item, A, B, change_A, change_B."""
    a, b = link(reference, target, method, mean, sd)
    index = np.arange(len(reference.beta))
    rows = []
    for j in index:
        without = (a, b)
        if same_direction(reference, target)[j]:  # the others have no influence
            without = link(reference, target, method, mean, sd, (index != j).astype(float))
        rows.append((j, *without, without[0] - a, without[1] - b))
    return pd.DataFrame(rows, columns=["item", "A", "B", "change_A", "change_B"])
