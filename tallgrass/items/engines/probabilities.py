"""Probabilities of responses, and log-likelihood ratios by user and by item.

A logarithm costs as much as ten multiplications, so ratios are multiplied as long as the product is
finite. Users are unsigned integers, because a signed index may count from the end, which would be
checked at every access.
"""

import math

import numpy as np

from tallgrass.inference.jit import stored_njit
from tallgrass.inference.kernel.dense import _FASTMATH, _exp_of_negative

_BLOCK = 2048  # responses; their probabilities (16 KiB) stay in the first-level cache
_LEAST = 1e-100  # probability of an answer, so that the ratio of two stays finite
_FLUSH = 1e200  # a product above this, or below its inverse, is added to the logarithms
_RATIOS, _FAR = 64, 1e4  # a product of 64 numbers in (1e-4, 1e4) is finite and not denormal


@stored_njit(fastmath=_FASTMATH)
def _logits(user, theta, z, slope, intercept):  # type: ignore[no-untyped-def]
    for k in range(len(user)):
        z[k] = slope * theta[user[k]] - intercept


@stored_njit(fastmath=_FASTMATH)
def _affine(theta_of_item, z, slope, intercept):  # type: ignore[no-untyped-def]
    for k in range(len(theta_of_item)):
        z[k] = slope * theta_of_item[k] - intercept


@stored_njit(fastmath=_FASTMATH)
def _probabilities(z):  # type: ignore[no-untyped-def]
    """Overwrite z with P."""
    for k in range(len(z)):
        x = z[k]
        e = _exp_of_negative(-abs(x))
        inverse = 1.0 / (1.0 + e)
        z[k] = max((1.0 if x > 0.0 else e) * inverse, _LEAST)


@stored_njit(fastmath=_FASTMATH)
def _divide(new, old, ratio):  # type: ignore[no-untyped-def]
    for k in range(len(new)):
        ratio[k] = new[k] / old[k]


@stored_njit()
def _multiply(user, ratio, product, log_product):  # type: ignore[no-untyped-def]
    for k in range(len(user)):
        i = user[k]
        value = product[i] * ratio[k]
        if value < 1.0 / _FLUSH or value > _FLUSH:
            log_product[i] += math.log(value)
            value = 1.0
        product[i] = value


@stored_njit()
def _of_block(user, bounds, theta, a, c, probability, start, first):  # type: ignore[no-untyped-def]
    """Write the probabilities of a block and return its last run.

    A run is the correct, or the wrong, responses to one item; ``first`` is a run at or before the
    start of the block.
    """
    stop = start + len(probability)
    while bounds[first + 1] <= start:
        first += 1
    run, low = first, start
    while low < stop:
        high = min(bounds[run + 1], stop)
        j, sign = run // 2, 1.0 - 2.0 * (run % 2)
        z = probability[low - start : high - start]
        _logits(user[low:high], theta, z, sign * a[j], sign * c[j])
        low = high
        run += 1
    _probabilities(probability)
    return run - 1


@stored_njit()
def evaluate(user, bounds, theta, a, c, probability):  # type: ignore[no-untyped-def]
    """Write the probability of every response."""
    run = 0
    for start in range(0, len(user), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(user)))
        run = _of_block(user, bounds, theta, a, c, probability[block], start, run)


@stored_njit()
def evaluate_change(user, bounds, theta, a, c, old, probability, work):  # type: ignore[no-untyped-def]
    """Write the probabilities, and by user the change of the log-likelihood from ``old``.

    ``work`` is (product, change), by user: ``product`` is work space, ``change`` the result.
    """
    product, change = work
    product[:] = 1.0
    change[:] = 0.0
    ratio, run = np.empty(_BLOCK), 0
    for start in range(0, len(user), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(user)))
        new = probability[block]
        run = _of_block(user, bounds, theta, a, c, new, start, run)
        _divide(new, old[block], ratio)
        _multiply(user[block], ratio, product, change)
    for i in range(len(product)):
        change[i] += math.log(product[i])


@stored_njit()
def abilities_of(user, theta, theta_of_item):  # type: ignore[no-untyped-def]
    """Write the ability of every response's user."""
    for k in range(len(user)):
        theta_of_item[k] = theta[user[k]]


@stored_njit()
def evaluate_item(theta_of_item, n_correct, a, c, probability):  # type: ignore[no-untyped-def]
    """Write the probabilities of one item's responses, correct ones first."""
    _affine(theta_of_item[:n_correct], probability[:n_correct], a, c)
    _affine(theta_of_item[n_correct:], probability[n_correct:], -a, -c)
    _probabilities(probability)


@stored_njit(fastmath=_FASTMATH)
def _product_of_ratios(new, old):  # type: ignore[no-untyped-def]
    """Product of the ratios new / old, and how many ratios are far from 1."""
    product, far = 1.0, 0.0
    for k in range(len(new)):
        ratio = new[k] / old[k]
        product *= ratio
        far += 0.0 if 1.0 / _FAR < ratio < _FAR else 1.0
    return product, far


@stored_njit()
def log_ratio_of(new, old):  # type: ignore[no-untyped-def]
    """Sum of log(new / old): the change of the log-likelihood of these responses."""
    total = 0.0
    for low in range(0, len(new), _RATIOS):
        high = min(low + _RATIOS, len(new))
        product, far = _product_of_ratios(new[low:high], old[low:high])
        if far == 0.0:
            total += math.log(product)
        else:
            for k in range(low, high):
                total += math.log(new[k]) - math.log(old[k])
    return total


@stored_njit()
def replace(user, accepted, probability, proposed):  # type: ignore[no-untyped-def]
    """Take the proposed probabilities of users whose move was accepted (1, else 0)."""
    for k in range(len(user)):
        # No branch, because the processor cannot predict it.
        new = accepted[user[k]]
        probability[k] = new * proposed[k] + (1.0 - new) * probability[k]


@stored_njit()
def copy_into(old, new):  # type: ignore[no-untyped-def]
    """Overwrite ``old``; a loop is faster than numba's slice assignment."""
    for k in range(len(new)):
        old[k] = new[k]
