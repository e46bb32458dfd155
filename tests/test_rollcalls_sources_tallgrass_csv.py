import gzip
import time

import numpy as np
import pytest
from example_session import LEGISLATORS, ROLLCALLS, VOTES

from tallgrass.errors import DataError
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.sources import load_votes

KEPT = [  # after the default filters
    ("84th", "house", 126, 382, 45_523),
    ("84th", "senate", 40, 243, 9_370),
    ("88th", "house", 127, 153, 18_527),
    ("88th", "senate", 41, 136, 5_264),
    ("91st", "house", 125, 226, 27_331),
    ("91st", "senate", 40, 177, 7_022),
]


def test_votes_names_and_roll_calls_are_read(write_session):
    votes = load_votes(str(write_session()), "house")
    assert votes.cells.tolist() == [[1, -1], [-1, 0], [0, 1]]
    assert (votes.session, votes.chamber) == ("small", "house")
    assert votes.slugs == ("rep_a", "rep_b", "rep_c")
    ann, _, cy = votes.legislators
    assert (ann.name, ann.party, ann.district) == ("Ann A", "Democrat", "1")
    assert cy.party == "Independent"
    first, second = votes.rollcalls
    assert (first.vote_id, first.bill, first.title) == ("v1", "HB 1", "One, and more")
    assert (first.motion, first.vote_type) == ("Final Action - Passed", "Final Action")
    assert (first.date, second.date) == ("2025-01-20", "2025-01-21T09:30:00")


def test_the_other_chamber_is_read_from_the_same_folder(write_session):
    votes = load_votes(str(write_session()), "senate")
    assert (votes.slugs, votes.vote_ids) == (("sen_x",), ("s1",))


@pytest.mark.parametrize("part", ["votes", "rollcalls", "legislators"])
def test_one_of_the_files_stands_for_the_session(write_session, part):
    folder = write_session()
    votes = load_votes(str(folder / f"small_{part}.csv"), "house")
    assert votes.fingerprint == load_votes(str(folder), "house").fingerprint


def test_gzipped_files_and_rows_in_another_order_are_the_same_votes(write_session):
    plain = load_votes(str(write_session()), "house")

    def turned(text):
        header, *rows = text.splitlines()
        return "\n".join([header, *reversed(rows)])

    other = write_session(
        "other", votes=turned(VOTES), rollcalls=turned(ROLLCALLS), legislators=turned(LEGISLATORS)
    )
    for path in other.iterdir():
        path.with_suffix(".csv.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert load_votes(str(other), "house").fingerprint == plain.fingerprint


def test_windows_line_ends_a_bom_and_blanks_change_nothing(write_session):
    plain = load_votes(str(write_session()), "house")
    files = {"votes": VOTES, "rollcalls": ROLLCALLS, "legislators": LEGISLATORS}
    windows = {
        part: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() for part, text in files.items()
    }
    windows["votes"] = windows["votes"].replace(b",Yea", b", yea ") + b"\r\n\r\n"
    other = load_votes(str(write_session("windows", **windows)), "house")
    assert other.fingerprint == plain.fingerprint
    assert other.legislators == plain.legislators
    assert other.rollcalls == plain.rollcalls


def test_quotes_accents_and_markup_in_names_stay_as_they_are(write_session):
    name = 'Zoë "Zo" O\'Brien-Núñez <script>alert(1)</script>'
    listed = LEGISLATORS.replace("Ann A", '"' + name.replace('"', '""') + '"')
    votes = load_votes(str(write_session(legislators=listed)), "house")
    assert votes.legislators[0].name == name


def test_someone_listed_who_never_voted_is_a_row_without_votes(write_session):
    listed = LEGISLATORS + "D,Di D,rep_d,House,Democrat,4\n"
    votes = load_votes(str(write_session(legislators=listed)), "house")
    assert votes.slugs[-1] == "rep_d"
    assert not votes.cells[-1].any()


def test_a_member_listed_for_both_chambers_is_a_row_of_each(write_session):
    listed = LEGISLATORS + "A,Ann A,rep_a,Senate,Independent,9\n"
    folder = write_session(legislators=listed, votes=VOTES + "s1,rep_a,Nay\n")
    house, senate = (load_votes(str(folder), chamber) for chamber in ("house", "senate"))
    assert (house.legislators[0].party, house.legislators[0].district) == ("Democrat", "1")
    assert (senate.legislators[0].party, senate.legislators[0].district) == ("Independent", "9")
    assert senate.cells.tolist() == [[-1], [1]]


def test_a_member_who_voted_where_they_are_not_listed_is_a_row_there(write_session):
    folder = write_session(votes=VOTES + "s1,rep_a,Nay\n")
    senate = load_votes(str(folder), "senate")
    assert senate.slugs == ("rep_a", "sen_x")


def test_equal_rows_of_one_legislator_are_one_legislator(write_session):
    folder = write_session(legislators=LEGISLATORS + LEGISLATORS.splitlines()[1] + "\n")
    assert load_votes(str(folder), "house").slugs == ("rep_a", "rep_b", "rep_c")


def test_party_words_are_written_in_full(write_session):
    listed = LEGISLATORS.replace("Democrat", "Democratic").replace("Republican", "r")
    votes = load_votes(str(write_session(legislators=listed)), "house")
    assert [member.party for member in votes.legislators][:2] == ["Democrat", "Republican"]


def test_dates_are_read_in_both_spellings_or_left_empty(write_session):
    text = "vote_id,chamber,vote_date\nv1,House,03/20/2025\nv2,House,0000-00-00\ns1,Senate,\n"
    votes = load_votes(str(write_session(rollcalls=text)), "house")
    assert [rollcall.date for rollcall in votes.rollcalls] == ["2025-03-20", ""]


BAD = {
    "a missing file": ({"legislators": None}, "small_legislators.csv"),
    "a missing votes file": ({"votes": None}, "small_votes.csv"),
    "a missing column": (
        {"votes": VOTES.replace("legislator_slug", "who")},
        "lacks the column legislator_slug: received 'vote_id, who, vote'",
    ),
    "two missing columns": (
        {"legislators": "slug,name\nrep_a,A\n"},
        "lacks the columns party, chamber",
    ),
    "an unknown vote word": (
        {"votes": VOTES.replace("Present and Passing", "Maybe")},
        "row 6: unknown vote word: received 'Maybe'. known: yea, yes",
    ),
    "an empty vote": ({"votes": VOTES + "v2,rep_d,\n"}, "row 9: unknown legislator_slug"),
    "duplicate votes": (
        {"votes": VOTES + "v1,rep_b,Nay\n"},
        "duplicate rows: two votes by one legislator on one roll call: received 'rep_b, v1'",
    ),
    "duplicate roll calls": (
        {"rollcalls": ROLLCALLS + "v2,House,HB 9,,,,\n"},
        "duplicate rows of one vote_id: received 'v2'",
    ),
    "a legislator of two parties": (
        {"legislators": LEGISLATORS + "A,Ann A,rep_a,House,Republican,1\n"},
        "party 'Democrat' and 'Republican'",
    ),
    "a vote by nobody": ({"votes": VOTES + "v1,rep_z,Yea\n"}, "row 9: unknown legislator_slug"),
    "a vote on nothing": ({"votes": VOTES + "v9,rep_a,Yea\n"}, "row 9: unknown vote_id"),
    "a roll call without an id": ({"rollcalls": ROLLCALLS + ",House,,,,,\n"}, "empty vote_id"),
    "a legislator without a slug": (
        {"legislators": LEGISLATORS + "Q,Q Q,,House,Democrat,9\n"},
        "row 6: empty slug",
    ),
    "an unreadable date": (
        {"rollcalls": ROLLCALLS.replace("2025-01-20T00:00:00", "20 January")},
        "unreadable date: received '20 January'",
    ),
    "a comma too many": ({"votes": VOTES + "v1,rep_a,Yea,no\n"}, "not a whole CSV table"),
    "a comma too many in every row": (
        {"votes": VOTES.replace("\nv", "\nx,v").replace("\ns", "\nx,s")},
        "not a whole CSV table",
    ),
    "a file cut inside a quoted name": (
        {"rollcalls": ROLLCALLS + 's2,Senate,SB 2,,,,"Half a ti'},
        "not a whole CSV table",
    ),
    "an empty file": ({"votes": ""}, "'small_votes.csv' is empty"),
    "a picture": ({"votes": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}, "is not text"),
    "another encoding": (
        {"legislators": LEGISLATORS.replace("Ann", "Zoë").encode("latin-1")},
        "is not text: received 'byte 0xeb'",
    ),
    "UTF-16": ({"votes": VOTES.encode("utf-16")}, "is not text"),
    "half a gzip file": ({"votes": gzip.compress(VOTES.encode())[:-20]}, "half-written"),
    "a damaged gzip file": (
        {"votes": gzip.compress(VOTES.encode())[:12] + b"\xff" * 40},
        "half-written or damaged",
    ),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_error(write_session, files, message):
    folder = write_session(**files)
    with pytest.raises(DataError) as caught:
        load_votes(str(folder), "house")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_cut_in_its_last_row_is_an_error(write_session):
    cut = VOTES[: VOTES.rindex("Yea") + 2]
    with pytest.raises(DataError, match="row 8: unknown vote word: received 'Ye'"):
        load_votes(str(write_session(votes=cut)), "house")


def test_a_chamber_without_roll_calls_is_an_error_that_names_the_others(write_session):
    house_only = "\n".join(ROLLCALLS.splitlines()[:3])
    folder = write_session(rollcalls=house_only, votes=VOTES.replace("s1,sen_x,Yea\n", ""))
    with pytest.raises(DataError, match="no roll calls of the senate in small: received 'House'"):
        load_votes(str(folder), "senate")


@pytest.mark.parametrize(("session", "chamber", "n_members", "n_rollcalls", "n_votes"), KEPT)
def test_kansas_after_the_default_filters(
    data_dir, session, chamber, n_members, n_rollcalls, n_votes
):
    kept, log = filter_votes(load_votes(session, chamber, data_dir), 0.025, 20, parties_only=True)
    assert (kept.cells.shape, kept.n_observations) == ((n_members, n_rollcalls), n_votes)
    assert log.n_rollcalls_read - n_rollcalls == log.count("minority")
    assert log.n_legislators_read - n_members == log.count("min_votes")


def test_kansas_tallies_agree_with_the_roll_calls_file(data_dir):
    import pandas as pd

    folder = data_dir / "kansas" / "88th_2019-2020"
    votes = load_votes(str(folder), "senate")
    table = pd.read_csv(folder / "88th_2019-2020_rollcalls.csv").set_index("vote_id")
    tallies = table.loc[list(votes.vote_ids)]
    assert np.array_equal((votes.cells == 1).sum(axis=0), tallies["yea_count"])
    assert np.array_equal((votes.cells == -1).sum(axis=0), tallies["nay_count"])


def test_a_real_session_is_read_in_seconds_not_minutes(data_dir):
    start = time.perf_counter()
    load_votes("91st", "house", data_dir)
    assert time.perf_counter() - start < 10  # 0.5 s on an idle machine
