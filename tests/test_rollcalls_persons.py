"""Members of several sessions are matched by id, then by name and party; the unsure are named."""

import pandas as pd
import pytest

from tallgrass.errors import DataError
from tallgrass.rollcalls.persons import Seat, match_persons, name_words, read_corrections
from tallgrass.rollcalls.votes import Legislator


def seat(session, slug, name="Ann Doe", party="Democrat", chamber="house"):
    return Seat(session, chamber, Legislator(slug, name, party))


def test_a_member_who_changes_chamber_keeps_the_id_and_stays_one_person():
    seats = [seat("1", "rep_ann_1"), seat("2", "sen_ann_1", chamber="senate")]
    persons = match_persons(seats)
    assert persons.of_seat == ("ann_1", "ann_1")
    assert persons.notes["ann_1"] == ("changes chamber: senate in 2",)


def test_other_ids_of_the_same_name_and_party_are_one_person_and_said():
    persons = match_persons([seat("1", "rep_a", "DOE, Ann"), seat("2", "rep_b", "Ann Doe (D)")])
    assert persons.of_seat == ("a", "a")
    assert "matched by name and party" in persons.notes["a"][-1]


def test_of_one_name_and_two_parties_nobody_is_matched():
    persons = match_persons([seat("1", "rep_a"), seat("2", "rep_b", party="Republican")])
    assert persons.of_seat == ("a", "b")
    assert "another party" in persons.notes["a"][0]


def test_two_who_sit_in_one_session_are_two_people():
    seats = [seat("1", "rep_a"), seat("1", "rep_b"), seat("2", "rep_a"), seat("2", "rep_b")]
    persons = match_persons(seats)
    assert persons.of_seat == ("a", "b", "a", "b")
    assert "two people of one name" in persons.notes["a"][0]


def test_a_change_of_party_is_one_person_and_said():
    persons = match_persons([seat("1", "rep_a"), seat("2", "rep_a", party="Republican")])
    assert persons.of_seat == ("a", "a")
    assert persons.notes["a"] == ("changes party: Democrat in 1, Republican in 2",)


def test_a_last_name_alone_matches_nobody():
    assert match_persons([seat("1", "rep_a", "DOE"), seat("2", "rep_b", "DOE")]).of_seat == (
        "a",
        "b",
    )


def test_an_id_that_means_two_people_is_refused_with_the_way_out():
    with pytest.raises(DataError, match=r"rep_a means two people.*members=FILE"):
        match_persons([seat("1", "rep_a", "Ann Doe"), seat("2", "rep_a", "Bob Roe")])


def test_corrections_split_an_id_and_join_two():
    seats = [
        seat("1", "rep_a", "Ann Doe"),
        seat("2", "rep_a", "Bob Roe"),
        seat("2", "rep_c", "Ann Smith"),
    ]
    table = pd.DataFrame(
        [("2", "rep_a", "bob"), ("2", "rep_c", "a")], columns=["session", "slug", "person"]
    )
    persons = match_persons(seats, read_corrections(table, seats))
    assert persons.of_seat == ("a", "bob", "a")
    assert "corrected by the members file" in persons.notes["bob"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("9", "rep_a", "x"), "unknown session"),
        (("1", "rep_z", "x"), "unknown slug"),
        (("1", "rep_a", ""), "without a person"),
    ],
)
def test_a_correction_that_fits_nothing_is_refused(row, words):
    table = pd.DataFrame([row], columns=["session", "slug", "person"])
    with pytest.raises(DataError, match=words):
        read_corrections(table, [seat("1", "rep_a")])


def test_the_words_of_a_name_are_without_brackets_and_suffixes():
    assert name_words("JONES, Gordon (Doug), Jr.") == name_words("Gordon Jones")
