"""Signs of roll calls: they turn a scale without groups, and are checked against the draws."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from toy import usual_votes
from toy_groups import NEBRASKA, chamber

from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls.anchors import anchors_of
from tallgrass.rollcalls.sign_text import parse_signs
from tallgrass.rollcalls.signs import (
    directed,
    sign_check,
    sign_columns,
    sign_metrics,
    sign_probabilities,
    sign_warnings,
)
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start, rollcall_logits


@pytest.fixture(scope="module")
def nebraska():
    return chamber(NEBRASKA, 60, seed=2)


@pytest.fixture(scope="module")
def start(nebraska):
    return make_start(nebraska[0], "pca")


@pytest.fixture(scope="module")
def sharpest(nebraska, start):
    """Ids of the roll calls with the most positive and the most negative slope."""
    slopes = rollcall_logits(nebraska[0], start.pca, False)[1]
    ids = nebraska[0].vote_ids
    return ids[int(slopes.argmax())], ids[int(slopes.argmin())]


def test_a_sign_that_the_votes_have_leaves_the_scale_as_it_is(nebraska, start, sharpest):
    assert directed(nebraska[0], start, f"{sharpest[0]}:+") is start


def test_a_sign_turns_the_scale_of_a_chamber_without_groups(nebraska, start, sharpest):
    turned = directed(nebraska[0], start, f"{sharpest[0]}:-,{sharpest[1]}:+")
    assert np.array_equal(turned.pca, -start.pca)
    assert np.array_equal(turned.scores, -start.scores)
    assert not sign_warnings(nebraska[0], turned, f"{sharpest[0]}:-")


def test_named_anchors_turn_the_scale_of_a_chamber_without_groups(nebraska, start):
    votes = nebraska[0]
    low, high = votes.slugs[int(start.pca.argmin())], votes.slugs[int(start.pca.argmax())]
    anchors = f"{low}:1,{high}:-1"
    with pytest.raises(DataError, match="run against the votes"):
        anchors_of(votes, start.pca, anchors)
    turned = directed(votes, start, "", anchors)
    assert anchors_of(votes, turned.pca, anchors).named(votes) == {low: 1.0, high: -1.0}


def test_signs_against_the_order_of_the_parties_are_refused():
    votes = usual_votes()
    start = make_start(votes, "pca")
    slopes = rollcall_logits(votes, start.pca, False)[1]
    sharp = votes.vote_ids[int(slopes.argmax())]
    with pytest.raises(DataError, match=r"fixed by Democrat to Republican.*groups_order turns"):
        directed(votes, start, f"{sharp}:-")


def test_signs_against_named_anchors_are_refused(nebraska, start, sharpest):
    votes = nebraska[0]
    low, high = votes.slugs[int(start.pca.argmin())], votes.slugs[int(start.pca.argmax())]
    with pytest.raises(DataError, match="fixed by the anchors"):
        directed(votes, start, f"{sharpest[0]}:-", f"{high}:1,{low}:-1")


def test_two_signs_that_contradict_each_other_are_warned_of(nebraska, start, sharpest):
    (warning,) = sign_warnings(nebraska[0], start, f"{sharpest[0]}:+,{sharpest[1]}:+")
    assert f"roll call {sharpest[1]} has the sign +" in warning
    assert "contradicts the other signs" in warning


def test_a_bill_that_was_voted_on_once_names_its_roll_call(nebraska):
    assert sign_columns(nebraska[0], "lb 7:-") == {7: -1}


def test_a_bill_with_two_roll_calls_is_refused_with_their_ids(nebraska):
    votes = nebraska[0]
    rollcalls = [replace(r, bill="LB 7") if r.bill == "LB 8" else r for r in votes.rollcalls]
    votes = replace(votes, rollcalls=tuple(rollcalls))
    with pytest.raises(DataError, match=r"2 roll calls on this bill.*v0007, v0008"):
        sign_columns(votes, "LB 7:+")


def test_a_roll_call_that_does_not_exist_is_refused_with_the_nearest(nebraska):
    with pytest.raises(DataError, match=r"no such roll call .*'v00077'.*did you mean v0007"):
        sign_columns(nebraska[0], "v00077:+")


def test_an_id_and_a_bill_of_one_roll_call_are_refused(nebraska):
    with pytest.raises(DataError, match="one roll call twice"):
        sign_columns(nebraska[0], "v0007:+,LB 7:-")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v1:+,v1:-", "both signs"),
        ("v1:+,v1:+", "one roll call twice"),
        ("v1", "no roll call with a sign"),
        (":+", "no roll call with a sign"),
        ("v1:1", "no roll call with a sign"),
    ],
)
def test_signs_of_another_form_are_refused(text, message):
    with pytest.raises(SpecError, match=message):
        ModelSpec(rollcall_signs=text)


@pytest.mark.parametrize("model", ["joint", "dynamic"])
def test_signs_of_many_chambers_are_refused(model):
    with pytest.raises(SpecError, match="one chamber at one time"):
        ModelSpec(model=model, rollcall_signs="v1:+")


def test_a_negative_sign_and_a_positive_prior_are_refused():
    with pytest.raises(SpecError, match="prior of positive"):
        ModelSpec(model="flat", beta_prior="halfnormal:1", rollcall_signs="v1:-")


def test_the_text_of_signs_is_read_back():
    assert parse_signs(ModelSpec(rollcall_signs=" a:b:+ , HB 1 : - ").rollcall_signs) == {
        "a:b": 1,
        "HB 1": -1,
    }


def trace_of(votes, beta):
    """Draws of beta that are the same in every draw of a chain; ``beta`` is (chain, rollcall)."""
    draws = np.repeat(np.asarray(beta, float)[:, None, :], 10, axis=1)
    coords = {"rollcall": list(votes.vote_ids)}
    dataset = xr.Dataset({"beta": (("chain", "draw", "rollcall"), draws)}, coords)
    return xr.DataTree.from_dict({"posterior": dataset})


def test_signs_that_hold_in_every_draw_fit(nebraska):
    votes, beta = nebraska[0], np.ones((2, 60))
    held = sign_probabilities(trace_of(votes, beta), votes, "v0001:+,v0002:+")
    assert sign_check(held).status == "fits"
    assert sign_metrics(held) == {"signs/n": 2, "signs/held": 2, "signs/least_probability": 1}


def test_a_sign_that_another_contradicts_is_said(nebraska):
    votes, beta = nebraska[0], np.ones((2, 60))
    check = sign_check(sign_probabilities(trace_of(votes, beta), votes, "v0001:+,v0002:-"))
    assert check.status == "questioned"
    assert "v0002 in 0 % of the draws" in check.words
    assert "v0002 contradicts the others" in check.words


def test_a_chain_that_is_reversed_is_named(nebraska):
    votes, beta = nebraska[0], np.ones((2, 60))
    beta[1] = -1
    check = sign_check(sign_probabilities(trace_of(votes, beta), votes, "v0001:+"))
    assert "v0001 in 50 % of the draws, reversed in chain 1" in check.words


def test_a_run_without_signs_has_no_check():
    assert sign_check({}) is None
    assert sign_metrics({}) == {}
