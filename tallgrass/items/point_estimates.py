"""Which point estimator a calibration asks for."""

from tallgrass.items import engines
from tallgrass.items.engines import ItemEstimates
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.spec import CalibrationSpec


def estimated(
    responses: Responses, anchors: Anchors | None, spec: CalibrationSpec
) -> ItemEstimates:
    """Posterior mode or maximum likelihood, on the scale of the anchors where the spec says so.

    Raises
    ------
    DataError
        When an anchor has no response, or too few anchors can link the scales.
    """
    if spec.item_model != "2pl":
        choice = spec.prior_choice if spec.engine == "map" else None
        return engines.estimate(spec.item_model, responses, choice)
    if spec.engine == "map":
        return engines.calibrate_map(responses, anchors, choice=spec.prior_choice)
    if anchors is None or not spec.on_scale_of_anchors:
        return engines.calibrate_mml(responses)
    if spec.anchoring == "fixed":
        return engines.calibrate_mml(responses, fixed=anchors)
    return engines.calibrate_linked(responses, anchors)
