"""Simulated test responses whose truth is known."""

from typing import NamedTuple

import numpy as np

from tallgrass.items.responses import Anchors, Responses


class Simulated(NamedTuple):
    responses: Responses
    anchors: Anchors
    theta: np.ndarray
    a: np.ndarray
    b: np.ndarray


def simulated_items(n_users=400, n_items=30, n_anchors=4, per_user=15, seed=1):
    """Every user answers a random set of items; parameters are drawn from the model's priors."""
    generator = np.random.default_rng(seed)
    theta = generator.normal(size=n_users)
    log_a, b = 0.2 * generator.normal(size=n_items), generator.normal(size=n_items)
    anchored = np.arange(n_anchors)
    # The anchors' previous values are the centre of their priors.
    before_log_a, before_b = log_a[anchored].copy(), b[anchored].copy()
    log_a[anchored] += 0.05 * generator.normal(size=n_anchors)
    b[anchored] += 0.05 * generator.normal(size=n_anchors)
    user = np.repeat(np.arange(n_users), per_user)
    item = np.concatenate(
        [generator.choice(n_items, per_user, replace=False) for _ in range(n_users)]
    )
    a = np.exp(log_a)
    p = 1 / (1 + np.exp(-a[item] * (theta[user] - b[item])))
    correct = (generator.random(len(user)) < p).astype(np.int8)
    items = tuple(f"i{j:05d}" for j in range(n_items))
    responses = Responses(tuple(f"u{i:07d}" for i in range(n_users)), items, user, item, correct)
    anchors = Anchors(tuple(items[j] for j in anchored), np.exp(before_log_a), before_b)
    return Simulated(responses, anchors, theta, a, b)


def table(matrix, names=None):
    """Responses from a full matrix of 0 and 1, users by items."""
    matrix = np.asarray(matrix)
    n_users, n_items = matrix.shape
    user, item = (x.ravel() for x in np.indices(matrix.shape))
    return Responses(
        tuple(f"u{i:05d}" for i in range(n_users)),
        tuple(names or (f"i{j:03d}" for j in range(n_items))),
        user,
        item,
        matrix.ravel().astype(np.int8),
    )
