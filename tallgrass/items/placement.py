"""Fit statistics placed among those of repeats: deviates that are about N(0, 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from tallgrass.items.fit import Fit

Floats = NDArray[np.float64]

_LEAST_SHARE = 0.05  # of the variance of repeats, left about their mean; less is noise


@dataclass(frozen=True, eq=False)
class Placed:
    """Fit statistics and their places among repeats; every array has shape (n,).

    ``infit_z`` and ``outfit_z`` are about N(0, 1) where the model holds, and NaN where a statistic
    cannot vary; ``infit_p`` and ``outfit_p`` are the upper tails: small where answers are more
    erratic than the model says.
    """

    infit: Floats
    outfit: Floats
    infit_z: Floats
    outfit_z: Floats
    n: NDArray[np.int64]

    @property
    def infit_p(self) -> Floats:
        """Probability of an infit at least as large."""
        return np.asarray(norm.sf(self.infit_z))

    @property
    def outfit_p(self) -> Floats:
        """Probability of an outfit at least as large."""
        return np.asarray(norm.sf(self.outfit_z))


def unplaced(fit: Fit) -> Placed:
    """Fit statistics whose places are not known."""
    unknown = np.full(len(fit.n), np.nan)
    return Placed(fit.infit, fit.outfit, unknown, unknown, fit.n)


class Correction(NamedTuple):
    """Of answers that fit: the deviates' mean, and the share of the repeats' variance in theirs."""

    bias: float
    share: float

    @classmethod
    def of(cls, given: Sequence[Floats], repeats: Sequence[Floats]) -> "Correction":
        """From values, shape (n,), and their repeats, shape (n_repeats, n), of every set."""
        with np.errstate(divide="ignore", invalid="ignore"):
            deviates = np.array(
                [
                    (x - y.mean(axis=0)) / y.std(axis=0, ddof=1)
                    for x, y in zip(given, repeats, strict=True)
                ]
            )
        deviates = deviates[np.isfinite(deviates)]
        if not len(deviates):
            return cls(0.0, 1.0)
        n, bias = len(repeats[0]), float(deviates.mean())
        # Over sqrt(share + 1 / n) they are t with n - 1 degrees of freedom.
        share = float(np.mean((deviates - bias) ** 2)) * (n - 3) / (n - 1) - 1 / n
        return cls(bias, max(share, _LEAST_SHARE))


def place(given: Fit, repeats: Sequence[Fit], corrections: dict[str, Correction]) -> Placed:
    """The fit that was found among that of the repeats, corrected by statistic."""
    deviates = {}
    for name, correction in corrections.items():
        repeated = np.array([cube_root(fit, name) for fit in repeats])
        n, mean, sd = len(repeated), repeated.mean(axis=0), repeated.std(axis=0, ddof=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (cube_root(given, name) - mean) / sd - correction.bias
        distance /= np.sqrt(correction.share + 1 / n)
        # Mean and standard deviation are from the repeats, so the distance has a t distribution.
        deviate = np.sign(distance) * norm.isf(t.sf(np.abs(distance), n - 1))
        deviates[f"{name}_z"] = np.asarray(deviate)
    return Placed(given.infit, given.outfit, n=given.n, **deviates)


def cube_root(fit: Fit, name: str) -> Floats:
    """A mean square as a number that is about normal (Wilson and Hilferty, 1931)."""
    return np.asarray(np.cbrt(getattr(fit, name)))
