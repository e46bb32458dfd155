"""The item models by name, as parameters, reports and commands call them."""

from typing import Literal, get_args

ItemModelName = Literal["1pl", "2pl", "3pl", "graded"]
ITEM_MODELS: tuple[str, ...] = get_args(ItemModelName)
WORDS = {
    "1pl": "One-parameter model",
    "2pl": "Two-parameter model",
    "3pl": "Three-parameter model",
    "graded": "Graded-response model",
}
