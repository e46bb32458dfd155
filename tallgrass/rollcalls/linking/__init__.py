"""Link two runs on one scale, over the bills or members that they share."""

from tallgrass.inference.linking import (
    METHODS,
    MIN_ITEMS,
    Items,
    influence,
    link,
    same_direction,
    transformed,
)
from tallgrass.rollcalls.linking.records import Linking, LinkOptions, Scale
from tallgrass.rollcalls.linking.scales import MEMBER_METHODS, ROBUST, link_scales
from tallgrass.rollcalls.linking.summary import MOST_CV

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
