"""How hard test items are: responses, models and engines, drift of anchors, reports."""
