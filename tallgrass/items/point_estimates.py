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
        return _of_other_model(responses, anchors, spec)
    if spec.engine == "map":
        return engines.calibrate_map(responses, anchors, choice=spec.prior_choice)
    if anchors is None or not spec.on_scale_of_anchors:
        return engines.calibrate_mml(responses)
    if spec.anchoring == "fixed":
        return engines.calibrate_mml(responses, fixed=anchors)
    return engines.calibrate_linked(responses, anchors)


def _of_other_model(
    responses: Responses, anchors: Anchors | None, spec: CalibrationSpec
) -> ItemEstimates:
    model = spec.item_model
    if spec.engine == "map":
        return engines.estimate(model, responses, spec.prior_choice, anchors=anchors)
    if anchors is None or not spec.on_scale_of_anchors:
        return engines.estimate(model, responses, None)
    if spec.anchoring == "fixed":
        return engines.estimate(model, responses, None, anchors=anchors)
    return engines.estimate_linked(model, responses, anchors)
