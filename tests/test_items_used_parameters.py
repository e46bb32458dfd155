"""Params of a calibration are what it uses and what was given."""

import pytest

from tallgrass.items.declaration import priors_of
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.used_parameters import used_parameters

DATABASE = "sqlite:///bank.db"


@pytest.mark.parametrize(
    ("given", "used", "unused"),
    [
        ({}, {"adaptation", "target_accept", "a_prior"}, {"draws_max", "c_prior", "anchoring"}),
        ({"draws": "auto"}, {"draws_max"}, set()),
        ({"engine": "gibbs"}, {"draws", "chains"}, {"adaptation", "trajectory", "target_accept"}),
        ({"engine": "map"}, {"a_prior", "b_prior"}, {"draws", "tune", "chains", "seed"}),
        ({"engine": "mml"}, {"min_responses"}, {"a_prior", "b_prior", "population", "drift_b"}),
        ({"engine": "mml", "anchors": "a.csv"}, {"a_prior", "anchoring", "drift_b"}, {"chains"}),
        ({"anchors": "a.csv"}, {"anchors", "population", "purify"}, {"anchoring", "anchor_query"}),
        ({"item_model": "3pl", "engine": "map"}, {"c_prior"}, set()),
        ({"item_model": "3pl", "engine": "mml"}, set(), {"c_prior"}),
        ({"responses": DATABASE}, {"table"}, {"query", "publish_table", "window", "window_column"}),
        ({"responses": DATABASE, "window": "May", "publish": True},
         {"window_column", "publish_table", "publish_mode"}, {"publish_map"}),
        ({"compare": "mirt=mirt.csv"}, {"compare", "agreement"}, set()),
    ],
)  # fmt: skip
def test_a_param_is_what_a_calibration_uses(given, used, unused):
    names = used_parameters(CalibrationSpec(**given))
    assert used <= names
    assert not unused & names
    assert set(given) <= names


def test_priors_of_anchors_are_recorded_where_there_are_anchors():
    assert "prior.anchor_b_sd" not in priors_of(CalibrationSpec())
    assert priors_of(CalibrationSpec(anchors="a.csv"))["prior.anchor_b_sd"] == "0.05"
