import zipfile
from functools import cache

import numpy as np
import pandas as pd
import pytest

from tallgrass.errors import DataError
from tallgrass.inputs.limits import Limits
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.sources import legiscan, load_votes
from tallgrass.rollcalls.votes import VoteMatrix

PLACE = "KS/2025-2026_Regular_Session/csv/"
FILES = {
    "bills": """bill_id,session_id,bill_number,title
10,1,HB2001,"About daylight, saved"
11,1,SB1,About time
""",
    "rollcalls": """bill_id,roll_call_id,date,chamber,description,yea,nay,nv,absent,total
10,500,2025-02-01,House,"House Final Action - Passed - Yea: 1 Nay: 1",1,1,0,1,3
10,499,0000-00-00,House,"House Motion to override veto prevailed - Yea: 2 Nay: 0",2,0,1,0,3
11,501,2025-02-02,Senate,"Senate Consent Calendar Passed - Yea: 1 Nay: 1",1,1,0,0,2
""",
    "people": """people_id,name,first_name,last_name,party_id,party,role,district,committee_id
7,"Zoë O'Brien <b>",Zoë,O'Brien,1,D,Rep,HD-012,0
8,Bo Lee,Bo,Lee,2,R,Sen,SD-003,0
9,Cy Day,Cy,Day,3,I,Rep,HD-100,0
12,Di Fox,Di,Fox,1,D,Sen,SD-004,0
6,Taxation,,,0,,Rep,,1392
""",
    "votes": """roll_call_id,people_id,vote,vote_desc
500,7,1,Yea
500,8,2,Nay
500,9,4,Absent
499,7,1,Yea
499,8,1,Yea
499,9,3,NV
501,8,1,Yea
501,12,2,Nay
""",
}


@pytest.fixture
def make_zip(tmp_path):
    def make(place=PLACE, **files):
        path = tmp_path / "KS_CSV_20250411_0c8f.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, text in (FILES | files).items():
                if text is not None:
                    archive.writestr(f"{place}{part}.csv", text)
        return path

    return make


def zip_of(data_dir, session):
    years = {"84th": "2011-2012", "91st": "2025-2026"}[session]
    return str(next((data_dir / "legiscan").glob(f"KS_{years}_*.zip")))


def by_kansas_slug(votes, data_dir, session):
    """LegiScan's votes under the slugs of the tallgrass CSV."""
    path = next((data_dir / "kansas").glob(f"{session}*/*_legislators.csv"))
    listed = pd.read_csv(path, dtype=str)
    slug = dict(zip(listed["legiscan_people_id"], listed["slug"], strict=True))
    return votes.renamed({name: slug[name.rsplit("_", 1)[1]] for name in votes.slugs})


def without_duplicates(votes):
    return filter_votes(votes, minority_threshold=0, min_votes=0, parties_only=False)


def test_a_zip_is_read_as_it_is_handed_out(make_zip):
    votes = load_votes(str(make_zip()), "house")
    assert (votes.session, votes.chamber) == ("KS_2025-2026_Regular_Session", "house")
    assert votes.vote_ids == ("ls_499", "ls_500")
    assert votes.slugs == ("rep_day_cy_9", "rep_lee_bo_8", "rep_o_brien_zoe_7")
    assert votes.cells.tolist() == [[0, 0], [1, -1], [1, 1]]
    zoe = votes.legislators[2]
    assert (zoe.name, zoe.party, zoe.district) == ("Zoë O'Brien <b>", "Democrat", "12")
    veto, final = votes.rollcalls
    assert (veto.bill, veto.motion) == ("HB 2001", "Motion to override veto prevailed")
    assert (veto.vote_type, veto.date) == ("Veto Override", "")
    assert (final.motion, final.vote_type) == ("Final Action - Passed", "Final Action")
    assert (final.date, final.title) == ("2025-02-01", "About daylight, saved")


def test_a_member_who_moved_is_in_the_chambers_they_voted_in(make_zip):
    path = str(make_zip())
    assert "rep_lee_bo_8" in load_votes(path, "house").slugs
    assert load_votes(path, "senate").slugs == ("sen_fox_di_12", "sen_lee_bo_8")


def test_a_zip_packed_without_folders_is_named_after_itself(make_zip):
    assert load_votes(str(make_zip(place="")), "house").session == "KS_CSV_20250411_0c8f"


def test_nothing_is_written_to_disk(make_zip, tmp_path):
    path = make_zip()
    load_votes(str(path), "house")
    assert list(tmp_path.iterdir()) == [path]


BAD = {
    "no votes file": ({"votes": None}, "holds no files named votes.csv"),
    "no bills file": ({"bills": None}, "holds no files named bills.csv"),
    "a missing column": (
        {"people": FILES["people"].replace("party,role", "party,job")},
        "lacks the column role",
    ),
    "an unknown vote code": (
        {"votes": FILES["votes"].replace("4,Absent", "5,Excused")},
        "row 4: unknown vote word: received '5'. known: 1, 2, 3, 4",
    ),
    "duplicate votes": (
        {"votes": FILES["votes"] + "500,8,2,Nay\n"},
        "duplicate rows: two votes by one legislator on one roll call: "
        "received 'rep_lee_bo_8, ls_500'",
    ),
    "duplicate people": (
        {"people": FILES["people"] + "9,Cy Day,Cy,Day,1,D,Rep,HD-100,0\n"},
        "duplicate rows of one people_id: received '9'",
    ),
    "duplicate roll calls": (
        {"rollcalls": FILES["rollcalls"] + FILES["rollcalls"].splitlines()[1] + "\n"},
        "duplicate rows of one roll_call_id: received '500'",
    ),
    "a vote by nobody": ({"votes": FILES["votes"] + "500,99,1,Yea\n"}, "unknown people_id"),
    "a vote on nothing": ({"votes": FILES["votes"] + "999,7,1,Yea\n"}, "unknown roll_call_id"),
    "a roll call on no bill": (
        {"bills": "bill_id,bill_number,title\n10,HB1,T\n"},
        "unknown bill_id: received '11'",
    ),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_error(make_zip, files, message):
    with pytest.raises(DataError) as caught:
        load_votes(str(make_zip(**files)), "house")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_sessions_in_one_zip_are_an_error(make_zip):
    path = make_zip()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("KS/2023-2024_Regular_Session/csv/votes.csv", FILES["votes"])
    with pytest.raises(DataError, match=r"holds 2 files named votes.csv"):
        load_votes(str(path), "house")


def test_a_chamber_that_did_not_vote_is_an_error(make_zip):
    lines = FILES["rollcalls"].splitlines()[:3]
    votes = "\n".join(FILES["votes"].splitlines()[:7])
    path = make_zip(rollcalls="\n".join(lines), votes=votes)
    with pytest.raises(DataError, match="no roll calls of the senate"):
        load_votes(str(path), "senate")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_half_written_zip_is_an_error(make_zip, share):
    path = make_zip()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match="half-written"):
        load_votes(str(path), "house")


def test_a_zip_with_a_damaged_file_inside_is_an_error(make_zip):
    path = make_zip()
    data = bytearray(path.read_bytes())
    start = data.index(b"votes.csv") + len(b"votes.csv")
    data[start + 5 : start + 40] = bytes(35)
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="damaged"):
        load_votes(str(path), "house")


def test_a_zip_larger_than_the_limit_is_not_unzipped(make_zip):
    path = make_zip(votes=FILES["votes"] + "\n" * 2_000_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match=r"too large: received '2,000,.* bytes'.*limit_input_mib"):
        legiscan.load(path, "house", Limits(input_mib=1))


def test_a_zip_that_lies_about_its_size_is_an_error(make_zip):
    path = make_zip(votes=FILES["votes"] + "\n" * 2_000_000)
    data = bytearray(path.read_bytes())
    true_size = (len(FILES["votes"]) + 2_000_000).to_bytes(4, "little")
    assert data.count(true_size) == 2  # the local header and the central directory
    path.write_bytes(bytes(data).replace(true_size, (500).to_bytes(4, "little")))
    with pytest.raises(DataError, match="damaged"):
        legiscan.load(path, "house")


@cache
def csv_and_zip(data_dir, session, chamber):
    """One chamber's votes from the CSV files, and from the zip under the names of the CSV."""
    csv = load_votes(session, chamber, data_dir)
    return csv, by_kansas_slug(load_votes(zip_of(data_dir, session), chamber), data_dir, session)


@pytest.mark.parametrize("chamber", ["house", "senate"])
@pytest.mark.parametrize(("session", "n_house", "n_senate"), [("84th", 291, 273), ("91st", 0, 1)])
def test_zip_and_tallgrass_csv_hold_the_same_votes(data_dir, session, n_house, n_senate, chamber):
    csv, whole = csv_and_zip(data_dir, session, chamber)
    # the zip alone holds the duplicates, and it holds nothing else that the CSV does not
    n_duplicates = {"house": n_house, "senate": n_senate}[chamber]
    assert len(whole.rollcalls) == len(csv.rollcalls) + n_duplicates
    in_csv = np.isin(whole.vote_ids, csv.vote_ids)
    common = whole.select(np.ones(len(whole.legislators), bool), in_csv)
    assert common.fingerprint == csv.fingerprint
    assert common.legislators == csv.legislators
    for ours, theirs in zip(common.rollcalls, csv.rollcalls, strict=True):
        # the CSV cuts titles after 500 characters
        assert theirs.title == ours.title[:500].rstrip()
        assert (ours.bill, ours.motion, ours.vote_type, ours.date) == (
            theirs.bill,
            theirs.motion,
            theirs.vote_type,
            theirs.date,
        )


@pytest.mark.parametrize("chamber", ["house", "senate"])
@pytest.mark.parametrize("session", ["84th", "91st"])
def test_zip_and_tallgrass_csv_have_equal_fingerprints_without_duplicates(
    data_dir, session, chamber
):
    csv, whole = csv_and_zip(data_dir, session, chamber)
    (kept, log), (kept_csv, _) = without_duplicates(whole), without_duplicates(csv)
    assert log.count("duplicate") == len(whole.rollcalls) - len(csv.rollcalls)
    assert kept.fingerprint == kept_csv.fingerprint

    def modelled(votes: VoteMatrix) -> str:
        return filter_votes(votes, 0.025, 20, parties_only=True)[0].fingerprint

    assert modelled(whole) == modelled(csv)
