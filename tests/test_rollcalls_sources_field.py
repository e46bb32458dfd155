"""Roll-call files as they come, made up after files and bug reports of people who do this work."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tallgrass.errors import DataError
from tallgrass.inputs.paths import as_given_from
from tallgrass.rollcalls.chambers import join_chambers
from tallgrass.rollcalls.earlier import stored_spec
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.sources import load_votes, source_of
from tallgrass.rollcalls.sources.legiscan import _is_of_committee
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.vote_tables import party_name
from tallgrass.settings import Settings

FIELD = Path(__file__).parent / "field"


def field(name, chamber="senate"):
    return load_votes(str(FIELD / name), chamber)


def prepared(name, **parameters):
    spec = RunSpec(session=str(FIELD / name), **{"min_votes": 5} | parameters)
    return read(spec, Settings())


def test_an_unpacked_legiscan_folder_is_the_session_of_its_zip(tmp_path):
    shutil.make_archive(str(tmp_path / "packed"), "zip", FIELD / "unzipped")
    zipped = load_votes(str(tmp_path / "packed.zip"), "senate")
    for folder in ("unzipped", "unzipped/MI", "unzipped/MI/2025-2026_Regular_Session/csv"):
        votes = field(folder)
        assert votes.fingerprint == zipped.fingerprint
        assert votes.session == "MI_2025-2026_Regular_Session"


@pytest.mark.parametrize(
    "name", ["a b", "a%20b", "a#b", "what?", "é", "a\nb", "[x]", "*", "~", "-x"]
)
def test_folders_of_data_may_have_any_name(tmp_path, name):
    for part in ("hsall", "unzipped"):
        shutil.copytree(FIELD / part, tmp_path / name / part)
    for part in ("wide_votes.csv", "committee_rollcalls.zip"):
        shutil.copy(FIELD / part, tmp_path / name)
    for part in ("hsall", "unzipped", "wide_votes.csv", "committee_rollcalls.zip"):
        votes = load_votes(str(tmp_path / name / part), "senate")
        assert votes.fingerprint == field(part).fingerprint


def test_a_folder_of_several_legiscan_sessions_lists_them(tmp_path):
    for name in ("2023-2024", "2025-2026"):
        shutil.copytree(FIELD / "unzipped/MI/2025-2026_Regular_Session", tmp_path / "MI" / name)
    with pytest.raises(DataError, match=r"MI/2023-2024/csv, MI/2025-2026/csv"):
        load_votes(str(tmp_path), "senate")


@pytest.fixture
def two_sessions(tmp_path):
    """A LegiScan zip with two sessions; in the first all voted nay."""
    source = FIELD / "unzipped/MI/2025-2026_Regular_Session/csv"
    for name in ("2023-2024_Regular_Session", "2025-2026_Regular_Session"):
        shutil.copytree(source, tmp_path / "all" / "MI" / name / "csv")
    votes = tmp_path / "all/MI/2023-2024_Regular_Session/csv/votes.csv"
    votes.write_text(votes.read_text().replace(",1,Yea", ",2,Nay"))
    return Path(shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "all"))


def test_a_zip_of_several_sessions_lists_them_and_says_how_to_choose(two_sessions):
    listed = r"MI/2023-2024_Regular_Session, MI/2025-2026_Regular_Session"
    with pytest.raises(DataError, match=f"2 LegiScan sessions in 'all.zip': received '{listed}'"):
        load_votes(str(two_sessions), "senate")


@pytest.mark.parametrize("choice", ["MI/{}", "{}", "MI/{}/csv", "{}/csv"])
def test_one_session_of_a_zip_is_chosen_by_its_folder(two_sessions, choice):
    name = "2025-2026_Regular_Session"
    votes = load_votes(f"{two_sessions}/{choice.format(name)}", "senate")
    assert votes.session == f"MI_{name}"
    assert votes.fingerprint == field("unzipped").fingerprint
    other = load_votes(f"{two_sessions}/MI/2023-2024_Regular_Session", "senate")
    assert other.fingerprint != votes.fingerprint


def test_a_session_inside_a_zip_is_found_from_the_folder_of_the_run(two_sessions):
    inside = "all.zip/MI/2025-2026_Regular_Session"
    assert as_given_from(two_sessions.parent, inside) == str(two_sessions.parent / inside)


def test_members_of_every_congress_do_for_one():
    votes = field("hsall")
    assert votes.session == "S200"
    assert votes.cells.shape == (8, 30)
    assert {member.party for member in votes.legislators} == {"Democrat", "Republican"}


def test_a_wide_matrix_is_read_by_the_codes_of_pscl():
    votes = field("wide_votes.csv")
    assert [(m.slug, m.party) for m in votes.legislators] == [("sen_m1", "Red"), ("sen_m2", "Blue")]
    assert votes.vote_ids == ("101", "102", "103")
    np.testing.assert_array_equal(votes.cells, [[1, -1, 0], [-1, 1, 1]])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([["1", "0"], ["0", ""]], [[1, -1], [-1, 0]]),
        ([["1", "-1"], ["0", "1"]], [[1, -1], [0, 1]]),
        ([["1", "6"], ["9", "2"]], [[1, -1], [0, 1]]),
        ([["1", "6"], ["0", "9"]], [[1, -1], [0, 0]]),
        ([["1", "0"], ["9", "1"]], [[1, -1], [0, 1]]),
        ([["Yea", ""], ["Excused", "Nays"]], [[1, 0], [0, -1]]),
        ([["Paired Yea", "announced nay"], ["Paired", "no"]], [[1, -1], [0, -1]]),
        ([["1,0", "0,0"], ["", "1,0"]], [[1, -1], [0, 1]]),
        ([["Yea", "nay"], ["absent", "YES"]], [[1, -1], [0, 1]]),
        ([["1.0", "0.0"], ["NA", "1.0"]], [[1, -1], [0, 1]]),
    ],
)
def test_votes_of_a_wide_matrix_may_be_words_or_numbers(tmp_path, values, expected):
    table = pd.DataFrame(values, columns=["v1", "v2"])
    table.insert(0, "name", ["Ann", "Bob"])
    table.insert(1, "party", ["D", "R"])
    table.to_csv(tmp_path / "matrix.csv", index=False)
    votes = load_votes(str(tmp_path / "matrix.csv"), "house")
    np.testing.assert_array_equal(votes.cells, expected)
    assert [m.party for m in votes.legislators] == ["Democrat", "Republican"]


def test_an_unknown_vote_of_a_wide_matrix_is_named_with_its_place(tmp_path):
    (tmp_path / "matrix.csv").write_text("name,v1,v2\nAnn,1,0\nBob,1,maybe\n")
    with pytest.raises(DataError, match=r"row 3, column v2: unknown vote: received 'maybe'"):
        load_votes(str(tmp_path / "matrix.csv"), "house")


def test_codes_of_which_nobody_says_what_they_mean_are_refused(tmp_path):
    # LegiScan's 1 to 4 are yea, nay, not voting and absent; Voteview's are three yeas and a nay.
    (tmp_path / "matrix.csv").write_text("name,v1,v2\nAnn,1,2\nBob,3,4\n")
    with pytest.raises(DataError, match="1 yea, 6 nay"):
        load_votes(str(tmp_path / "matrix.csv"), "house")


@pytest.mark.parametrize(
    ("text", "party"),
    [
        ("Dem.", "Democrat"), ("(D)", "Democrat"), ("D-TX", "Democrat"), ("DFL", "Democrat"),
        ("Democratic-Farmer-Labor", "Democrat"), ("Democratic Party", "Democrat"),
        ("100", "Democrat"), ("100.0", "Democrat"), ("Democratic-NPL", "Democrat"),
        ("GOP", "Republican"), ("Republicans", "Republican"), ("200", "Republican"),
        ("Democratic-Republican", "Democratic-Republican"), ("Red", "Red"), ("", ""),
        ("Independent Democrat", "Independent Democrat"), ("1000", "1000"),
    ],
)  # fmt: skip
def test_parties_are_known_by_their_other_names(text, party):
    assert party_name(text) == party


@pytest.mark.parametrize("separator", [",", ";", "|"])
def test_one_file_with_a_row_a_vote_is_read_as_in_memory(tmp_path, separator):
    long = pd.DataFrame(
        {
            "vote_id": ["v1", "v1", "v2", "v3"],
            "legislator": ["ann", "bob", "ann", "cyd"],
            "party": ["D", "R", "D", "R"],
            "chamber": ["House", "House", "House", "Senate"],
            "bill": ["HB 1", "HB 1", "HB 2", "SB 1"],
            "vote": ["Yea", "Nay", "Absent", "Yea"],
        }
    )
    long.to_csv(tmp_path / "long.csv", sep=separator, index=False)
    votes = load_votes(str(tmp_path / "long.csv"), "house")
    assert (votes.slugs, votes.vote_ids) == (("ann", "bob"), ("v1", "v2"))
    np.testing.assert_array_equal(votes.cells, [[1, 0], [-1, 0]])
    assert [rollcall.bill for rollcall in votes.rollcalls] == ["HB 1", "HB 2"]
    assert votes.legislators[0].party == "Democrat"


def test_a_wide_matrix_with_a_column_of_chambers_holds_both(tmp_path):
    (tmp_path / "m.csv").write_text("name,chamber,v1,v2\nA,House,1,0\nB,Senate,0,1\n")
    assert [m.name for m in load_votes(str(tmp_path / "m.csv"), "senate").legislators] == ["B"]


def test_files_of_the_other_formats_are_not_taken_for_a_matrix(write_session):
    folder = write_session()
    assert source_of(str(folder))[0] == "tallgrass"
    assert source_of(str(folder / "small_votes.csv"))[0] == "tallgrass"


def test_parties_other_than_the_two_are_the_groups_of_a_party_model():
    votes = prepared("other_parties", model="hierarchical").votes
    assert votes.groups == ("Blue", "Red")
    assert len(votes.legislators) == 12
    assert len(prepared("other_parties", model="flat").votes.legislators) == 12


def test_a_roll_call_that_loses_its_votes_with_dropped_members_is_dropped_too():
    votes = field("empty_rollcall")
    once, _ = filter_votes(votes, 0.025, 20, parties_only=True)
    settled, log = filter_votes(votes, 0.025, 20, parties_only=True, settled=True)
    assert "v40" in once.vote_ids  # with no yea and no nay
    assert "v40" not in settled.vote_ids
    (drop,) = [drop for drop in log.drops if drop.id == "v40"]
    assert (drop.reason, drop.detail) == ("minority", "0 yea, 0 nay: minority 0.0 %")
    yeas, nays = ((settled.cells == vote).sum(axis=0) for vote in (1, -1))
    assert (np.minimum(yeas, nays) / (yeas + nays) >= 0.025).all()
    assert (np.count_nonzero(settled.cells, axis=1) >= 20).all()


def test_roll_calls_of_committees_are_told_apart_and_left_out():
    votes = field("committee_rollcalls.zip")
    assert sum(rollcall.committee for rollcall in votes.rollcalls) == 3
    assert not any(r.committee for r in field("committee_rollcalls.zip", "house").rollcalls)
    of_run = prepared("committee_rollcalls.zip")
    assert not any(rollcall.committee for rollcall in of_run.votes.rollcalls)
    assert of_run.filter_log.count("committee") == 3
    kept = prepared("committee_rollcalls.zip", committee=True).votes
    assert any(rollcall.committee for rollcall in kept.rollcalls)


@pytest.mark.parametrize(
    ("motion", "total", "expected"),
    [
        ("Senate Judiciary Committee: Recommend to floor", "7", True),
        ("Reported from Courts of Justice (14-Y 1-N)", "0", True),
        ("Subcommittee recommends reporting (5-Y 3-N)", "0", True),
        ("Ordered reported favorably", "0", True),
        ("Do pass as amended. Ayes 5. Noes 2.", "0", True),
        ("Third Reading", "9", False),
        ("Conference Committee Report: adopted", "9", False),
        ("Committee of the Whole: Be passed", "9", False),
        ("Read third time. Yeas: 30 Nays: 8", "0", False),
        ("Passage", "40", False),
        ("Passage", "19", True),
    ],
)
def test_committees_are_known_by_their_size_and_their_words(motion, total, expected):
    assert _is_of_committee({"description": motion, "total": total}, 40) == expected


def test_roll_calls_of_committees_are_never_matched_across_chambers():
    chambers = [field("committee_rollcalls.zip", chamber) for chamber in ("house", "senate")]
    matched = [m.senate for m in join_chambers(*chambers).matches if m.status == "matched"]
    of_committee = {r.vote_id for r in chambers[1].rollcalls if r.committee}
    assert matched
    assert not of_committee & set(matched)


def test_the_spec_of_an_earlier_version_keeps_its_filters():
    old = RunSpec().model_dump_json(exclude={"filters", "committee"})
    assert (stored_spec(old).filters, stored_spec(old).committee) == ("once", True)
    now = RunSpec().to_json()
    assert (stored_spec(now).filters, stored_spec(now).committee) == ("settled", False)


@pytest.mark.parametrize("session", ["84th_2011-2012", "88th_2019-2020", "91st_2025-2026"])
@pytest.mark.parametrize("chamber", ["house", "senate"])
def test_the_filters_of_both_versions_leave_the_same_of_kansas(session, chamber, data_dir):
    votes = load_votes(session, chamber, data_dir)
    once, settled = (
        filter_votes(votes, 0.025, 20, parties_only=True, committee=not rule, settled=rule)[0]
        for rule in (False, True)
    )
    assert settled.fingerprint == once.fingerprint
