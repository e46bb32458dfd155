"""Eight schools (Rubin 1981): a model that has nothing to do with votes, as a run.

Run it with ``python projects/own-model/eight_schools.py``.
"""

import numpy as np
import pymc as pm

import tallgrass as tg

EFFECTS = np.array([28, 8, -3, 7, -1, 1, 18, 12])
ERRORS = np.array([15, 10, 16, 11, 9, 11, 10, 18])


def eight_schools() -> pm.Model:
    """Effects of coaching in eight schools, partially pooled."""
    with pm.Model(coords={"school": list("ABCDEFGH")}) as model:
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        unit = pm.Normal("unit", 0, 1, dims="school")
        theta = pm.Deterministic("theta", mu + tau * unit, dims="school")
        pm.Normal("effect", theta, ERRORS, observed=EFFECTS, dims="school")
    return model


if __name__ == "__main__":
    result = tg.sample(eight_schools, target_accept=0.95, log_likelihood=True)
    print(result.verdict.status, result.report_path)
