"""Sessions in the order of time, who follows whom, and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pytest
from toy_careers import toy_careers, toy_session

from tallgrass.errors import DataError
from tallgrass.rollcalls.career_analysis import long_run
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.identity import identity
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.spec import RunSpec


def careers_of(sittings, **settings):
    sittings = tuple(sittings)
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    return Careers(sittings, match_persons(seats), **settings)


def test_a_career_goes_on_from_the_last_session_with_its_distance():
    careers = toy_careers()
    names = [m.slug for s in careers.sittings for m in s.votes.legislators]
    at = {
        (careers.sittings[careers.sitting_of_row[i]].session, name): i
        for i, name in enumerate(names)
    }
    links = {(p, c): g for p, c, g in zip(*careers.links[:3], strict=True)}
    assert links[at["2019", "hou_D01"], at["2021", "hou_D01"]] == 1.0
    assert links[at["2021", "hou_D02"], at["2025", "hou_D02"]] == 2.0
    assert at["2025", "hou_D04"] in careers.links.new
    assert len(links) + len(careers.links.new) == len(names)


def test_a_missing_session_makes_a_longer_gap():
    careers = toy_careers()
    without = careers_of([careers.sittings[0], careers.sittings[2]])
    assert set(without.links.gap) == {3.0}


def test_member_sessions_stand_in_the_combined_votes_where_their_names_say():
    careers = toy_careers(both=True)
    for i, (sitting, block) in enumerate(zip(careers.sittings, careers.blocks, strict=True)):
        slugs = [careers.combined.slugs[row] for row in careers.rows_of(i)]
        assert [slug.removeprefix("house:") for slug in slugs] == [
            f"{slug}@{sitting.session}" for slug in sitting.votes.slugs
        ]
        assert block.n_observations == sitting.votes.n_observations
        assert (block.session, block.chamber) == (sitting.session, sitting.chamber)
    total = sum(s.votes.n_observations for s in careers.sittings)
    assert careers.combined.n_observations == total


def test_who_sits_in_both_chambers_goes_on_in_the_same_one():
    careers = toy_careers(both=True)
    senate = careers.sitting_of_row >= 3
    same = senate[careers.links.previous] == senate[careers.links.current]
    moved = careers.links.current[~same]
    assert set(careers.sitting_of_row[moved]) <= {3, 4}  # into the Senate, never back
    assert 0.5 in careers.links.gap[~same]  # in one session


def test_the_reference_is_the_last_session_or_the_one_that_is_named():
    assert toy_careers().reference_session == "2025"
    assert toy_careers(reference="2021").reference_sitting == 1
    with pytest.raises(DataError, match="more than one session fits the reference"):
        toy_careers(reference="202")
    with pytest.raises(DataError, match="unknown reference"):
        toy_careers(reference="1999")


def test_one_session_is_refused():
    with pytest.raises(DataError, match=r"needs two sessions or more.*model=hierarchical"):
        careers_of(toy_careers().sittings[:1])


def test_two_sessions_of_one_time_are_refused():
    first, second, _ = toy_careers().sittings
    with pytest.raises(DataError, match="of one time"):
        careers_of([first, replace(second, time=first.time)])


def test_sessions_without_common_members_are_refused_by_name():
    sittings = [
        Sitting(str(y), "house", y / 2, toy_session(y, "house", (3, 4), 4, 10 * i))
        for i, y in enumerate((2019, 2021))
    ]
    with pytest.raises(DataError, match=r"without common members: received '2019'.*members=FILE"):
        careers_of(sittings)


def test_few_common_members_are_told():
    assert toy_careers().few_links(10) == [
        "2021 house and earlier sessions (5)",
        "2025 house and earlier sessions (5)",
    ]
    assert toy_careers().few_links(5) == []


def test_without_members_and_bills_only_the_priors_link_the_chambers():
    careers = toy_careers(both=True, chamber_changes=False, matched_bills=False)
    assert not careers.linked_chambers
    assert toy_careers(both=True, chamber_changes=False).linked_chambers
    assert toy_careers(both=True, matched_bills=False).linked_chambers


def test_what_links_the_sessions_is_part_of_what_the_data_are_known_by():
    prints = {
        identity(careers).fingerprint
        for careers in (
            toy_careers(),
            toy_careers(reference="2021"),
            toy_careers(both=True),
            toy_careers(both=True, matched_bills=False),
        )
    }
    assert len(prints) == 4
    assert identity(toy_careers()).fingerprint == identity(toy_careers()).fingerprint


def test_values_by_sitting_come_into_the_order_of_the_combined_votes():
    careers = toy_careers()
    ordered = careers.in_combined_order(careers.sitting_of_row)
    sessions = np.array([slug.partition("@")[2] for slug in careers.combined.slugs])
    assert [careers.sittings[i].session for i in ordered] == sessions.tolist()


def test_a_long_run_says_beforehand_how_long_it_takes_and_how_large_it_is():
    careers = toy_careers(sizes=(6, 8), rollcalls=8)
    short = RunSpec(model="dynamic", chamber="house")
    assert long_run(careers, short) == ()
    [note] = long_run(careers, short.model_copy(update={"draws": 1_000_000, "chains": 64}))
    assert re.search(
        r"3 sittings, \d+ votes: about \d+ minutes of sampling, and 42\.9 GiB", note.message
    )


def test_a_run_of_many_sittings_says_so_however_short_it_is():
    careers = careers_of(
        Sitting(str(year), "house", year / 2, toy_session(year, "house", (3, 3), 4))
        for year in range(1901, 1941, 2)
    )
    [note] = long_run(careers, RunSpec(model="dynamic", chamber="house"))
    assert re.search(r"20 sittings, \d+ votes: about \d+ seconds of sampling, and", note.message)
