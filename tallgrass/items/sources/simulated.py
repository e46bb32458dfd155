"""Simulated responses with known parameters, to try a calibration: 2,000 users, 60 items."""

import numpy as np

from tallgrass.items.responses import Anchors, Responses

NAME = "simulated"
N_USERS, N_ITEMS, N_ANCHORS, PER_USER = 2000, 60, 8, 25
DRIFTED = 1.0  # how much harder the first anchor became


def simulated_responses(seed: int = 1) -> tuple[Responses, Anchors]:
    """Responses simulated from the item model, and anchors, the first of which has drifted."""
    generator = np.random.default_rng(seed)
    theta = generator.normal(size=N_USERS)
    log_a, b = 0.2 * generator.normal(size=N_ITEMS), generator.normal(size=N_ITEMS)
    items = tuple(f"item-{j + 1:02d}" for j in range(N_ITEMS))
    anchors = Anchors(items[:N_ANCHORS], np.exp(log_a[:N_ANCHORS]), b[:N_ANCHORS].copy())
    b[0] += DRIFTED
    user = np.repeat(np.arange(N_USERS, dtype=np.int32), PER_USER)
    item = np.concatenate(
        [generator.choice(N_ITEMS, PER_USER, replace=False) for _ in range(N_USERS)]
    ).astype(np.int32)
    p = 1 / (1 + np.exp(-np.exp(log_a[item]) * (theta[user] - b[item])))
    correct = (generator.random(len(user)) < p).astype(np.int8)
    users = tuple(f"user-{i + 1:04d}" for i in range(N_USERS))
    return Responses(users, items, user, item, correct), anchors
