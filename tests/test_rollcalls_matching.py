"""Bills are matched by number, one roll call a chamber: final action first, then the latest."""

import pytest

from tallgrass.rollcalls.matching import match_rollcalls
from tallgrass.rollcalls.votes import RollCall


def matched(house, senate):
    return [
        (m.bill, m.house, m.senate) for m in match_rollcalls(house, senate) if m.house and m.senate
    ]


def test_a_final_action_is_preferred_to_a_later_roll_call():
    house = [
        RollCall("h1", "HB 1", "Final Action - Passed", date="2025-01-01"),
        RollCall("h2", "HB 1", "Concur in amendments", date="2025-02-01"),
    ]
    assert matched(house, [RollCall("s1", "HB 1")]) == [("HB 1", "h1", "s1")]


@pytest.mark.parametrize("vote_type", ["Final Action", "Emergency Final Action"])
def test_final_action_may_stand_in_the_vote_type(vote_type):
    house = [RollCall("h1", "HB 1", "Passed", vote_type), RollCall("h2", "HB 1", date="2025-02-01")]
    assert matched(house, [RollCall("s1", "HB 1")]) == [("HB 1", "h1", "s1")]


def test_of_several_final_actions_the_latest_counts():
    house = [RollCall(f"h{i}", "HB 1", "Final Action", date=f"2025-0{i}-01") for i in (1, 3, 2)]
    assert matched(house, [RollCall("s1", "HB 1")]) == [("HB 1", "h3", "s1")]


def test_every_roll_call_occurs_once_with_its_reason():
    house = [RollCall("h1", "HB 1"), RollCall("h2", "HB 1", date="2025-02-01"), RollCall("h3", "")]
    senate = [RollCall("s1", "HB 1"), RollCall("s2", "SB 2")]
    matches = match_rollcalls(house, senate)
    assert sorted(m.house for m in matches if m.house) == ["h1", "h2", "h3"]
    assert sorted(m.senate for m in matches if m.senate) == ["s1", "s2"]
    reasons = {m.house or m.senate: m.reason for m in matches}
    assert reasons["h1"] == "another roll call stands for the bill"
    assert reasons["h3"] == "no bill number"
    assert "other chamber" in reasons["s2"]
    assert {m.house or m.senate: m.status for m in matches}["s2"] == "senate only"


def test_roll_calls_without_a_number_are_never_matched():
    assert matched([RollCall("h1", "")], [RollCall("s1", "")]) == []


@pytest.mark.parametrize(
    "motion", ["Third Reading", "On Passage", "Read a third time and passed", "Final passage: RC"]
)
def test_a_passage_in_the_words_of_other_states_is_preferred_to_a_later_roll_call(motion):
    house = [
        RollCall("h1", "HB 1", motion, date="2025-01-01"),
        RollCall("h2", "HB 1", "Concur in amendments", date="2025-02-01"),
    ]
    senate = [RollCall("s1", "HB 1")]
    assert matched(house, senate) == [("HB 1", "h1", "s1")]
    (reason,) = {m.reason for m in match_rollcalls(house, senate) if m.status == "matched"}
    assert "the latest passage of 2 roll calls" in reason


@pytest.mark.parametrize(
    "motion",
    ["Amendment 3: passage", "Motion to reconsider passage", "Committee of the Whole: on passage"],
)
def test_the_passage_of_something_else_is_no_final_passage(motion):
    house = [
        RollCall("h1", "HB 1", motion, date="2025-01-01"),
        RollCall("h2", "HB 1", date="2025-02-01"),
    ]
    assert matched(house, [RollCall("s1", "HB 1")]) == [("HB 1", "h2", "s1")]


def test_a_final_action_is_preferred_to_a_later_passage():
    house = [
        RollCall("h1", "HB 1", "Final Action", date="2025-01-01"),
        RollCall("h2", "HB 1", "Third reading", date="2025-02-01"),
    ]
    assert matched(house, [RollCall("s1", "HB 1")]) == [("HB 1", "h1", "s1")]
