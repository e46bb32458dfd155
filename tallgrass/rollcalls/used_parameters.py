"""Which parameters a run uses: what its model does not have, and what is not given, is no param."""

from typing import Any

from tallgrass.inference.spec import AUTO
from tallgrass.rollcalls.career_spec import CareerSpec
from tallgrass.rollcalls.spec import RunSpec

_JOINT = ("joint_form", "dif")
_PLANE = ("beta_2_prior",)
_DATABASE = ("votes_table", "votes_query")
# Empty: not given.
_OPTIONAL = (
    "against",
    "rollcalls",
    "members",
    "leave_out",
    "votes_query",
    "groups",
    "rollcall_signs",
)


def used_parameters(spec: RunSpec) -> dict[str, Any]:
    """The parameters of a run that say something of it, by name.

    The whole spec is in ``spec/run.json``. As params of MLflow, the settings of other models would
    only be columns of equal values.

    Examples
    --------
    >>> names = set(used_parameters(RunSpec(model="flat")))
    >>> "beta_prior" in names, "walk" in names, "joint_form" in names
    (True, False, False)
    """
    unused: set[str] = set()
    if spec.model != "dynamic":
        unused |= set(CareerSpec.model_fields)
    if spec.model != "joint":
        unused |= set(_JOINT)
    if not spec.has_anchors:
        unused.add("anchors")
    if spec.dims != 2:
        unused |= set(_PLANE)
    if "://" not in spec.session:
        unused |= set(_DATABASE)
    unused |= {name for name in _OPTIONAL if not getattr(spec, name)}
    unused.add("groups_order")  # the params of a run say the order, given or not
    if spec.draws != AUTO:
        unused.add("draws_max")
    return {name: value for name, value in spec.model_dump().items() if name not in unused}
