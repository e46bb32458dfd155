"""Two-parameter logistic model of test items, its scale fixed by the abilities' prior and anchors.

    theta_i ~ N(0, 1)      log a_j ~ N(0, 0.2), b_j ~ N(0, 1); anchors: see item_priors
    logit P(correct) = a_j (theta_i - b_j)

The textbook coordinates are the ones that sample well here: hundreds of responses an item and a
prior of known scale leave nothing to unfold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytensor

from tallgrass.kernel_sparse import Layout, layout, response_loglik
from tallgrass.models.item_priors import Floats, ItemPriors
from tallgrass.responses import Responses

PUBLIC = ("a", "b", "theta")
SPREAD = 1.5  # how far chains start from the centre, in standard errors


@dataclass(frozen=True)
class ItemModel:
    """A PyMC model of responses; fields as :class:`tallgrass.models.Model`."""

    graph: pm.Model
    public: tuple[str, ...]
    start: Callable[[np.random.Generator], dict[str, Floats]]
    anchors: tuple[int, int] | None = None
    constants: Mapping[str, tuple[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ItemCentre:
    """Where chains start: means and standard deviations of log a, b (item) and theta (user)."""

    log_a: Floats
    log_a_sd: Floats
    b: Floats
    b_sd: Floats
    theta: Floats
    theta_sd: Floats


def build_items(
    responses: Responses,
    priors: ItemPriors,
    centre: ItemCentre,
    likelihood: str = "kernel",
    sorted_responses: Layout | None = None,
) -> ItemModel:
    """The item model of these responses.

    Parameters
    ----------
    likelihood : str
        ``kernel``, or ``gather``: one Bernoulli a response, the plain reference.
    sorted_responses : Layout, optional
        From :func:`tallgrass.kernel_sparse.layout`, where it is at hand.
    """
    coords = {"item": responses.items, "user": responses.users}
    # Shared variables, not constants: the compiled code does not depend on the data.
    mean_log_a, sd_log_a, mean_b, sd_b = (
        pytensor.shared(values, name=name, borrow=True)
        for name, values in (
            ("log_a_mean", priors.log_a_mean),
            ("log_a_sd", priors.log_a_sd),
            ("b_mean", priors.b_mean),
            ("b_sd", priors.b_sd),
        )
    )
    with pm.Model(coords=coords) as graph:
        a = pm.LogNormal("a", mean_log_a, sd_log_a, dims="item")
        b = pm.Normal("b", mean_b, sd_b, dims="item")
        theta = pm.Normal("theta", 0, 1, dims="user")
        if likelihood == "gather":
            logit = a[responses.item] * (theta[responses.user] - b[responses.item])
            pm.Bernoulli("correct", logit_p=logit, observed=responses.correct)
        else:
            sparse = sorted_responses or layout(responses)
            user = pytensor.shared(sparse.user, name="user_index", borrow=True)
            bounds = pytensor.shared(sparse.bounds, name="bounds", borrow=True)
            pm.Potential("responses", response_loglik(user, bounds, theta, a, a * b))

    def start(generator: np.random.Generator) -> dict[str, Floats]:
        """Near the posterior mode, spread by more than the posterior."""

        def around(mean: Floats, sd: Floats) -> Floats:
            return np.asarray(mean + SPREAD * sd * generator.normal(size=len(mean)))

        return {
            "a_log__": around(centre.log_a, centre.log_a_sd),
            "b": around(centre.b, centre.b_sd),
            "theta": around(centre.theta, centre.theta_sd),
        }

    return ItemModel(graph, PUBLIC, start)
