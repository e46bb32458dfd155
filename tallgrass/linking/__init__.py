"""Two runs on one scale: which bills or members they share, and what puts one beside the other."""

from tallgrass.linking.methods import (
    METHODS,
    MIN_ITEMS,
    Items,
    influence,
    link,
    same_direction,
    transformed,
)
from tallgrass.linking.scales import (
    MEMBER_METHODS,
    MOST_CV,
    ROBUST,
    Linking,
    LinkOptions,
    Scale,
    link_scales,
)

__all__ = [
    "MEMBER_METHODS",
    "METHODS",
    "MIN_ITEMS",
    "MOST_CV",
    "ROBUST",
    "Items",
    "LinkOptions",
    "Linking",
    "Scale",
    "influence",
    "link",
    "link_scales",
    "same_direction",
    "transformed",
]
