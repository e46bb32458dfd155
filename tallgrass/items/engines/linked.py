"""Estimates on the scale of the anchors: maximum likelihood, then a link over the anchors.

Marginal maximum likelihood fixes its own scale by abilities that are N(0, 1). With
``theta_bank = A theta + B`` (Stocking and Lord, 1983; see :mod:`tallgrass.inference.linking`)

    a_bank = a / A        b_bank = A b + B

and the population on the scale of the bank is N(B, A).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.linking import MIN_ITEMS, Items, link, same_direction
from tallgrass.items.engines.estimates import ItemEstimates, Link
from tallgrass.items.engines.marginal import TOLERANCE, calibrate_mml
from tallgrass.items.priors import Population
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

METHOD = "stocking-lord"
_REPEATS = 200  # of the link with estimates moved by their errors: its errors within 5 %
_SEED = 1


def calibrate_linked(
    responses: Responses, anchors: Anchors, tolerance: float = TOLERANCE
) -> ItemEstimates:
    """Maximum likelihood on the scale of the anchors.

    The standard errors of items and abilities contain that of the link. That of the link is from
    repeats in which the anchors' estimates are moved by their errors, with the covariances between
    items where they are affordable; what the anchors were before
    is taken as known.

    Raises
    ------
    DataError
        When fewer than three anchors discriminate in the same direction as before.
    """
    return linked(calibrate_mml(responses, tolerance=tolerance, together=anchors), anchors)


def linked(estimates: ItemEstimates, anchors: Anchors) -> ItemEstimates:
    """The estimates on the scale of the anchors; arguments as :func:`calibrate_linked`.

    Examples
    --------
    >>> linked(calibrate_mml(responses), anchors).link  # doctest: +SKIP
    Link(a=1.02, b=0.49, a_se=0.02, b_se=0.02, n_anchors=15)
    """
    position = {name: j for j, name in enumerate(estimates.items)}
    rows = np.array([position[name] for name in anchors.items], np.int64)
    reference = Items(anchors.a * anchors.b, anchors.a)
    slopes = estimates.a[rows]
    target = Items(slopes * estimates.b[rows], slopes)
    usable = same_direction(reference, target)
    if usable.sum() < MIN_ITEMS:
        raise DataError(
            "too few anchors to link the scales",
            f"{usable.sum()} of {len(anchors.items)} discriminate as before",
            f"at least {MIN_ITEMS} are needed",
        )
    slope, shift = link(reference, target, METHOD, *_centre(reference))
    spread = _covariance_of_link(reference, target, _covariance(estimates, rows))
    slope_se, shift_se = np.sqrt(np.diag(spread))

    def position_se(value: Floats, se: Floats) -> Floats:
        """Of ``A value + B``."""
        of_link = value**2 * spread[0, 0] + 2 * value * spread[0, 1] + spread[1, 1]
        return np.asarray(np.sqrt((slope * se) ** 2 + of_link))

    relative = np.sqrt((estimates.a_sd / estimates.a) ** 2 + (slope_se / slope) ** 2)
    return replace(
        estimates,
        a=estimates.a / slope,
        a_sd=np.abs(estimates.a / slope) * relative,
        b=slope * estimates.b + shift,
        b_sd=position_se(estimates.b, estimates.b_sd),
        theta=slope * estimates.theta + shift,
        theta_sd=position_se(estimates.theta, estimates.theta_sd),
        population=Population(shift, slope, float(shift_se), float(slope_se)),
        link=Link(slope, shift, float(slope_se), float(shift_se), int(usable.sum())),
    )


def _covariance(estimates: ItemEstimates, rows: NDArray[np.int64]) -> Floats:
    """Of (slope, intercept) of these items, one after the other; without pairs if not known."""
    if len(estimates.together) == 2 * len(rows):
        return estimates.together
    a, b = estimates.a[rows], estimates.b[rows]
    a_sd, b_sd = np.nan_to_num(estimates.a_sd[rows]), np.nan_to_num(estimates.b_sd[rows])
    variances = np.stack([a_sd**2, (b * a_sd) ** 2 + (a * b_sd) ** 2], axis=1)
    return np.diag(variances.ravel())


def _covariance_of_link(reference: Items, target: Items, covariance: Floats) -> Floats:
    """Covariance of (A, B), shape (2, 2), over repeats."""
    centre = np.stack([target.beta, -target.alpha], axis=1).ravel()
    generator = np.random.default_rng(_SEED)
    repeats = []
    for moved in generator.multivariate_normal(centre, covariance, _REPEATS, method="eigh"):
        items = Items(-moved[1::2], moved[0::2])
        if same_direction(reference, items).sum() >= MIN_ITEMS:
            repeats.append(link(reference, items, METHOD, *_centre(reference)))
    return np.cov(np.array(repeats).T)


def _centre(reference: Items) -> tuple[float, float]:
    """Where the curves are compared: mean and standard deviation of the difficulties, at least 1.

    The cohort's own place on the scale of the bank is what the link is to find.
    """
    cuts = reference.alpha / reference.beta
    return float(cuts.mean()), max(1.0, float(cuts.std()))
