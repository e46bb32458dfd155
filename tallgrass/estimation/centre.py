"""Where chains start: around the posterior mode."""

import numpy as np

from tallgrass.estimation.estimates import ItemEstimates
from tallgrass.models.item_priors import ItemPriors
from tallgrass.models.items import ItemCentre


def centre_of(estimates: ItemEstimates, priors: ItemPriors) -> ItemCentre:
    """The centre of the posterior by :func:`tallgrass.estimation.calibrate_map`.

    A standard error that is not defined is replaced by the prior's.
    """
    log_a_sd = estimates.a_sd / estimates.a
    return ItemCentre(
        log_a=np.log(estimates.a),
        log_a_sd=np.where(np.isfinite(log_a_sd), log_a_sd, priors.log_a_sd),
        b=estimates.b,
        b_sd=np.where(np.isfinite(estimates.b_sd), estimates.b_sd, priors.b_sd),
        theta=estimates.theta,
        theta_sd=estimates.theta_sd,
    )
