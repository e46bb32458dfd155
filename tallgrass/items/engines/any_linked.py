"""Estimates of any item model on the scale of the anchors, by the method of Stocking and Lord.

Maximum likelihood fixes its scale by abilities that are N(0, 1). With ``theta_bank = A theta + B``

    a_bank = a / A        b_bank = A b + B        c_bank = c

and A and B are those at which the anchors' expected score, with the c and thresholds that each side
has, is nearest to what it was (Stocking and Lord, 1983). Items of ``1pl`` share one a, which is the
anchors' on their scale: there A is the ratio of both, and B alone is sought.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from tallgrass.errors import DataError
from tallgrass.inference.linking import MIN_ITEMS
from tallgrass.items.curves import Curves
from tallgrass.items.engines.any_information import Known
from tallgrass.items.engines.any_model import Fitted, fitted
from tallgrass.items.engines.estimates import ItemEstimates, Link
from tallgrass.items.engines.family import Family, rows_of
from tallgrass.items.models import ItemModelName
from tallgrass.items.priors import Population
from tallgrass.items.responses import Anchors, Responses

Floats = NDArray[np.float64]

_GRID = np.linspace(-4.0, 4.0, 81)
_WEIGHT = np.exp(-(_GRID**2) / 4)  # root of the normal density
_STEP = 1e-5


def estimate_linked(model: ItemModelName, responses: Responses, anchors: Anchors) -> ItemEstimates:
    """Maximum likelihood on the scale of the anchors.

    The standard errors of the items contain that of the link, with the covariance of both, by the
    delta method; what the anchors were before is taken as known.

    Raises
    ------
    DataError
        When fewer than three anchors discriminate in the same direction as before.
    """
    found = fitted(model, responses, None)
    return linked(found, rows_of(responses, anchors), anchors)


def linked(found: Fitted, rows: NDArray[np.int64], anchors: Anchors) -> ItemEstimates:
    """The estimates on the scale of the anchors, which are the items at ``rows``."""
    estimates, family = found.estimates, found.family
    usable = np.flatnonzero(estimates.a[rows] > 0)
    if len(usable) < MIN_ITEMS:
        raise DataError(
            "too few anchors to link the scales",
            f"{len(usable)} of {len(rows)} discriminate as before",
            f"at least {MIN_ITEMS} are needed",
        )
    before, chosen = anchors.chosen([int(k) for k in usable]), rows[usable]
    now = _curves(estimates)
    target = Curves(now.slope[chosen], now.intercept[chosen], now.c[chosen])
    ratio = family.name == "1pl"
    slope, shift = link_curves(before, target, ratio)
    n = len(family.fixed)
    of_link = _derivatives(before, target, family.index[chosen], n, (slope, shift))
    with_link = _with_link(found.known, family, of_link)
    spread = of_link.T @ with_link
    slope_se, shift_se = np.sqrt(np.diag(spread))
    place, a = family.index, estimates.a[:, None]
    cuts = -now.intercept / a
    # Of A b + B: b = -d / a has the derivatives -b / a and -1 / a.
    of_a, of_d = with_link[place[:, 0]], with_link[place[:, 1:-1]]
    own = -(cuts[..., None] * of_a[:, None, :] + of_d) / a[..., None]
    cross = 2 * slope * (cuts * own[..., 0] + own[..., 1])
    cuts_sd = estimates.thresholds_sd if family.name == "graded" else estimates.b_sd[:, None]
    cuts_sd = np.sqrt((slope * cuts_sd) ** 2 + _of_place(cuts, spread) + cross)
    b_own, used = np.nansum(own, axis=1), family.thresholds[:, None]
    b, b_own = estimates.b, b_own / used
    b_cross = 2 * slope * (b * b_own[:, 0] + b_own[:, 1])
    a_se = estimates.a_sd**2 - 2 * estimates.a / slope * of_a[:, 0]
    a_se = np.maximum(a_se + (estimates.a / slope) ** 2 * spread[0, 0], 0.0)
    graded = family.name == "graded"
    theta = estimates.theta
    return replace(
        estimates,
        a=estimates.a / slope,
        a_sd=np.sqrt(a_se) / slope,
        b=slope * b + shift,
        b_sd=np.sqrt((slope * estimates.b_sd) ** 2 + _of_place(b, spread) + b_cross),
        thresholds=slope * cuts + shift if graded else estimates.thresholds,
        thresholds_sd=cuts_sd if graded else estimates.thresholds_sd,
        theta=slope * theta + shift,
        theta_sd=np.sqrt((slope * estimates.theta_sd) ** 2 + _of_place(theta, spread)),
        population=Population(shift, slope, float(shift_se), float(slope_se)),
        link=Link(slope, shift, float(slope_se), float(shift_se), len(usable)),
    )


def link_curves(anchors: Anchors, target: Curves, ratio: bool = False) -> tuple[float, float]:
    """A and B at which the expected scores of the target are nearest to those of the anchors.

    Parameters
    ----------
    ratio : bool
        Whether A is the ratio of the slopes, as of ``1pl``.
    """
    points = _points(anchors)
    expected = anchors.curves.moments(points)[0].sum(axis=0)
    a = float(np.median(target.slope / anchors.a))
    b = np.nanmean(-target.intercept / target.slope[:, None], axis=1)

    def difference(log_a: float, shift: float) -> Floats:
        moved = _moved(target, float(np.exp(log_a)), shift)
        return np.asarray(_WEIGHT * (expected - moved.moments(points)[0].sum(axis=0)))

    first = [float(np.log(a)), float(np.median(anchors.b) - a * np.median(b))]
    exact = {"xtol": 1e-12, "ftol": 1e-12, "gtol": 1e-12, "max_nfev": 200}
    if ratio:
        only = least_squares(lambda x: difference(first[0], x[0]), first[1:], **exact)
        return a, float(only.x[0])
    both = least_squares(lambda x: difference(x[0], x[1]), first, **exact)
    return float(np.exp(both.x[0])), float(both.x[1])


def _points(anchors: Anchors) -> Floats:
    """Where scores are compared: the cohort's place on this scale is what is to be found."""
    return np.asarray(anchors.b.mean() + max(1.0, float(anchors.b.std())) * _GRID)


def _curves(estimates: ItemEstimates) -> Curves:
    cuts = estimates.thresholds if estimates.thresholds.size else estimates.b[:, None]
    c = estimates.c if estimates.c.size else np.zeros(len(estimates.a))
    return Curves(estimates.a, -estimates.a[:, None] * cuts, c)


def _moved(curves: Curves, a: float, b: float) -> Curves:
    """The curves on the scale ``a theta + b``."""
    slope = curves.slope / a
    return Curves(slope, curves.intercept - slope[:, None] * b, curves.c)


def _derivatives(
    anchors: Anchors,
    target: Curves,
    index: NDArray[np.int64],
    n: int,
    link: tuple[float, float],
) -> Floats:
    """Of A and B for every entry of the vector, shape (n, 2).

    The link is a least-squares solution with small residuals r, so that its derivatives are those
    of Gauss and Newton: minus the pseudo-inverse of dr / d(A, B), times dr / d(parameters).
    """
    points, (a, b) = _points(anchors), link

    def scores(curves: Curves, a: float, b: float) -> Floats:
        return np.asarray(_WEIGHT * _moved(curves, a, b).moments(points)[0])

    def slope_of(up: Floats, down: Floats) -> Floats:
        return np.asarray((up - down) / (2 * _STEP))

    for_a = slope_of(scores(target, a + _STEP, b), scores(target, a - _STEP, b)).sum(axis=0)
    for_b = slope_of(scores(target, a, b + _STEP), scores(target, a, b - _STEP)).sum(axis=0)
    entries = np.hstack([target.slope[:, None], target.intercept, target.c[:, None]])
    for_entries = np.zeros((n, len(points)))
    for k in range(entries.shape[1]):
        ends = []
        for sign in (1, -1):
            moved = entries.copy()
            moved[:, k] += sign * _STEP
            ends.append(scores(Curves(moved[:, 0], moved[:, 1:-1], moved[:, -1]), a, b))
        has = index[:, k] >= 0
        np.add.at(for_entries, index[has, k], slope_of(*ends)[has])
    if len(np.unique(index[:, 0])) < len(index):  # 1pl: A is a over that of the anchors
        of_a = np.zeros(n)
        of_a[index[0, 0]] = 1 / anchors.a.mean()
        total = for_entries + np.outer(of_a, for_a)
        return np.stack([of_a, -(total @ for_b) / (for_b @ for_b)], axis=1)
    return np.asarray(-for_entries @ np.linalg.pinv(np.stack([for_a, for_b], axis=1)).T)


def _with_link(known: Known, family: Family, of_link: Floats) -> Floats:
    """Covariance of every entry with A and B; without pairs of items where these are not known."""
    if known.full:
        return np.asarray(np.nan_to_num(known.whole) @ of_link)
    result = np.zeros_like(of_link)
    for own, block in zip(family.index, np.nan_to_num(known.items), strict=True):
        has = own >= 0
        result[own[has]] = block[np.ix_(has, has)] @ of_link[own[has]]
    return result


def _of_place(value: Floats, spread: Floats) -> Floats:
    """Variance of ``A value + B`` that the link adds."""
    return np.asarray(value**2 * spread[0, 0] + 2 * value * spread[0, 1] + spread[1, 1])
