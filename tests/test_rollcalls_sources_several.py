"""Several sessions from a list, a pattern or one file, in the order of time."""

import gzip
from dataclasses import replace

import pandas as pd
import pytest
from example_session import write_votes
from toy_careers import toy_session

from tallgrass.errors import DataError
from tallgrass.rollcalls.sources.several import load_sittings, session_times, sessions_named


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for first, (name, year) in enumerate(
        (("84th_2011-2012", 2011), ("9th_2009-2010", 2009), ("91st_2025-2026", 2025))
    ):
        house = toy_session(year, "house", (3, 4), 4, first)
        chambers = [house]
        if year > 2010:
            senate = toy_session(year, "senate", (3, 4), 4, 9)
            votes = tuple(replace(r, vote_id=f"s{r.vote_id}") for r in senate.rollcalls)
            chambers.append(replace(senate, rollcalls=votes))
        write_votes(data / name, *chambers)
    (data / "README.md").write_text("not a session")
    return data


def names(sittings):
    return [s.session for s in sittings]


def test_sessions_come_in_the_order_of_time_however_they_are_given(folder):
    ordered = ["9th_2009-2010", "84th_2011-2012", "91st_2025-2026"]
    assert names(load_sittings(f"{folder}/*", ["house"])) == ordered
    assert names(load_sittings("*", ["house"], folder)) == ordered
    listed = f"{folder}/91st_2025-2026,{folder}/9th_2009-2010, {folder}/84th_2011-2012"
    assert names(load_sittings(listed, ["house"])) == ordered


def test_a_pattern_takes_the_sessions_that_it_fits(folder):
    assert names(load_sittings("9*", ["house"], folder)) == ["9th_2009-2010", "91st_2025-2026"]
    with pytest.raises(DataError, match=r"no session fits the pattern.*quote the pattern"):
        load_sittings(f"{folder}/77th*", ["house"])


def test_a_chamber_may_lack_a_session(folder):
    sittings = load_sittings(f"{folder}/*", ["house", "senate"])
    assert [s.chamber for s in sittings] == ["house"] * 3 + ["senate"] * 2
    with pytest.raises(DataError, match="no roll calls of the senate in 9th_2009-2010"):
        load_sittings(f"{folder}/*", ["senate"])


def test_sessions_are_left_out_by_the_beginnings_of_their_names(folder):
    kept = load_sittings(f"{folder}/*", ["house"], left_out=["84th"])
    assert names(kept) == ["9th_2009-2010", "91st_2025-2026"]
    with pytest.raises(DataError, match="leave_out: unknown session"):
        load_sittings(f"{folder}/*", ["house"], left_out=["85th"])


@pytest.mark.parametrize(
    ("labels", "times"),
    [
        (["84th_2011-2012", "KS_2019-2020_Regular_20200101"], [1005.5, 1009.5]),
        (["S115", "S116"], [115, 116]),
        (["97th", "2011"], None),
    ],
)
def test_times_are_years_or_numbers_of_bienniums(labels, times):
    if times is None:
        with pytest.raises(DataError, match="time of a session is not known"):
            session_times([("spring", [])])
    else:
        assert session_times([(label, []) for label in labels]) == times


def test_without_a_year_or_number_the_dates_of_the_roll_calls_say_the_time():
    votes = toy_session(2019, "house", (3, 4), 4)
    dated = replace(votes, rollcalls=tuple(replace(r, date="2019-02-03") for r in votes.rollcalls))
    assert session_times([("spring", [dated])]) == [1009.5]


def test_a_database_is_one_session():
    with pytest.raises(DataError, match="a database is one session"):
        sessions_named("sqlite:///votes.db")


def test_one_voteview_file_with_many_congresses_is_as_many_sessions(tmp_path):
    votes, members = [], []
    for congress in (116, 115):
        for icpsr, party in ((1, 100), (2, 100), (3, 200), (4, 200)):
            members.append((congress, "Senate", icpsr, "KS", party, f"NAME{icpsr}, First{icpsr}"))
            votes += [
                (congress, "Senate", number, icpsr, 1 if party == 100 else 6) for number in (1, 2)
            ]
    for name, rows, columns in (
        ("votes", votes, "congress chamber rollnumber icpsr cast_code"),
        ("members", members, "congress chamber icpsr state_abbrev party_code bioname"),
    ):
        text = pd.DataFrame(rows, columns=columns.split()).to_csv(index=False)
        with gzip.open(tmp_path / f"Sall_{name}.csv.gz", "wt") as stream:
            stream.write(text)
    sittings = load_sittings(str(tmp_path / "Sall_votes.csv.gz"), ["senate"])
    assert [(s.session, s.time) for s in sittings] == [("115", 115.0), ("116", 116.0)]
    assert [s.votes.vote_ids[0] for s in sittings] == ["RS1150001", "RS1160001"]
    assert {s.votes.slugs for s in sittings} == {
        ("sen_name1_1", "sen_name2_2", "sen_name3_3", "sen_name4_4")
    }
