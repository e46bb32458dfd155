"""Read answers to test items from a database or a CSV or Parquet file, long or wide."""

from tallgrass.items.sources.anchors import load_anchors
from tallgrass.items.sources.cleaning import DroppedItem, ResponseLog
from tallgrass.items.sources.reading import LoadedResponses, load_responses, responses_of_frame
from tallgrass.items.sources.request import ResponseRequest

__all__ = [
    "DroppedItem",
    "LoadedResponses",
    "ResponseLog",
    "ResponseRequest",
    "load_anchors",
    "load_responses",
    "responses_of_frame",
]
