"""Models: (votes, ModelSpec, Start) -> Model. A new model is a function and one line here."""

from collections.abc import Callable

from tallgrass.chambers import JointVotes
from tallgrass.models.base import Model
from tallgrass.models.flat import build_flat
from tallgrass.models.hierarchical import build_hierarchical
from tallgrass.models.joint import build_joint
from tallgrass.specs import ModelSpec
from tallgrass.start import Start
from tallgrass.votes import VoteMatrix

MODELS: dict[str, Callable[[VoteMatrix, ModelSpec, Start], Model]] = {
    "flat": build_flat,
    "hierarchical": build_hierarchical,
}


def build_model(votes: VoteMatrix | JointVotes, spec: ModelSpec, start: Start) -> Model:
    """The model that the spec names, on these votes; the joint model takes two chambers."""
    if isinstance(votes, JointVotes):
        return build_joint(votes, spec, start)
    return MODELS[spec.model](votes, spec, start)


__all__ = ["MODELS", "Model", "build_model"]
