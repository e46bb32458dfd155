"""PyMC models of users, for the tests of runs of models that are not ours."""

import numpy as np
import pymc as pm

EFFECTS, ERRORS = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
SCHOOLS = list("abcdefgh")


def eight_schools(centred: bool = False) -> pm.Model:
    """Eight schools (Rubin 1981); the centred form diverges by nature."""
    with pm.Model(coords={"school": SCHOOLS}) as model:
        errors = pm.Data("errors", np.array(ERRORS, float), dims="school")
        mu, tau = pm.Normal("mu", 0, 5), pm.HalfNormal("tau", 5)
        if centred:
            theta = pm.Normal("theta", mu, tau, dims="school")
        else:
            unit = pm.Normal("unit", 0, 1, dims="school")
            theta = pm.Deterministic("theta", mu + tau * unit, dims="school")
        pm.Normal("effect", theta, errors, observed=EFFECTS, dims="school")
    return model


def with_discrete() -> pm.Model:
    """A switch point in counts: nutpie samples no discrete variables."""
    counts = np.random.default_rng(1).poisson([2] * 15 + [7] * 15)
    with pm.Model() as model:
        switch = pm.DiscreteUniform("switch", 0, 29)
        rates = pm.Exponential("rates", 0.2, shape=2)
        pm.Poisson("counts", rates[(np.arange(30) >= switch).astype("int")], observed=counts)
    return model


def of_several_shapes() -> pm.Model:
    """A scalar, a vector on a simplex, a matrix without names, and a term of the density."""
    with pm.Model() as model:
        mu = pm.Normal("mu", 1, 2)
        pm.Dirichlet("share", np.ones(3))
        pm.Normal("table", mu, 1, shape=(2, 3))
        pm.Potential("penalty", -(mu**2))
    return model


def without_free_variables() -> pm.Model:
    """A model of data alone."""
    with pm.Model() as model:
        pm.Normal("y", 0, 1, observed=[0.0])
    return model
