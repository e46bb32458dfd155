"""Members of a chamber in two dimensions, in coordinates in which no axis can be turned.

``logit P(yea) = b_j v_1i + c_j v_2i - a_j`` does not change under an affine map of the plane. What
leaves nothing to turn: the two groups' means lie at (-1, 0) and (+1, 0), v_2 sums to zero within
each group, its mean square is 1, and within the groups it is uncorrelated with v_1. So axis 1 is
the direction that separates the groups best (Fisher's discriminant), and axis 2 is what divides
members within groups. Only the reflection of axis 2 is left.

Free deviations y_1 and y_2, in the zero-sum space of n - 2 dimensions, have one number too many
each. The length of y_2 is not used: ``v_2 = y_2 sqrt(n / |y_2|^2)``. Nor is ``t = u . y_1``, with
the unit vector ``u = v_2 / sqrt(n)``: ``v_1 = side + y_1 - D u t / (u . D u)``, where D holds about
the variances of y_1. (With D = 1 the members of a party whose spread is nearly 0 would be moved by
t as far as all others, and chains diverge there.) Both get a distribution of their own, which the
votes do not touch; ``dy_1 = dv_1 dt`` for any D that does not depend on y_1, because the part that
is taken out has length ``u . D u / (u . D u) = 1`` along u for each unit of t.
"""

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import integers, number, numbers, size
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.models.base import NON_CENTRED, SPREAD, TYPICAL_SPREAD, Point

Floats = NDArray[np.float64]

_TYPICAL = (TYPICAL_SPREAD, 1.0)  # of each axis, within a group; units, not priors
_SUFFIX = ("", "_2")  # of the names of the variables of each axis


class PlaneMembers(NamedTuple):
    """Standardised positions, and what their densities are made of.

    Parameters
    ----------
    v : pair of tensors, shape (n_legislators,)
        Positions on the two axes.
    squares : pair of tensors, shape (2,)
        Sums of the squared deviations from the group's mean, by group.
    log_tau : pair of tensors, shape (2,), or None
        Logarithms of the spreads within the groups, in units of v; None without spreads.
    log_jacobian : tensor
        Of the coordinates, with the density of what is not used.
    """

    v: tuple[Any, Any]
    squares: tuple[Any, Any]
    log_tau: tuple[Any, Any] | None
    log_jacobian: Any


class _Chamber(NamedTuple):
    """Who belongs to which group, as variables of a graph."""

    n: Any
    sizes: Any  # (2,)
    group: Any  # (n,): of every member
    members: Any  # (2, n): 1 for the members of each group
    free_group: Any  # (n - 2,): of every free deviation
    of_group: Any  # (2, n - 2): 1 for the deviations of each group
    places: Any  # (n - 2,): the members whose deviation is free
    basis: Any  # (n,): zero-sum weights

    def deviations(self, y: Any) -> Any:
        """Deviations of all members, with sum zero in each group, from the free ones."""
        sums = pt.sum(self.of_group * y, axis=1)
        return pt.inc_subtensor((self.basis * sums[self.group])[self.places], y)

    def squares(self, x: Any) -> Any:
        """Sum of squares by group."""
        return pt.sum(self.members * x**2, axis=1)


def _chamber(groups: NDArray[np.int8]) -> _Chamber:
    rows = [np.flatnonzero(groups == g) for g in (0, 1)]
    free_rows = np.concatenate([r[:-1] for r in rows])
    weights = np.zeros(len(groups))
    for r in rows:
        weights[r] = co.zero_sum_weights(len(r))
    both = np.array([[0], [1]])
    return _Chamber(
        number(len(groups)),
        numbers(np.bincount(groups, minlength=2)),
        integers(groups),
        numbers(groups == both),
        integers(groups[free_rows]),
        numbers(groups[free_rows] == both),
        integers(free_rows),
        numbers(weights),
    )


class _Spreads(NamedTuple):
    """Spreads of small groups on one axis, and the units in which their members are sampled."""

    eps: Any
    log_few: Any
    log_unit: Any  # 0 for large groups
    log_jacobian: Any


def _spreads(axis: int, is_small: Any, sizes: Any, information: Floats) -> _Spreads:
    eps = pm.Flat(f"eps_tau{_SUFFIX[axis]}", shape=2)
    # Few members are sampled in units of their spread, which may be 0, or, where that is far above
    # what their votes leave open, in units of that (see coordinates.deviations).
    few = co.log_spread_of_few(eps)
    log_few = few.log_tau + np.log(_TYPICAL[axis])
    known = numbers(information[axis])
    log_unit = is_small * (log_few - 0.5 * pt.log1p(known * pt.exp(2 * log_few)))
    log_jacobian = pt.sum(is_small * few.log_jacobian + (sizes - 1) * log_unit)
    return _Spreads(eps, log_few, log_unit, log_jacobian)


def plane_members(groups: NDArray[np.int8], information: Floats, spreads: bool) -> PlaneMembers:
    """The free variables of the members' positions.

    Parameters
    ----------
    groups : ndarray of 0 and 1, shape (n_legislators,)
        Group of every member; both need two members at least.
    information : ndarray, shape (2, 2)
        About how precisely a member's votes determine v, by axis and group (1 over a variance).
    spreads : bool
        Whether the groups' spreads are parameters.
    """
    chamber = _chamber(groups)
    n, sizes = chamber.n, chamber.sizes
    n_free = len(groups) - 2
    y = [pm.Flat(f"deviation{suffix}", shape=size(n_free)) for suffix in _SUFFIX]
    is_small = numbers(np.bincount(groups, minlength=2) < NON_CENTRED)
    by_axis = [_spreads(axis, is_small, sizes, information) for axis in (0, 1) if spreads]
    for axis, spread in enumerate(by_axis):
        y[axis] = y[axis] * pt.exp(spread.log_unit)[chamber.free_group]

    # The length of y_2: log-normal about sqrt(n), as narrow as a coordinate of y_2 is known, so
    # that no direction is much wider than the others.
    square = pt.sum(y[1] ** 2)
    v_2 = chamber.deviations(y[1] * pt.sqrt(n / square))
    squares_2 = chamber.squares(v_2)
    width = number(1 / np.sqrt(len(groups) * information[1].mean()))
    log_length = 0.5 * pt.log(square / n)
    log_jacobian = -(n - 2) * log_length - 0.5 * (log_length / width) ** 2

    # What of y_1 is not used: standard normal in units of its own spread.
    variance = 1 / numbers(information[0])
    if spreads:
        variance = pt.switch(pt.gt(is_small, 0), pt.exp(2 * by_axis[0].log_unit), variance)
    form = pt.sum(variance * squares_2) / n
    about = chamber.deviations(y[0])
    t = pt.sum(about * v_2) / pt.sqrt(n)
    about = about - variance[chamber.group] * v_2 * t / (form * pt.sqrt(n))
    log_jacobian = log_jacobian - 0.5 * (t**2 / form + pt.log(form))
    # Not public and never stored; tests of the density need them.
    pm.Deterministic("unused_length", log_length)
    pm.Deterministic("unused_part", t / pt.sqrt(form))

    v_1 = numbers(np.where(groups == 1, 1.0, -1.0)) + about
    squares = chamber.squares(about), squares_2
    log_tau = []
    for axis, spread in enumerate(by_axis):
        # Those of axis 2 are in units of v_2, not of y_2.
        few = spread.log_few - log_length if axis == 1 else spread.log_few
        many = 0.5 * pt.log(squares[axis] / sizes) + spread.eps / pt.sqrt(2 * sizes)
        log_tau.append(pt.switch(pt.gt(is_small, 0), few, many))
        log_jacobian = log_jacobian + spread.log_jacobian
    return PlaneMembers(
        (v_1, v_2), squares, (log_tau[0], log_tau[1]) if spreads else None, log_jacobian
    )


def plane_member_start(
    v: tuple[Floats, Floats],
    groups: NDArray[np.int8],
    information: Floats,
    spreads: bool,
) -> Point:
    """Starting values of :func:`plane_members` for positions v, arrays of shape (n_legislators,).

    The positions need group means of -1 and +1 on axis 1, and of 0 on axis 2.
    """
    sizes = np.bincount(groups, minlength=2)
    point: Point = {}
    about = (v[0] - np.where(groups == 1, 1.0, -1.0), v[1] / np.sqrt(np.mean(v[1] ** 2)))
    for axis, suffix in enumerate(_SUFFIX):
        free, eps = [], np.zeros(2)
        for g in (0, 1):
            y = co.zero_sum_inverse(about[axis][groups == g])
            if spreads and sizes[g] < NON_CENTRED:
                typical = _TYPICAL[axis]
                tau = np.sqrt(max(np.mean(y**2), typical**2)) if len(y) else typical
                y = y * np.sqrt(1 + information[axis, g] * tau**2) / tau
                eps[g] = co.log_spread_of_few_inverse(np.log(tau / typical))
            free.append(y)
        point[f"deviation{suffix}"] = np.concatenate(free)
        if spreads:
            point[f"eps_tau{suffix}"] = eps
    return point


def moved(
    v: tuple[Floats, Floats], groups: NDArray[np.int8], generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Positions spread a little about v, with the groups' means where they were."""
    spread = [SPREAD * typical * generator.normal(size=len(groups)) for typical in _TYPICAL]
    for noise in spread:
        for g in (0, 1):
            noise[groups == g] -= noise[groups == g].mean()
    return v[0] + spread[0], v[1] + spread[1]
