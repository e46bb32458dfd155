"""Simulation-based calibration of the item engines: where the truth ranks among the draws.

Parameters are drawn from the priors and responses from them; over many such sets of responses the
rank of every parameter among its posterior draws is uniform where the sampler samples the
posterior (Talts et al., 2018).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines import calibrate_gibbs, calibrate_nuts
from tallgrass.items.model import POPULATION
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD, PriorChoice, item_priors
from tallgrass.items.responses import Anchors, Responses
from tallgrass.lab.sbc.uniformity import p_value, tail_probability

Floats = NDArray[np.float64]

THIN = 5  # draws apart far enough to count as independent


@dataclass(frozen=True, eq=False)
class Ranks:
    """Ranks of the truth as numbers in (0, 1), by parameter.

    ``fractions`` has shape (n_sets, n_parameters); ``names`` says which they are.
    """

    names: tuple[str, ...]
    fractions: Floats

    @property
    def p_values(self) -> Floats:
        """Of uniformity, by parameter."""
        n = len(self.fractions)
        return np.array([p_value(tail_probability(x), n) for x in self.fractions.T])

    @property
    def least_p(self) -> float:
        """The smallest p-value, corrected for the number of parameters (Bonferroni)."""
        return float(min(1.0, self.p_values.min() * len(self.names)))


def rank_truth(
    engine: str,
    n_sets: int,
    seed: int,
    n_users: int = 40,
    n_items: int = 8,
    n_anchors: int = 2,
    free: bool = False,
) -> Ranks:
    """Ranks by ``gibbs`` or ``nuts`` over so many sets of responses; who answers what is fixed.

    With ``free`` the mean and standard deviation of the abilities are drawn and ranked too.
    """
    generator = np.random.default_rng(seed)
    items = tuple(f"i{j}" for j in range(n_items))
    users = tuple(f"u{i:03d}" for i in range(n_users))
    user, item = (x.ravel().astype(np.int32) for x in np.indices((n_users, n_items)))
    anchored = items[:n_anchors]
    anchors = Anchors(
        anchored, np.exp(0.2 * generator.normal(size=n_anchors)), generator.normal(size=n_anchors)
    )
    fractions, choice = [], PriorChoice(free=free)
    for turn in range(n_sets):
        blank = Responses(users, items, user, item, np.zeros(len(user), np.int8))
        priors = item_priors(blank, anchors, choice)
        a = np.exp(priors.log_a_mean + priors.log_a_sd * generator.normal(size=n_items))
        b = priors.b_mean + priors.b_sd * generator.normal(size=n_items)
        mean, log_sd = 0.0, 0.0
        if free:
            mean = MEAN_SD * generator.normal()
            log_sd = LOG_SD_SD * generator.normal()
        theta = mean + np.exp(log_sd) * generator.normal(size=n_users)
        p = 1 / (1 + np.exp(-a[item] * (theta[user] - b[item])))
        correct = (generator.random(len(user)) < p).astype(np.int8)
        responses = Responses(users, items, user, item, correct)
        if engine == "gibbs":
            spec = SamplerSpec(draws=500, tune=50, chains=2, seed=turn)
            found = calibrate_gibbs(responses, anchors, spec, most_draws=500, choice=choice)
        else:
            spec = SamplerSpec(draws=500, tune=400, chains=2, seed=turn)
            found = calibrate_nuts(responses, anchors, spec, choice=choice)
        row = []
        ranked = {"a": a, "b": b, "theta": theta[:10]}
        if free:
            ranked |= dict(zip(POPULATION, (np.array([mean]), np.exp([log_sd])), strict=True))
        for name, truth in ranked.items():
            draws = found.trace["posterior"][name].to_numpy()[:, ::THIN]
            draws = draws.reshape(draws.shape[0] * draws.shape[1], -1)[:, : len(truth)]
            below = (draws < truth).sum(axis=0)
            row.append((below + generator.random(len(truth))) / (len(draws) + 1))
        fractions.append(np.concatenate(row))
    names = [*(f"a[{j}]" for j in items), *(f"b[{j}]" for j in items)]
    names += [f"theta[{i}]" for i in users[:10]]
    names += POPULATION if free else ()
    return Ranks(tuple(names), np.array(fractions))
