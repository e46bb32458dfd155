"""Marginal estimators: abilities integrated out, item parameters maximised by EM."""

from tallgrass.estimation.estimates import ItemEstimates
from tallgrass.responses import Anchors, Responses


def calibrate_mml(responses: Responses, anchors: Anchors | None = None) -> ItemEstimates:
    """Marginal maximum likelihood without item priors; the anchors play no part."""
    raise NotImplementedError


def calibrate_map(responses: Responses, anchors: Anchors | None = None) -> ItemEstimates:
    """The posterior mode of (log a, b), abilities integrated out."""
    raise NotImplementedError
