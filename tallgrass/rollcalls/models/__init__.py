"""Models: (votes, ModelSpec, Start) -> Model. A new model is a function and a line in MODELS."""

from collections.abc import Callable

from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.chambers import JointVotes
from tallgrass.rollcalls.models.base import Model
from tallgrass.rollcalls.models.dynamic import build_dynamic
from tallgrass.rollcalls.models.flat import build_flat
from tallgrass.rollcalls.models.hierarchical import build_hierarchical
from tallgrass.rollcalls.models.joint import build_joint
from tallgrass.rollcalls.models.plane import build_plane
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Start
from tallgrass.rollcalls.votes import VoteMatrix

MODELS: dict[str, Callable[[VoteMatrix, ModelSpec, Start], Model]] = {
    "flat": build_flat,
    "hierarchical": build_hierarchical,
}


def build_model(votes: VoteMatrix | JointVotes | Careers, spec: ModelSpec, start: Start) -> Model:
    """The model of the spec; the joint model takes two chambers, the dynamic one many sessions."""
    if isinstance(votes, Careers):
        return build_dynamic(votes, spec, start)
    if isinstance(votes, JointVotes):
        return build_joint(votes, spec, start)
    if spec.dims == 2:
        return build_plane(votes, spec, start)
    return MODELS[spec.model](votes, spec, start)


__all__ = ["MODELS", "Model", "build_model"]
