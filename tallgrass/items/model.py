"""Two-parameter logistic model of test items, its scale fixed by the abilities' prior and anchors.

    theta_i ~ N(0, 1)      log a_j ~ N(0, 0.2), b_j ~ N(0, 1); anchors: see item_priors
    logit P(correct) = a_j (theta_i - b_j)

or, of a free population, theta_i ~ N(m, s).

The textbook coordinates sample well here, each in units of its prior, because each item has
hundreds of responses and the prior's scale is known. With

    log a_j = m_j + s_j x_j,  b_j = n_j + t_j y_j

all of x, y and theta are N(0, 1), with log-density ``-(x.x + y.y + theta.theta) / 2``: three dot
products. In a free population the coordinates are those of standardised abilities, on whose scale
m and s do not change the probability of an answer; with z, u, v as coordinates

    theta = m + s z,  b_j = m + s (n_j + t_j v_j),  log a_j = m_j + s_j u_j - log s

the log-density is ``-z.z / 2`` plus the priors of log a and b, plus J log s for J items (the
Jacobian of b; that of theta is undone by its density). Else a step in m would have to move every
ability and difficulty with it, the farther the more users there are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from tallgrass.inference.constants import integers, number, numbers
from tallgrass.inference.draws import dims_and_shapes
from tallgrass.inference.kernel.sparse import SortedResponses, response_loglik
from tallgrass.items.priors import LOG_SD_SD, MEAN_SD, Floats, ItemPriors
from tallgrass.items.responses import Responses

PUBLIC = ("a", "b", "theta")
POPULATION = ("population_mean", "population_sd")
UNIT = "log_population_sd_unit"
SPREAD = 1.5  # of the chains' starting points about the centre, in standard errors


@dataclass(frozen=True)
class ItemModel:
    """A PyMC model of responses; fields as :class:`tallgrass.rollcalls.models.Model`."""

    graph: pm.Model
    public: tuple[str, ...]
    start: Callable[[np.random.Generator], dict[str, Floats]]
    trajectory: str = "normal"
    adaptation: str = "diag"

    @property
    def variables(self) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Dimensions and shape of every public variable."""
        return dims_and_shapes(self.graph, self.public)


@dataclass(frozen=True, eq=False)
class ItemCentre:
    """Where chains start: means and standard deviations of log a, b (item) and theta (user).

    ``population`` holds mean and logarithm of the standard deviation of a free population.
    """

    log_a: Floats
    log_a_sd: Floats
    b: Floats
    b_sd: Floats
    theta: Floats
    theta_sd: Floats
    population: tuple[float, float] = (0.0, 0.0)


def build_items(
    responses: Responses,
    priors: ItemPriors,
    centre: ItemCentre,
    likelihood: str = "kernel",
    sorted_responses: SortedResponses | None = None,
) -> ItemModel:
    """The item model of these responses.

    Parameters
    ----------
    likelihood : str
        ``kernel``, or ``gather``: one Bernoulli per response, as a reference.
    sorted_responses : SortedResponses, optional
        From :func:`tallgrass.items.model.sorted_by_item`, if already computed.
    """
    coords = {"item": responses.items, "user": responses.users}
    mean_log_a, sd_log_a, mean_b, sd_b = map(
        numbers, (priors.log_a_mean, priors.log_a_sd, priors.b_mean, priors.b_sd)
    )
    with pm.Model(coords=coords) as graph:
        x, y = (pm.Flat(name, dims="item") for name in ("log_a_unit", "b_unit"))
        log_a, place = mean_log_a + sd_log_a * x, mean_b + sd_b * y
        if priors.free:
            z = pm.Flat("theta_unit", dims="user")
            mean, log_sd = pm.Flat("population_mean"), LOG_SD_SD * pm.Flat(UNIT)
            sd = pm.Deterministic("population_sd", pt.exp(log_sd))
            theta = pm.Deterministic("theta", mean + sd * z, dims="user")
            b = pm.Deterministic("b", mean + sd * place, dims="item")
            a = pm.Deterministic("a", pt.exp(log_a - log_sd), dims="item")
            of_a, of_b = x - log_sd / sd_log_a, (b - mean_b) / sd_b
            of_items = pt.dot(of_a, of_a) + pt.dot(of_b, of_b)
            of_population = (mean / MEAN_SD) ** 2 + (log_sd / LOG_SD_SD) ** 2
            jacobian = number(len(responses.items)) * log_sd
            density = -(of_items + pt.dot(z, z) + of_population) / 2 + jacobian
            pm.Potential("priors", density)
            of_answers = z, pt.exp(log_a), pt.exp(log_a) * place
        else:
            theta = pm.Flat("theta", dims="user")
            abilities = -pt.dot(theta, theta) / 2
            pm.Potential("priors", -(pt.dot(x, x) + pt.dot(y, y)) / 2 + abilities)
            a = pm.Deterministic("a", pt.exp(log_a), dims="item")
            b = pm.Deterministic("b", place, dims="item")
            of_answers = theta, a, a * b
        if likelihood == "gather":
            logit = a[responses.item] * (theta[responses.user] - b[responses.item])
            pm.Bernoulli("correct", logit_p=logit, observed=responses.correct)
        else:
            sparse = sorted_responses or sorted_by_item(responses)
            user = pytensor.shared(sparse.user, borrow=True)
            bounds = integers(sparse.bounds)
            pm.Potential("responses", response_loglik(user, bounds, *of_answers))

    def start(generator: np.random.Generator) -> dict[str, Floats]:
        """A point near the posterior mode; such points spread wider than the posterior."""

        def around(mean: Floats, sd: Floats) -> Floats:
            return np.asarray(mean + SPREAD * sd * generator.normal(size=len(mean)))

        log_a, b = around(centre.log_a, centre.log_a_sd), around(centre.b, centre.b_sd)
        theta = around(centre.theta, centre.theta_sd)
        population: dict[str, Floats] = {}
        if priors.free:
            population = start_of_population(theta)
            mean, sd = theta.mean(), theta.std()
            log_a, b, theta = log_a + np.log(sd), (b - mean) / sd, (theta - mean) / sd
        return {
            "log_a_unit": (log_a - priors.log_a_mean) / priors.log_a_sd,
            "b_unit": (b - priors.b_mean) / priors.b_sd,
            "theta_unit" if priors.free else "theta": theta,
            **population,
        }

    return ItemModel(graph, PUBLIC + POPULATION if priors.free else PUBLIC, start)


def free_population(theta: pt.TensorVariable, n_users: pt.TensorVariable) -> pt.TensorVariable:
    """Log-density of the abilities and of their mean and standard deviation, inside a model."""
    mean, unit = pm.Flat("population_mean"), pm.Flat(UNIT)
    sd = pm.Deterministic("population_sd", pt.exp(LOG_SD_SD * unit))
    centred = (theta - mean) / sd
    of_users = -pt.dot(centred, centred) / 2 - n_users * LOG_SD_SD * unit
    return of_users - (mean / MEAN_SD) ** 2 / 2 - unit**2 / 2


def start_of_population(theta: Floats) -> dict[str, Floats]:
    """Those of the abilities just drawn, which spread wider than the posterior."""
    return {
        "population_mean": np.asarray(theta.mean()),
        UNIT: np.asarray(np.log(theta.std()) / LOG_SD_SD),
    }


def sorted_by_item(responses: Responses) -> SortedResponses:
    """The responses in the kernel's order."""
    run = 2 * responses.item.astype(np.int64) + (responses.correct == 0)
    order = np.argsort(run, kind="stable")
    counts = np.bincount(run, minlength=2 * len(responses.items))
    return SortedResponses(
        np.ascontiguousarray(responses.user[order]), np.concatenate([[0], np.cumsum(counts)]), order
    )
