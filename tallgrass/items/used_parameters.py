"""Which parameters a calibration uses: those of other engines, or not given, are no params."""

from tallgrass.inference.spec import AUTO, SamplerSpec
from tallgrass.items.spec import CalibrationSpec

_DATABASE = ("table", "query")
_ANCHORS = (
    "anchor_item_column", "anchor_a_column", "anchor_b_column", "population", "purify", "drift_b",
    "drift_a", "drift_information",
)  # fmt: skip
_PUBLICATION = (
    "publish_unresolved", "publish_table", "publish_map", "publish_constants", "publish_key",
    "publish_mode", "publish_dry_run",
)  # fmt: skip
_OPTIONAL = (  # empty: not given
    "anchors", "anchor_query", "query", "window", "since", "until", "items", "ignore", "covariates",
    "dif", "missing", "compare", "publish_map", "publish_constants", "publish_key",
)  # fmt: skip
_OF_GIBBS = ("sampler", "draws", "tune", "chains", "seed")


def used_parameters(spec: CalibrationSpec) -> frozenset[str]:
    """Names of the parameters of a calibration that say something of it.

    The whole spec is in ``spec/run.json``.

    Examples
    --------
    >>> names = used_parameters(CalibrationSpec(engine="mml"))
    >>> "min_responses" in names, "chains" in names, "a_prior" in names, "drift_b" in names
    (True, False, False, False)
    """
    unused = {name for name in _OPTIONAL if not getattr(spec, name)}
    if not spec.bayesian:
        unused |= set(SamplerSpec.model_fields) - {"sampler"}  # that of a maximisation is em
    elif spec.engine == "gibbs":
        unused |= set(SamplerSpec.model_fields) - set(_OF_GIBBS)
    if spec.draws != AUTO:
        unused.add("draws_max")
    if "://" not in spec.responses:
        unused |= set(_DATABASE)
    if not spec.window:
        unused.add("window_column")
    if not spec.has_anchors:
        unused |= set(_ANCHORS)
    if spec.engine != "mml" or not spec.on_scale_of_anchors:
        unused.add("anchoring")
    # Without item priors they still say how probable it is that an anchor drifted.
    if spec.engine == "mml" and not spec.on_scale_of_anchors:
        unused |= {"a_prior", "b_prior"}
    if spec.item_model != "3pl" or spec.engine == "mml":
        unused.add("c_prior")
    if not spec.compare:
        unused.add("agreement")
    if not spec.publish:
        unused |= set(_PUBLICATION)
    return frozenset(type(spec).model_fields) - unused
