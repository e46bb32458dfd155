"""Models: (votes, ModelSpec, Start) -> Model. A new model is a function and a line in MODELS."""

from collections.abc import Callable

from tallgrass.rollcalls.chambers import JointVotes
from tallgrass.rollcalls.models.base import Model
from tallgrass.rollcalls.models.flat import build_flat
from tallgrass.rollcalls.models.hierarchical import build_hierarchical
from tallgrass.rollcalls.models.joint import build_joint
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Start
from tallgrass.rollcalls.votes import VoteMatrix

MODELS: dict[str, Callable[[VoteMatrix, ModelSpec, Start], Model]] = {
    "flat": build_flat,
    "hierarchical": build_hierarchical,
}


def build_model(votes: VoteMatrix | JointVotes, spec: ModelSpec, start: Start) -> Model:
    """The model of the spec for these votes; the joint model takes two chambers."""
    if isinstance(votes, JointVotes):
        return build_joint(votes, spec, start)
    return MODELS[spec.model](votes, spec, start)


__all__ = ["MODELS", "Model", "build_model"]
