"""Runs on some roll calls only: conditions, what they choose, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from toy import toy_votes

from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.memory import given_votes
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.selected import chosen
from tallgrass.rollcalls.selection import Selection
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.votes import RollCall
from tallgrass.settings import Settings

ROLLCALLS = (
    RollCall("a", "HB 2001", "Final Action - Passed", "", "2025-01-10", "Income tax rates"),
    RollCall("b", "HB 2001", "Amendment", "", "2025-01-09T10:00:00", "Income tax rates"),
    RollCall("c", "H.B. 0002", "Final Action - Passed", "", "2025-03-31T23:00:00", "Taxis"),
    RollCall("d", "SB 7", "Passage", "", "", "Water"),
)
VOTES = replace(toy_votes(4, 5, 4, seed=1, missing=0.0), rollcalls=ROLLCALLS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from:2025-01-10", "ac"),
        ("until:2025-01-10", "ab"),
        ("from:2025-01-09;until:2025-03-31", "abc"),
        ("title:TAX", "abc"),
        ("title:tax;title:amend", "b"),
        ("final", "acd"),
        ("final;title:income", "a"),
        ("", "abcd"),
    ],
)
def test_a_roll_call_must_meet_every_condition(text, expected):
    picked = chosen(Selection.parse(text), VOTES)
    assert "".join(np.array(VOTES.vote_ids)[picked]) == expected


def test_bills_are_those_of_a_file_however_they_are_written(tmp_path):
    file = tmp_path / "bills.txt"
    file.write_text("hb2\nSB 007\n\n")
    picked = chosen(Selection.parse(f"bills:{file}"), VOTES)
    assert "".join(np.array(VOTES.vote_ids)[picked]) == "cd"


def test_what_was_not_asked_for_is_logged_and_the_run_has_other_data():
    spec = RunSpec(rollcalls=" final ; title:tax", min_votes=0, minority_threshold=0.0)
    assert spec.rollcalls == "title:tax;final"
    settings = Settings(progress="none")
    data = read(spec.model_copy(update={"chamber": "house"}), settings, {"house": VOTES})
    assert set(data.votes.vote_ids) <= {"a", "c"}
    assert data.filter_log.count("selection") == 2
    every, _ = filter_votes(VOTES, 0.0, 0, True)
    assert data.votes.fingerprint != every.fingerprint
    assert given_votes(spec, VOTES)[0].rollcalls == spec.rollcalls


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("titel:tax", "title"),
        ("title:", "without its value"),
        ("final:yes", "without its value"),
        ("from:2025", "not a date"),
        ("from:2025-01-01;from:2025-02-01", "given twice"),
    ],
)
def test_a_condition_that_cannot_be_read_is_one_clear_error(text, words):
    with pytest.raises(SpecError, match=words):
        RunSpec(rollcalls=text)


def test_conditions_that_no_roll_call_meets_are_refused(tmp_path):
    with pytest.raises(DataError, match="no roll call of the house"):
        chosen(Selection.parse("title:whales"), VOTES)
    with pytest.raises(DataError, match="no such file of bills"):
        chosen(Selection.parse(f"bills:{tmp_path / 'none'}"), VOTES)
    (tmp_path / "bills").write_text("HB 99\n")
    with pytest.raises(DataError, match="none of the bills"):
        chosen(Selection.parse(f"bills:{tmp_path / 'bills'}"), VOTES)
