"""PyMC models of many kinds, as users write them, for the tests of their compilation."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from own_models import eight_schools, of_several_shapes
from pytensor import scan

_N = 60


def _data() -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(8)
    return generator, generator.integers(0, 4, _N), generator.normal(size=(_N, 3))


def regression() -> pm.Model:
    """Normal data, groups, a matrix product, and dimensions."""
    generator, group, x = _data()
    with pm.Model(coords={"group": list("abcd"), "slope": range(3)}) as model:
        mu, tau = pm.Normal("mu"), pm.HalfNormal("tau")
        unit = pm.Normal("unit", dims="group")
        level = pm.Deterministic("level", mu + tau * unit, dims="group")
        slope = pm.Normal("slope_of", dims="slope")
        pm.Normal(
            "y",
            level[group] + x @ slope,
            pm.HalfCauchy("sigma", 1),
            observed=generator.normal(size=_N),
        )
    return model


def counts() -> pm.Model:
    """Poisson, binomial and negative binomial data, whose factorials are constants."""
    generator, group, x = _data()
    with pm.Model() as model:
        rate = pm.Normal("rate", shape=4)
        pm.Poisson("n", pm.math.exp(rate[group]), observed=generator.poisson(2, _N))
        pm.Binomial(
            "k", 9, pm.math.invlogit(rate[0] + x[:, 0]), observed=generator.integers(0, 9, _N)
        )
        alpha = pm.Gamma("alpha", 2, 1)
        pm.NegativeBinomial("m", mu=3.0, alpha=alpha, observed=generator.poisson(3, _N))
    return model


def answers() -> pm.Model:
    """A 2PL in PyMC's own words."""
    generator, _, _ = _data()
    user, item = np.repeat(np.arange(12), 5), np.tile(np.arange(5), 12)
    with pm.Model() as model:
        theta, a = pm.Normal("theta", shape=12), pm.LogNormal("a", 0, 0.5, shape=5)
        b = pm.Normal("b", shape=5)
        right = generator.integers(0, 2, 60)
        pm.Bernoulli("x", logit_p=a[item] * (theta[user] - b[item]), observed=right)
    return model


def mixture() -> pm.Model:
    """Two normals, with ordered means and weights on a simplex."""
    generator, _, _ = _data()
    with pm.Model() as model:
        weight = pm.Dirichlet("weight", np.ones(2))
        mean = pm.Normal(
            "mean",
            0,
            2,
            shape=2,
            transform=pm.distributions.transforms.ordered,
            initval=[-1.0, 1.0],
        )
        pm.NormalMixture(
            "y", weight, mean, sigma=pm.Exponential("sigma", 1), observed=generator.normal(size=_N)
        )
    return model


def correlated() -> pm.Model:
    """Vectors with an LKJ prior of their correlations."""
    generator, _, _ = _data()
    with pm.Model() as model:
        chol, _, _ = pm.LKJCholeskyCov("chol", n=3, eta=2, sd_dist=pm.Exponential.dist(1, shape=3))
        pm.MvNormal(
            "y", pm.Normal("mu", shape=3), chol=chol, observed=generator.normal(size=(20, 3))
        )
    return model


def gaussian_process() -> pm.Model:
    """A Gaussian process with an unknown length."""
    x = np.linspace(0, 1, 15)[:, None]
    with pm.Model() as model:
        process = pm.gp.Marginal(cov_func=pm.gp.cov.ExpQuad(1, pm.Gamma("length", 2, 2)))
        process.marginal_likelihood("y", x, np.sin(6 * x[:, 0]), sigma=pm.HalfNormal("sigma"))
    return model


def bounded() -> pm.Model:
    """Variables between bounds, truncated and censored data, and a robust likelihood."""
    generator, _, _ = _data()
    with pm.Model() as model:
        mu, nu = pm.Uniform("mu", -3, 3), pm.Gamma("nu", 2, 0.1)
        pm.TruncatedNormal("part", mu, 1, lower=0, observed=abs(generator.normal(size=_N)))
        pm.Censored(
            "above",
            pm.Normal.dist(mu, 1),
            lower=None,
            upper=1.0,
            observed=np.minimum(generator.normal(size=_N), 1),
        )
        pm.StudentT("y", nu, mu, sigma=pm.Beta("width", 2, 2), observed=generator.normal(size=_N))
    return model


def with_gaps() -> pm.Model:
    """Missing values, which are variables too, and effects that sum to zero."""
    generator, group, _ = _data()
    y = generator.normal(size=_N)
    y[[2, 9]] = np.nan
    with pm.Model() as model:
        effect = pm.ZeroSumNormal("effect", shape=4)
        pm.Normal("y", effect[group], 1, observed=np.ma.masked_invalid(y))
    return model


def random_walk() -> pm.Model:
    """Steps of a walk, and their sum as a variable that is kept."""
    generator, _, _ = _data()
    with pm.Model() as model:
        steps = pm.Normal("steps", 0, pm.HalfNormal("sigma"), shape=_N)
        path = pm.Deterministic("path", pt.cumsum(steps))
        pm.Deterministic("ends", pt.stack([path[0], path[-1]])[None, :])
        pm.Normal("y", path, 1, observed=generator.normal(size=_N).cumsum())
    return model


def without_bounds() -> pm.Model:
    """A model that is told not to look for parameters out of bounds."""
    with pm.Model(check_bounds=False) as model:
        pm.Normal("y", pm.Normal("mu"), pm.HalfNormal("sigma"), observed=[0.5, 1.5])
    return model


def of_many_parts() -> pm.Model:
    """More variables than numba takes in one call."""
    with pm.Model() as model:
        parts = [pm.Normal(f"part_{i}", 0, pm.HalfNormal(f"width_{i}")) for i in range(20)]
        pm.Normal("y", sum(parts), 1, observed=0.5)
    return model


def in_steps() -> pm.Model:
    """A recursion, which has no form of loops here."""
    with pm.Model() as model:
        rho = pm.Uniform("rho", -1, 1)
        path = scan(
            lambda before, factor: factor * before,
            outputs_info=[pt.as_tensor(np.array(1.0))],
            non_sequences=[rho],
            n_steps=6,
            return_updates=False,
        )
        pm.Normal("y", path, 1, observed=np.ones(6))
    return model


LOOPS = {
    make.__name__: make
    for make in (
        regression,
        counts,
        answers,
        mixture,
        correlated,
        gaussian_process,
        bounded,
        with_gaps,
        random_walk,
        without_bounds,
        of_many_parts,
        eight_schools,
        of_several_shapes,
    )
}
