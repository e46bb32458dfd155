"""Answers to test items -> Responses: from a database, a CSV or Parquet file, long or wide."""

from tallgrass.sources.responses.anchors import load_anchors
from tallgrass.sources.responses.cleaning import DroppedItem, ResponseLog
from tallgrass.sources.responses.reading import LoadedResponses, is_database, load_responses
from tallgrass.sources.responses.request import ResponseRequest

__all__ = [
    "DroppedItem",
    "LoadedResponses",
    "ResponseLog",
    "ResponseRequest",
    "is_database",
    "load_anchors",
    "load_responses",
]
