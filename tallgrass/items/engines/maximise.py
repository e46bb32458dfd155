"""The M-step: item parameters given expected counts, by Newton's method, item by item.

Without priors the parameters are slope and intercept, ``z = slope x + intercept``: the expected
log-likelihood is concave in them, and a slope may be negative. With priors they are log a and b.
"""

import math

from tallgrass.inference.jit import stored_njit

_STEPS = 3
_MOST_LOGIT = 30.0


@stored_njit()
def newton_slopes(  # type: ignore[no-untyped-def]
    counts, x, slope, intercept, pull, slope_to, intercept_to
):
    """One M-step in slopes and intercepts, which are overwritten.

    ``pull``, shape (n_items, 2), holds the precisions of normal priors at ``slope_to`` and
    ``intercept_to``. It is zero except for items that all users answered correctly, or all wrongly,
    which have no maximum.
    """
    for j in range(len(slope)):
        for _ in range(_STEPS):
            g1, g2, h11, h12, h22 = 0.0, 0.0, 0.0, 0.0, 0.0
            for q in range(len(x)):
                n = counts[2 * j, q] + counts[2 * j + 1, q]
                p = 1.0 / (1.0 + math.exp(-(slope[j] * x[q] + intercept[j])))
                r = counts[2 * j + 1, q] - n * p
                w = n * p * (1.0 - p)
                g1 += r * x[q]
                g2 += r
                h11 += w * x[q] * x[q]
                h12 += w * x[q]
                h22 += w
            g1 -= pull[j, 0] * (slope[j] - slope_to)
            g2 -= pull[j, 1] * (intercept[j] - intercept_to)
            h11 += pull[j, 0] + 1e-10
            h22 += pull[j, 1] + 1e-10
            det = h11 * h22 - h12 * h12
            step = (h22 * g1 - h12 * g2) / det
            slope[j] += min(max(step, -1.0), 1.0)
            step = (h11 * g2 - h12 * g1) / det
            intercept[j] += min(max(step, -1.0), 1.0)
            slope[j] = min(max(slope[j], -_MOST_LOGIT), _MOST_LOGIT)
            intercept[j] = min(max(intercept[j], -_MOST_LOGIT), _MOST_LOGIT)


@stored_njit()
def newton_priors(  # type: ignore[no-untyped-def]
    counts, x, log_a, b, log_a_mean, log_a_sd, b_mean, b_sd
):
    """One M-step in log a and b with normal priors (Fisher scoring); both are overwritten."""
    for j in range(len(log_a)):
        for _ in range(_STEPS):
            a = math.exp(log_a[j])
            g1, g2, h11, h12, h22 = 0.0, 0.0, 0.0, 0.0, 0.0
            for q in range(len(x)):
                n = counts[2 * j, q] + counts[2 * j + 1, q]
                z = a * (x[q] - b[j])
                p = 1.0 / (1.0 + math.exp(-z))
                r = counts[2 * j + 1, q] - n * p
                w = n * p * (1.0 - p)
                g1 += r * z
                g2 -= a * r
                h11 += w * z * z
                h12 -= a * w * z
                h22 += a * a * w
            g1 -= (log_a[j] - log_a_mean[j]) / log_a_sd[j] ** 2
            g2 -= (b[j] - b_mean[j]) / b_sd[j] ** 2
            h11 += 1.0 / log_a_sd[j] ** 2
            h22 += 1.0 / b_sd[j] ** 2
            det = h11 * h22 - h12 * h12
            step = (h22 * g1 - h12 * g2) / det
            log_a[j] += min(max(step, -0.5), 0.5)
            step = (h11 * g2 - h12 * g1) / det
            b[j] += min(max(step, -1.0), 1.0)
