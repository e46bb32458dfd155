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


def cohort(n_users=1500, n_items=40, n_anchors=10, mean=0.5, sd=1.0, seed=1, drift=None):
    """Every user answers every item; anchors hold the scale on which the cohort is N(mean, sd).

    ``drift``, by anchor, is how much harder it is now than the anchors say.
    """
    generator = np.random.default_rng(seed)
    log_a, b = 0.2 * generator.normal(size=n_items), generator.normal(size=n_items)
    theta = mean + sd * generator.normal(size=n_users)
    a = np.exp(log_a)
    p = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
    responses = table(generator.random((n_users, n_items)) < p)
    before = b[:n_anchors] - (0 if drift is None else np.asarray(drift))
    anchors = Anchors(responses.items[:n_anchors], a[:n_anchors], before)
    return Simulated(responses, anchors, theta, a, b)


def sparse_cohort(n_users, n_items, per_user, drift, mean=0.3, seed=1):
    """As :func:`cohort`, of a large bank of which every user answers some items."""
    generator = np.random.default_rng(seed)
    log_a, b = 0.2 * generator.normal(size=n_items), generator.normal(size=n_items)
    theta, a = mean + generator.normal(size=n_users), np.exp(log_a)
    user = np.repeat(np.arange(n_users), per_user)
    item = np.argsort(generator.random((n_users, n_items)), axis=1)[:, :per_user].ravel()
    p = 1 / (1 + np.exp(-a[item] * (theta[user] - b[item])))
    correct = (generator.random(len(user)) < p).astype(np.int8)
    items = tuple(f"i{j:03d}" for j in range(n_items))
    responses = Responses(tuple(f"u{i:05d}" for i in range(n_users)), items, user, item, correct)
    n = len(drift)
    anchors = Anchors(items[:n], a[:n], b[:n] - np.asarray(drift))
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
