import gzip

import numpy as np
import pandas as pd
import pytest

from tallgrass.errors import DataError
from tallgrass.rollcalls.sources import load_votes, source_of

VOTES = """congress,chamber,rollnumber,icpsr,cast_code,prob
116,Senate,1,101.0,1.0,97.5
116,Senate,1,102.0,6.0,99.9
116,Senate,1,103.0,9.0,
116,Senate,2,101.0,4.0,97.5
116,Senate,2,102.0,3.0,99.9
116,Senate,2,103.0,7.0,
116,Senate,2,99912.0,1.0,
116,House,1,104.0,2.0,
"""
MEMBERS = """congress,chamber,icpsr,state_abbrev,district_code,party_code,bioname,bioguide_id
116,President,99912,USA,0,200,"TRUMP, Donald John",
116,Senate,101,AL,0,100,"JONES, Gordon Douglas (Doug)",J000300
116,Senate,102,AZ,0,200,"McSALLY, Martha",M001197
116,Senate,103,VT,0,328,"SANDERS, Bernard",S000033
116,House,104,KS,3,100,"DAVIDS, Sharice",D000629
"""
ROLLCALLS = """congress,chamber,rollnumber,date,bill_number,vote_question,vote_desc,dtl_desc
116,Senate,1,2019-01-08,S1,On Cloture on the Motion to Proceed,A bill,
116,Senate,2,2019-01-10,PN1,On the Nomination,A person,"A person, in full"
"""


@pytest.fixture
def write(tmp_path):
    def write(votes=VOTES, members=MEMBERS, rollcalls=ROLLCALLS):
        for part, text in (("members", members), ("rollcalls", rollcalls)):
            if text is not None:
                (tmp_path / f"S116_{part}.csv").write_text(text)
        path = tmp_path / "S116_votes.csv.gz"
        path.write_bytes(gzip.compress(votes.encode()))
        return path

    return write


def test_votes_members_and_roll_calls_are_read(write):
    votes = load_votes(str(write()), "senate")
    assert (votes.session, votes.chamber) == ("S116", "senate")
    assert votes.slugs == ("sen_jones_101", "sen_mcsally_102", "sen_sanders_103")
    assert votes.vote_ids == ("RS1160001", "RS1160002")
    assert votes.cells.tolist() == [[1, -1], [-1, 1], [0, 0]]
    jones, _, sanders = votes.legislators
    assert (jones.name, jones.party) == ("JONES, Gordon Douglas (Doug)", "Democrat")
    assert (sanders.party, sanders.district) == ("Independent", "VT")
    cloture, nomination = votes.rollcalls
    assert (cloture.bill, cloture.date, cloture.title) == ("S1", "2019-01-08", "A bill")
    assert nomination.motion == "On the Nomination: A person, in full"
    assert nomination.vote_type == "On the Nomination"


def test_a_house_member_has_a_district(write):
    text = ROLLCALLS + "116,House,1,2019-01-03,HR1,On Passage,A bill,\n"
    votes = load_votes(str(write(rollcalls=text)), "house")
    assert (votes.slugs, votes.vote_ids) == (("rep_davids_104",), ("RH1160001",))
    assert votes.legislators[0].district == "KS-3"


def test_without_a_roll_calls_file_the_votes_are_the_same(write):
    with_file = load_votes(str(write()), "senate")
    (write().parent / "S116_rollcalls.csv").unlink()
    without = load_votes(str(write(rollcalls=None)), "senate")
    assert without.fingerprint == with_file.fingerprint
    assert without.rollcalls[0].bill == ""


def test_a_folder_with_one_congress_is_a_session(write):
    path = write()
    assert source_of(str(path.parent)) == ("voteview", path.parent)
    assert load_votes(str(path.parent), "senate").session == "S116"


@pytest.mark.parametrize(
    ("code", "cell"),
    [(0, 0), (1, 1), (2, 1), (3, 1), (4, -1), (5, -1), (6, -1), (7, 0), (8, 0), (9, 0)],
)
def test_cast_codes(write, code, cell):
    votes = load_votes(str(write(VOTES.replace("101.0,1.0", f"101.0,{code}"))), "senate")
    assert votes.cells[0, 0] == cell


BAD = {
    "no members file": ({"members": None}, "without its file S116_members.csv"),
    "a missing column": (
        {"members": MEMBERS.replace("bioname", "name")},
        "lacks the column bioname",
    ),
    "an unknown cast code": (
        {"votes": VOTES.replace("102.0,6.0", "102.0,12")},
        "row 3: unknown vote word: received '12'",
    ),
    "duplicate votes": (
        {"votes": VOTES + "116,Senate,1,101,1,\n"},
        "duplicate rows: two votes by one legislator on one roll call: "
        "received 'sen_jones_101, RS1160001'",
    ),
    "duplicate members": (
        {"members": MEMBERS + '116,Senate,101,AL,0,200,"JONES, Doug",J000300\n'},
        "party_code '100' and '200'",
    ),
    "duplicate roll calls": (
        {"rollcalls": ROLLCALLS + "116,Senate,2,2019-01-10,S2,On Passage,,\n"},
        "duplicate rows of one rollnumber: received '2'",
    ),
    "a vote by nobody": ({"votes": VOTES + "116,Senate,1,999,1,\n"}, "row 10: unknown icpsr"),
    "a vote by a member of the other chamber": (
        {"votes": VOTES + "116,Senate,1,104,1,\n"},
        "row 10: unknown icpsr: received '104'",
    ),
    "a vote on nothing": (
        {"votes": VOTES + "116,Senate,9,101,1,\n"},
        "unknown roll call: received 'RS1160009'",
    ),
    "two Congresses": (
        {"votes": VOTES + "115,Senate,9,101,1,\n"},
        "more than one Congress: received '116, 115'",
    ),
    "no icpsr": ({"votes": VOTES + "116,Senate,1,,1,\n"}, "row 10: empty icpsr"),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_error(write, files, message):
    with pytest.raises(DataError) as caught:
        load_votes(str(write(**files)), "senate")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_chamber_that_is_not_in_the_file_is_an_error(write):
    only_senate = VOTES.replace("116,House,1,104.0,2.0,\n", "")
    with pytest.raises(DataError, match="no roll calls of the house in S116: received 'Senate'"):
        load_votes(str(write(only_senate)), "house")


def test_a_half_written_votes_file_is_an_error(write):
    path = write()
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DataError, match="half-written"):
        load_votes(str(path), "senate")


def test_the_116th_senate_has_its_senators_and_tallies(data_dir):
    votes = load_votes("S116", "senate", data_dir)
    assert votes.cells.shape == (102, 720)
    assert not any("trump" in slug for slug in votes.slugs)
    parties = [member.party for member in votes.legislators]
    assert {party: parties.count(party) for party in set(parties)} == {
        "Republican": 54,
        "Democrat": 46,
        "Independent": 2,
    }
    table = pd.read_csv(data_dir / "voteview" / "S116_rollcalls.csv")
    assert np.array_equal((votes.cells == 1).sum(axis=0), table["yea_count"])
    assert np.array_equal((votes.cells == -1).sum(axis=0), table["nay_count"])
