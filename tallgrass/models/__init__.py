"""Models: (votes, ModelSpec, Start) -> Model. A new model is a function and one line here."""

from collections.abc import Callable

from tallgrass.models.base import Model
from tallgrass.models.flat import build_flat
from tallgrass.models.hierarchical import build_hierarchical
from tallgrass.specs import ModelSpec
from tallgrass.start import Start
from tallgrass.votes import VoteMatrix

MODELS: dict[str, Callable[[VoteMatrix, ModelSpec, Start], Model]] = {
    "flat": build_flat,
    "hierarchical": build_hierarchical,
}


def build_model(votes: VoteMatrix, spec: ModelSpec, start: Start) -> Model:
    """The model that the spec names, on these votes."""
    return MODELS[spec.model](votes, spec, start)


__all__ = ["MODELS", "Model", "build_model"]
