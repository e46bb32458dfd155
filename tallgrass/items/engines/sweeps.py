"""One chain of the blocked Gibbs sampler of the item model, in compiled loops.

A sweep draws, in this order,

1. every ability by independence Metropolis from ``N(EAP, (1.1 SD)^2)``, with the mean and SD of its
   posterior given the items at the mode;
2. a shift ``theta + c, b + c``: the likelihood does not change, so c is exactly Gaussian;
3. a scale ``s theta, s b, log a - log s`` by Metropolis; likelihood unchanged, Jacobian s^(U+I);
4. (log a, b) of every item by independence Metropolis: one Newton step from the mode given the
   abilities, and a bivariate t with 6 degrees of freedom about it, widened by 1.1. (A Gaussian
   proposal gets stuck in its tails.)

Of a free population N(m, sigma), steps 2 and 3 also move m by c, and m and sigma by s, which leaves
the density of the abilities as it is up to its Jacobian, and

5. m given the abilities is Gaussian;
6. sigma^2 given the abilities is inverse-gamma but for the prior of sigma, by which Metropolis
   accepts.

Items are independent given the abilities, and abilities given the items, so each block is exact.

The probability of every response is part of a chain's state. Steps 1 and 4 replace it where a move
is accepted; steps 2 and 3 do not change it. A sweep therefore evaluates it three times: for the
proposed abilities, for the items at the mode, and for the proposed items.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.jit import stored_njit
from tallgrass.inference.kernel.dense import _FASTMATH
from tallgrass.items.engines.probabilities import (
    abilities_of,
    copy_into,
    evaluate_change,
    evaluate_item,
    log_ratio_of,
    replace,
)
from tallgrass.items.engines.scale_moves import (
    accepts,
    draw_population,
    log_prior_ratio,
    scale,
    shift,
)

Floats = NDArray[np.float64]

WIDEN = 1.1
_DEGREES = 6.0


# Numba's files of stored code name these classes: after renaming one, numba cannot read old files
# until they are removed.


class State(NamedTuple):
    """The current point of a chain; ``probability`` is by response. Sweeps overwrite it."""

    theta: Floats
    log_a: Floats
    b: Floats
    probability: Floats
    population: Floats  # mean and logarithm of the standard deviation of the abilities


class Reference(NamedTuple):
    """The values around which moves are proposed."""

    theta: Floats
    theta_spread: Floats
    log_a: Floats
    b: Floats


class Priors(NamedTuple):
    """Means and standard deviations of the items' priors, and whether the population is free."""

    log_a_mean: Floats
    log_a_sd: Floats
    b_mean: Floats
    b_sd: Floats
    free: bool


class Work(NamedTuple):
    """Work space: by user, except ``probability``, which is by response."""

    proposal: Floats
    product: Floats
    change: Floats
    moved: Floats
    probability: Floats


class Draws(NamedTuple):
    """Rows of draws; ``theta`` may have none.

    The sums of theta and theta^2 are over each half of the rows of ``a``, shape (2, n_users).
    """

    a: Floats
    b: Floats
    theta: NDArray[np.float32]
    theta_sums: Floats
    theta_squares: Floats
    population: Floats  # mean and standard deviation


@stored_njit(fastmath=_FASTMATH)
def _information(at, probability, y, sums):  # type: ignore[no-untyped-def]
    """Add to the sums of r, r theta, w, w theta and w theta^2; ``probability`` is of answer y."""
    s0, s1, w0, w1, w2 = 0.0, 0.0, 0.0, 0.0, 0.0
    sign = 2.0 * y - 1.0
    for k in range(len(at)):
        x = at[k]
        p = probability[k]
        w = p * (1.0 - p)
        r = sign * (1.0 - p)
        s0 += r
        s1 += r * x
        w0 += w
        w1 += w * x
        w2 += w * x * x
    sums[0] += s0
    sums[1] += s1
    sums[2] += w0
    sums[3] += w1
    sums[4] += w2


@stored_njit()
def _proposal(sums, log_a, b, log_a_mean, log_a_sd, b_mean, b_sd):  # type: ignore[no-untyped-def]
    """Centre of one Newton step from (log_a, b), and the information there."""
    a = math.exp(log_a)
    r, rx, w, wx, wxx = sums
    g1 = a * (rx - b * r) - (log_a - log_a_mean) / log_a_sd**2
    g2 = -a * r - (b - b_mean) / b_sd**2
    expected = a * a * (wxx - 2.0 * b * wx + b * b * w) + 1.0 / log_a_sd**2
    h11 = expected - a * (rx - b * r)
    h12 = -a * a * (wx - b * w) + a * r
    h22 = a * a * w + 1.0 / b_sd**2
    # The expected information replaces an observed one that is almost singular.
    h11 = max(h11, 0.5 * expected)
    det = h11 * h22 - h12 * h12
    if det < 0.2 * h11 * h22:
        h12 = -a * a * (wx - b * w)
        h11 = expected
        det = h11 * h22 - h12 * h12
    centre_a = log_a + (h22 * g1 - h12 * g2) / det
    centre_b = b + (h11 * g2 - h12 * g1) / det
    return centre_a, centre_b, h11, h12, h22


@stored_njit()
def _log_t(squared):  # type: ignore[no-untyped-def]
    """Log-density of the bivariate t at a squared Mahalanobis distance, up to a constant."""
    return -0.5 * (_DEGREES + 2.0) * math.log1p(squared / (_DEGREES * WIDEN * WIDEN))


@stored_njit()
def draw_abilities(  # type: ignore[no-untyped-def]
    rng, user, bounds, theta, a, c, centre, spread, probability, work, mean, sd
):
    """Step 1; ``probability`` belongs to ``theta``. Returns the number of accepted moves."""
    proposal, change, moved = work.proposal, work.change, work.moved
    for i in range(len(theta)):
        proposal[i] = centre[i] + spread[i] * rng.standard_normal()
    evaluate_change(
        user, bounds, proposal, a, c, probability, work.probability, (work.product, change)
    )
    accepted = 0
    for i in range(len(theta)):
        old, new = (theta[i] - centre[i]) / spread[i], (proposal[i] - centre[i]) / spread[i]
        units_new, units_old = (proposal[i] - mean) / sd, (theta[i] - mean) / sd
        log_ratio = change[i] - 0.5 * (units_new**2 - units_old**2)
        log_ratio += 0.5 * (new * new - old * old)
        moved[i] = 0.0
        if accepts(rng, log_ratio):
            theta[i], moved[i] = proposal[i], 1.0
            accepted += 1
    replace(user, moved, probability, work.probability)
    return accepted


@stored_njit()
def _longest(bounds):  # type: ignore[no-untyped-def]
    """The most responses of one item."""
    most = 0
    for j in range(len(bounds) // 2):
        most = max(most, bounds[2 * j + 2] - bounds[2 * j])
    return most


@stored_njit()
def draw_items(  # type: ignore[no-untyped-def]
    rng, user, bounds, theta, log_a, b, mode_a, mode_b, priors, probability, proposed
):
    """Step 4; ``probability`` belongs to the items, ``proposed`` is work space.

    Returns the number of accepted moves.
    """
    log_a_mean, log_a_sd, b_mean, b_sd, _ = priors
    sums = np.empty(5)
    abilities = np.empty(_longest(bounds))
    accepted = 0
    # Item by item, so that the values of an item's responses stay in the processor's cache.
    for j in range(len(b)):
        low, high = bounds[2 * j], bounds[2 * j + 2]
        n_correct = bounds[2 * j + 1] - low
        theta_of_item, current, new = (
            abilities[: high - low],
            probability[low:high],
            proposed[: high - low],
        )
        abilities_of(user[low:high], theta, theta_of_item)
        slope = math.exp(mode_a[j])
        evaluate_item(theta_of_item, n_correct, slope, slope * mode_b[j], new)
        sums[:] = 0.0
        _information(theta_of_item[:n_correct], new[:n_correct], 1.0, sums)
        _information(theta_of_item[n_correct:], new[n_correct:], 0.0, sums)
        prior = log_a_mean[j], log_a_sd[j], b_mean[j], b_sd[j]
        m1, m2, h11, h12, h22 = _proposal(sums, mode_a[j], mode_b[j], *prior)
        new_a, new_b, log_ratio = _draw_t(rng, m1, m2, h11, h12, h22, log_a[j], b[j])
        slope = math.exp(new_a)
        evaluate_item(theta_of_item, n_correct, slope, slope * new_b, new)
        log_ratio += log_ratio_of(new, current)
        log_ratio += log_prior_ratio(new_a, log_a[j], log_a_mean[j], log_a_sd[j])
        log_ratio += log_prior_ratio(new_b, b[j], b_mean[j], b_sd[j])
        if accepts(rng, log_ratio):
            log_a[j], b[j] = new_a, new_b
            accepted += 1
            copy_into(current, new)
    return accepted


@stored_njit()
def _draw_t(rng, m1, m2, h11, h12, h22, old_a, old_b):  # type: ignore[no-untyped-def]
    """Draw (log a, b) from the t; also returns log t(old) - log t(new)."""
    det = h11 * h22 - h12 * h12
    l11 = math.sqrt(h22 / det)
    l21 = -h12 / det / l11
    l22 = math.sqrt(max(h11 / det - l21 * l21, 0.0))
    width = WIDEN * math.sqrt(0.5 * _DEGREES / rng.standard_gamma(0.5 * _DEGREES))
    e1, e2 = width * rng.standard_normal(), width * rng.standard_normal()
    d1, d2 = old_a - m1, old_b - m2
    back = h11 * d1 * d1 + 2.0 * h12 * d1 * d2 + h22 * d2 * d2
    log_q = _log_t(back) - _log_t(e1 * e1 + e2 * e2)
    return m1 + l11 * e1, m2 + l21 * e1 + l22 * e2, log_q


@stored_njit()
def sweep(  # type: ignore[no-untyped-def]
    rng, n, data, state, reference, priors, step, work, draws, first
):
    """Do n sweeps and write the draws from row ``first`` on, as far as ``draws`` has room.

    Parameters
    ----------
    data : (user, bounds)
        From :func:`tallgrass.items.model.sorted_by_item`, users as unsigned integers.

    Returns
    -------
    tuple of int
        Accepted moves of abilities, of items, of the scale.
    """
    user, bounds = data
    theta, log_a, b, probability, population = state
    centre, spread, mode_a, mode_b = reference
    log_a_mean, log_a_sd, b_mean, b_sd, free = priors
    by_theta, by_items, by_scale = 0, 0, 0
    for t in range(n):
        a = np.exp(log_a)
        by_theta += draw_abilities(
            rng, user, bounds, theta, a, a * b, centre, spread, probability, work,
            population[0], math.exp(population[1]),
        )  # fmt: skip
        shift(rng, theta, b, b_mean, b_sd, free, population)
        by_scale += scale(
            rng, step, theta, log_a, b, log_a_mean, log_a_sd, b_mean, b_sd, free, population
        )
        if free:
            draw_population(rng, theta, population)
        by_items += draw_items(
            rng, user, bounds, theta, log_a, b, mode_a, mode_b, priors, probability,
            work.probability,
        )  # fmt: skip
        row = first + t
        if row < len(draws.a):
            half = 2 * row // len(draws.a)
            draws.a[row] = np.exp(log_a)
            draws.b[row] = b
            if free:
                draws.population[row, 0] = population[0]
                draws.population[row, 1] = math.exp(population[1])
            if row < len(draws.theta):
                for i in range(len(theta)):
                    draws.theta[row, i] = theta[i]
            for i in range(len(theta)):
                draws.theta_sums[half, i] += theta[i]
                draws.theta_squares[half, i] += theta[i] * theta[i]
    return by_theta, by_items, by_scale
