"""Two-parameter logistic model of test items, its scale fixed by the abilities' prior and anchors.

    theta_i ~ N(0, 1)      log a_j ~ N(0, 0.2), b_j ~ N(0, 1); anchors: see item_priors
    logit P(correct) = a_j (theta_i - b_j)

or, of a free population, theta_i ~ N(m, s).

The textbook coordinates sample well here, each in units of its prior, because each item has
hundreds of responses and the prior's scale is known. With

    log a_j = m_j + s_j x_j,  b_j = n_j + t_j y_j

all of x, y and theta are N(0, 1), with log-density ``-(x.x + y.y + theta.theta) / 2``: three dot
products. In a free population theta itself stays the coordinate, because with more than about five
responses a user the responses say more of it than its prior does:

    log p(theta | m, s) = -|theta - m|^2 / (2 s^2) - U log s
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
SPREAD = 1.5  # of the chains' starting points about the centre, in standard errors


@dataclass(frozen=True)
class ItemModel:
    """A PyMC model of responses; fields as :class:`tallgrass.rollcalls.models.Model`."""

    graph: pm.Model
    public: tuple[str, ...]
    start: Callable[[np.random.Generator], dict[str, Floats]]
    trajectory: str = "normal"
    in_place: bool = False

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
        theta = pm.Flat("theta", dims="user")
        if priors.free:
            abilities = free_population(theta, number(len(responses.users)))
        else:
            abilities = -pt.dot(theta, theta) / 2
        pm.Potential("priors", -(pt.dot(x, x) + pt.dot(y, y)) / 2 + abilities)
        a = pm.Deterministic("a", pt.exp(mean_log_a + sd_log_a * x), dims="item")
        b = pm.Deterministic("b", mean_b + sd_b * y, dims="item")
        if likelihood == "gather":
            logit = a[responses.item] * (theta[responses.user] - b[responses.item])
            pm.Bernoulli("correct", logit_p=logit, observed=responses.correct)
        else:
            sparse = sorted_responses or sorted_by_item(responses)
            user = pytensor.shared(sparse.user, borrow=True)
            bounds = integers(sparse.bounds)
            pm.Potential("responses", response_loglik(user, bounds, theta, a, a * b))

    def start(generator: np.random.Generator) -> dict[str, Floats]:
        """A point near the posterior mode; such points spread wider than the posterior."""

        def around(mean: Floats, sd: Floats) -> Floats:
            return np.asarray(mean + SPREAD * sd * generator.normal(size=len(mean)))

        log_a, b = around(centre.log_a, centre.log_a_sd), around(centre.b, centre.b_sd)
        point = {
            "log_a_unit": (log_a - priors.log_a_mean) / priors.log_a_sd,
            "b_unit": (b - priors.b_mean) / priors.b_sd,
            "theta": around(centre.theta, centre.theta_sd),
        }
        return point | start_of_population(point["theta"]) if priors.free else point

    return ItemModel(graph, PUBLIC + POPULATION if priors.free else PUBLIC, start)


def free_population(theta: pt.TensorVariable, n_users: pt.TensorVariable) -> pt.TensorVariable:
    """Log-density of the abilities and of their mean and standard deviation, inside a model."""
    mean, unit = pm.Flat("population_mean"), pm.Flat("log_population_sd_unit")
    sd = pm.Deterministic("population_sd", pt.exp(LOG_SD_SD * unit))
    centred = (theta - mean) / sd
    of_users = -pt.dot(centred, centred) / 2 - n_users * LOG_SD_SD * unit
    return of_users - (mean / MEAN_SD) ** 2 / 2 - unit**2 / 2


def start_of_population(theta: Floats) -> dict[str, Floats]:
    """Those of the abilities just drawn, which spread wider than the posterior."""
    return {
        "population_mean": np.asarray(theta.mean()),
        "log_population_sd_unit": np.asarray(np.log(theta.std()) / LOG_SD_SD),
    }


def sorted_by_item(responses: Responses) -> SortedResponses:
    """The responses in the kernel's order."""
    run = 2 * responses.item.astype(np.int64) + (responses.correct == 0)
    order = np.argsort(run, kind="stable")
    counts = np.bincount(run, minlength=2 * len(responses.items))
    return SortedResponses(
        np.ascontiguousarray(responses.user[order]), np.concatenate([[0], np.cumsum(counts)]), order
    )
