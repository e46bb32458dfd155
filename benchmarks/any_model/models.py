"""Ten PyMC models of the kinds that people have, each a function without arguments.

Data that are not public knowledge are simulated, in the shape of the well-known examples.
"""

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor.tensor as pt

MODELS: dict[str, Callable[[], pm.Model]] = {}


def _listed(function: Callable[[], pm.Model]) -> Callable[[], pm.Model]:
    MODELS[function.__name__] = function
    return function


@_listed
def eight_schools() -> pm.Model:
    """Rubin (1981), not centred."""
    effects, errors = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    with pm.Model(coords={"school": list("ABCDEFGH")}) as model:
        mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
        unit = pm.Normal("unit", 0, 1, dims="school")
        theta = pm.Deterministic("theta", mu + tau * unit, dims="school")
        pm.Normal("effect", theta, errors, observed=effects, dims="school")
    return model


@_listed
def radon() -> pm.Model:
    """Varying intercepts and slopes of 85 counties and 919 houses (Gelman and Hill 2007)."""
    generator = np.random.default_rng(1)
    county = np.sort(generator.integers(0, 85, 919))
    floor = (generator.random(919) < 0.17).astype(float)
    level = generator.normal(1.5, 0.3, 85)
    y = level[county] - 0.65 * floor + generator.normal(0, 0.75, 919)
    coords = {"county": [f"county {i}" for i in range(85)], "house": np.arange(919)}
    with pm.Model(coords=coords) as model:
        mu_a, mu_b = pm.Normal("mu_a", 0, 10), pm.Normal("mu_b", 0, 10)
        sd_a, sd_b = pm.Exponential("sd_a", 1), pm.Exponential("sd_b", 1)
        a = pm.Deterministic("a", mu_a + sd_a * pm.Normal("za", dims="county"), dims="county")
        b = pm.Deterministic("b", mu_b + sd_b * pm.Normal("zb", dims="county"), dims="county")
        sigma = pm.Exponential("sigma", 1)
        pm.Normal("log_radon", a[county] + b[county] * floor, sigma, observed=y, dims="house")
    return model


@_listed
def rasch() -> pm.Model:
    """150 persons, 20 items."""
    generator = np.random.default_rng(2)
    eta = generator.normal(size=(150, 1)) - np.linspace(-2, 2, 20)
    right = generator.random((150, 20)) < 1 / (1 + np.exp(-eta))
    coords = {"person": np.arange(150), "item": [f"q{j}" for j in range(20)]}
    with pm.Model(coords=coords) as model:
        spread = pm.HalfNormal("spread", 2)
        theta = pm.Normal("theta", 0, spread, dims="person")
        b = pm.Normal("b", 0, 2, dims="item")
        pm.Bernoulli("right", logit_p=theta[:, None] - b, observed=right, dims=("person", "item"))
    return model


@_listed
def two_dimensional_irt() -> pm.Model:
    """60 members, 80 roll calls, two dimensions; the loadings of two roll calls fix the axes."""
    generator = np.random.default_rng(3)
    place, slope = generator.normal(size=(60, 2)), generator.normal(size=(80, 2))
    slope[0], slope[1] = [2.0, 0.0], [0.0, 2.0]
    yea = generator.random((60, 80)) < 1 / (1 + np.exp(-place @ slope.T))
    with pm.Model(coords={"member": np.arange(60), "vote": np.arange(80), "axis": [1, 2]}) as model:
        xi = pm.Normal("xi", 0, 1, dims=("member", "axis"))
        free = pm.Normal("free", 0, 1, shape=(78, 2))
        fixed = pt.as_tensor(np.diag([2.0, 2.0]))
        beta = pm.Deterministic("beta", pt.concatenate([fixed, free]), dims=("vote", "axis"))
        alpha = pm.Normal("alpha", 0, 1, dims="vote")
        pm.Bernoulli("yea", logit_p=xi @ beta.T - alpha, observed=yea, dims=("member", "vote"))
    return model


@_listed
def mixture_with_discrete() -> pm.Model:
    """Two normals, with the component of each point as a discrete variable: compound steps."""
    generator = np.random.default_rng(4)
    y = np.r_[generator.normal(-2, 1, 25), generator.normal(2.5, 1, 35)]
    with pm.Model(coords={"component": [0, 1], "point": np.arange(60)}) as model:
        share = pm.Beta("share", 2, 2)
        mu = pm.Normal("mu", [-1, 1], 2, dims="component")
        z = pm.Bernoulli("z", share, dims="point")
        pm.Normal("y", mu[z], 1, observed=y, dims="point")
    return model


@_listed
def gaussian_process() -> pm.Model:
    """A marginal Gaussian process over 50 points."""
    generator = np.random.default_rng(5)
    x = np.sort(generator.uniform(0, 10, 50))[:, None]
    y = np.sin(x[:, 0]) + 0.2 * generator.normal(size=50)
    with pm.Model() as model:
        length, height = pm.Gamma("length", 2, 1), pm.HalfNormal("height", 2)
        kernel = height**2 * pm.gp.cov.Matern52(1, ls=length)
        gp = pm.gp.Marginal(cov_func=kernel)
        gp.marginal_likelihood("y", X=x, y=y, sigma=pm.HalfNormal("sigma", 1))
    return model


@_listed
def time_series() -> pm.Model:
    """A local level: a random walk of 100 steps, observed with noise."""
    generator = np.random.default_rng(6)
    level = np.cumsum(0.3 * generator.normal(size=100))
    with pm.Model(coords={"time": np.arange(100)}) as model:
        step, noise = pm.HalfNormal("step", 1), pm.HalfNormal("noise", 1)
        unit = pm.Normal("unit", dims="time")
        walk = pm.Deterministic("walk", pt.cumsum(step * unit), dims="time")
        pm.Normal("y", walk, noise, observed=level + 0.5 * generator.normal(size=100), dims="time")
    return model


@_listed
def logistic_regression() -> pm.Model:
    """600 rows, six predictors, coordinates and data containers."""
    generator = np.random.default_rng(7)
    x = generator.normal(size=(600, 6))
    yes = generator.random(600) < 1 / (1 + np.exp(-x @ [1, -1, 0.5, 0, 0, 2]))
    coords = {"row": np.arange(600), "predictor": list("abcdef")}
    with pm.Model(coords=coords) as model:
        data = pm.Data("x", x, dims=("row", "predictor"))
        intercept, beta = pm.Normal("intercept"), pm.Normal("beta", 0, 2, dims="predictor")
        pm.Bernoulli("yes", logit_p=intercept + data @ beta, observed=yes, dims="row")
    return model


@_listed
def censored_with_potential() -> pm.Model:
    """Weibull times, some of them censored, which are a potential; times are data containers."""
    generator = np.random.default_rng(8)
    times = generator.weibull(1.5, 200) * 2
    seen = times < 2.5
    with pm.Model() as model:
        observed, censored = pm.Data("observed", times[seen]), pm.Data("censored", 2.5)
        shape, scale = pm.LogNormal("shape", 0, 1), pm.LogNormal("scale", 0, 1)
        pm.Weibull("time", shape, scale, observed=observed)
        survival = -((censored / scale) ** shape)
        pm.Potential("survival", int((~seen).sum()) * survival)
    return model


@_listed
def funnel() -> pm.Model:
    """Neal (2003): it diverges by nature."""
    with pm.Model() as model:
        v = pm.Normal("v", 0, 3)
        pm.Normal("x", 0, pt.exp(v / 2), shape=9)
    return model
