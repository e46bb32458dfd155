"""OpenStates' CSV and JSON, with the columns and keys of downloads, API and scrapers."""

import csv
import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from tallgrass.errors import DataError
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.sources import load_votes, source_of
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

MEMBERS = [f"ocd-person/{k:08d}-0000-0000-0000-000000000000" for k in range(12)]
NAMES = [f"Member {chr(65 + k)}" for k in range(12)]
PARTIES = ["Democratic", "Republican"] * 6
OPTIONS = ["yes", "no", "not voting", "excused", "absent", "abstain", "paired", "other"]
UPPER, LOWER, COMMITTEE = (f"ocd-organization/{name}" for name in ("u", "l", "c"))
# (bill, motion, classification, organization, votes by member)
CALLS = [
    ("SB 1", "Final passage", ["passage"], UPPER, {k: OPTIONS[k % 2] for k in range(10)}),
    ("SB 2", "Third reading", ["passage", "reading-3"], UPPER, dict(enumerate(OPTIONS))),
    ("SB 3", "Do pass", ["committee-passage"], COMMITTEE, {0: "yes", 1: "yes", 2: "no"}),
    ("SB 4", "Be adopted", [], UPPER, {0: "yes", 1: "no"}),  # few, and nobody says why
    ("HB 1", "Final passage", ["passage"], LOWER, {10: "yes", 11: "no"}),
]


def written(columns, rows):
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows(rows)
    return text.getvalue()


def csv_files(with_organizations=True):
    """The files of a bulk download (CSV format version 2.1)."""
    bills = [call[0] for call in CALLS]
    files = {
        "bills": written(
            ["id", "identifier", "title", "classification", "subject", "session_identifier",
             "jurisdiction", "organization_classification"],
            [[f"ocd-bill/{b}", b, f"About {b}", "['bill']", "[]", "2025", "Kansas", "upper"]
             for b in bills],
        ),
        "votes": written(
            ["id", "identifier", "motion_text", "motion_classification", "start_date", "result",
             "organization_id", "bill_id", "bill_action_id", "jurisdiction", "session_identifier"],
            [[f"ocd-vote/{j}", "", motion, str(kinds), "2025-03-20T10:00:00+00:00", "pass", body,
              f"ocd-bill/{bill}", "", "Kansas", "2025"]
             for j, (bill, motion, kinds, body, _) in enumerate(CALLS)],
        ),
        "vote_people": written(
            ["id", "vote_event_id", "option", "voter_name", "voter_id", "note"],
            [[f"{j}-{k}", f"ocd-vote/{j}", option, NAMES[k], MEMBERS[k], ""]
             for j, call in enumerate(CALLS) for k, option in call[4].items()],
        ),
        "vote_counts": written(
            ["id", "vote_event_id", "option", "value"],
            [[str(j), f"ocd-vote/{j}", "yes", len(call[4])] for j, call in enumerate(CALLS)],
        ),
    }  # fmt: skip
    if with_organizations:
        files["organizations"] = written(
            ["id", "name", "classification", "parent_id"],
            [["ocd-organization/x", "Legislature", "legislature", ""],
             [UPPER, "Senate", "upper", "ocd-organization/x"],
             [LOWER, "House", "lower", "ocd-organization/x"],
             [COMMITTEE, "Taxes", "committee", UPPER]],
        )  # fmt: skip
    return files


def people_table():
    return written(
        ["id", "name", "current_party", "current_district", "current_chamber", "given_name",
         "family_name"],
        [[MEMBERS[k], NAMES[k], PARTIES[k], str(k), "upper" if k < 10 else "lower", "Member",
          NAMES[k][-1]]
         for k in range(12)],
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "KS" / "2025"
    place.mkdir(parents=True)
    for part, text in csv_files().items():
        (place / f"KS_2025_{part}.csv").write_text(text)
    (place / "ks.csv").write_text(people_table())
    return place


def cells(votes):
    return {
        (member.name, rollcall.bill): int(votes.cells[i, j])
        for i, member in enumerate(votes.legislators)
        for j, rollcall in enumerate(votes.rollcalls)
        if votes.cells[i, j]
    }


EXPECTED = {
    (NAMES[k], bill): {"yes": 1, "no": -1}[option]
    for bill, _, _, body, votes in CALLS
    if body != LOWER
    for k, option in votes.items()
    if option in ("yes", "no")
}


@pytest.mark.parametrize("given", ["folder", "above", "file", "zip"])
def test_a_bulk_download_is_read_as_a_zip_a_folder_or_a_file(folder, tmp_path, given):
    path = {"folder": folder, "above": tmp_path / "KS", "file": folder / "KS_2025_votes.csv"}
    if given == "zip":
        shutil.make_archive(str(tmp_path / "KS_2025_csv_x"), "zip", tmp_path, "KS")
        (tmp_path / "people.csv").write_text(people_table())
        path["zip"] = tmp_path / "KS_2025_csv_x.zip"
    assert source_of(str(path[given]))[0] == "openstates"
    votes = load_votes(str(path[given]), "senate")
    assert cells(votes) == EXPECTED
    assert votes.session == "Kansas_2025"
    first = votes.legislators[0]
    assert (first.slug, first.party) == ("sen_member_a_00000000", "Democrat")
    assert first.district == "0"
    (call,) = [rollcall for rollcall in votes.rollcalls if rollcall.bill == "SB 1"]
    assert (call.vote_id, call.vote_type, call.title) == ("os_0", "Passage", "About SB 1")
    assert call.date == "2025-03-20T10:00:00+00:00"


def test_each_chamber_of_a_download_has_its_own_roll_calls(folder):
    house = load_votes(str(folder), "house")
    assert [rollcall.bill for rollcall in house.rollcalls] == ["HB 1"]
    assert [member.name for member in house.legislators] == ["Member K", "Member L"]


def test_roll_calls_of_committees_are_told_by_the_body_the_kind_or_the_number(folder):
    votes = load_votes(str(folder), "senate")
    assert {r.bill for r in votes.rollcalls if r.committee} == {"SB 3", "SB 4"}
    spec = RunSpec(session=str(folder), min_votes=1, model="flat", minority_threshold=0)
    assert {r.bill for r in read(spec, Settings()).votes.rollcalls} == {"SB 1", "SB 2"}


def test_without_organizations_the_chamber_is_that_of_the_voters(folder):
    (folder / "KS_2025_organizations.csv").unlink()
    assert cells(load_votes(str(folder), "senate")) == EXPECTED
    (folder / "ks.csv").unlink()
    with pytest.raises(DataError, match=r"received '5 of unknown'. put the file of organizations"):
        load_votes(str(folder), "senate")


def test_votes_without_a_table_of_people_say_where_it_is(folder, caplog):
    (folder / "ks.csv").unlink()
    votes = load_votes(str(folder), "senate")
    assert cells(votes) == EXPECTED
    assert "people/current" in caplog.text


def test_a_name_without_an_id_is_that_of_the_only_person_called_so(folder):
    path = folder / "KS_2025_vote_people.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(MEMBERS[0], "")  # known from another roll call
    lines[2] = lines[2].replace(MEMBERS[1], "").replace("Member B", '"B, Member"')  # from the table
    path.write_text("\n".join(lines))
    assert cells(load_votes(str(folder), "senate")) == EXPECTED


def test_two_votes_of_one_legislator_that_differ_are_not_counted_and_said(folder, caplog):
    path = folder / "KS_2025_vote_people.csv"
    path.write_text(path.read_text() + f"x,ocd-vote/0,no,Member A,{MEMBERS[0]},\n")
    votes = load_votes(str(folder), "senate")
    assert cells(votes) == {k: v for k, v in EXPECTED.items() if k != ("Member A", "SB 1")}
    assert "1 votes are not counted" in caplog.text


def test_a_word_that_is_no_vote_of_openstates_is_named(folder):
    path = folder / "KS_2025_vote_people.csv"
    path.write_text(path.read_text().replace(",no,", ",nay,"))
    with pytest.raises(DataError, match=r"roll call os_0: unknown vote word: received 'nay'"):
        load_votes(str(folder), "senate")


def test_a_folder_of_several_openstates_sessions_lists_them(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "KS" / "2026")
    with pytest.raises(DataError, match=r"2 OpenStates sessions.*KS/2025.*KS/2026"):
        load_votes(str(tmp_path), "senate")


def scraped(call, k):
    """A roll call as a scraper writes it."""
    bill, motion, kinds, body, votes = call
    of = {UPPER: {"classification": "upper"}, LOWER: {"classification": "lower"}}
    committee = {"classification": "committee", "name": "Taxes"}
    return {
        "_id": f"e{k}", "identifier": "", "motion_text": motion, "motion_classification": kinds,
        "start_date": "2025-03", "result": "pass", "legislative_session": "2025",
        "organization": "~" + json.dumps(of.get(body, committee)),
        "bill": "~{}", "bill_identifier": bill, "bill_action": None,
        "votes": [
            {"option": option, "voter_name": NAMES[m], "note": "",
             "voter_id": "~" + json.dumps({"name": NAMES[m]})}
            for m, option in votes.items()
        ],
        "counts": [{"option": "yes", "value": len(votes)}], "sources": [{"url": "https://x.y"}],
    }  # fmt: skip


def of_api(bill, calls):
    """A bill as version 3 of the API answers it, with include=votes."""
    return {
        "id": f"ocd-bill/{bill}", "session": "2025", "identifier": bill, "title": f"About {bill}",
        "jurisdiction": {"id": "x", "name": "Kansas", "classification": "state"},
        "votes": [
            {
                "id": f"ocd-vote/{k}", "motion_text": motion, "motion_classification": kinds,
                "start_date": "2025-03-20", "result": "pass", "identifier": "",
                "organization": {
                    "id": body, "name": "x",
                    "classification": {UPPER: "upper", LOWER: "lower"}.get(body, "committee"),
                },
                "votes": [
                    {"option": option, "voter_name": NAMES[m],
                     "voter": {"id": MEMBERS[m], "name": NAMES[m], "party": PARTIES[m],
                               "current_role": {
                                   "title": "Senator", "district": m,
                                   "org_classification": "upper" if m < 10 else "lower"}}}
                    for m, option in votes.items()
                ],
                "counts": [{"option": "yes", "value": len(votes)}], "sources": [],
            }
            for k, (_, motion, kinds, body, votes) in calls
        ],
    }  # fmt: skip


def test_the_files_of_a_scraper_are_a_session(tmp_path):
    for k, call in enumerate(CALLS):
        (tmp_path / f"vote_event_{k}.json").write_text(json.dumps(scraped(call, k)))
        bill = {"identifier": call[0], "title": f"About {call[0]}", "legislative_session": "2025"}
        (tmp_path / f"bill_{k}.json").write_text(json.dumps(bill))
    (tmp_path / "people.csv").write_text(people_table())
    votes = load_votes(str(tmp_path), "senate")
    # Nothing says of which chamber the committee is, unless its members do.
    assert cells(votes) == {k: v for k, v in EXPECTED.items() if k[1] != "SB 3"}
    assert {member.party for member in votes.legislators} == {"Democrat", "Republican"}
    assert {rollcall.title for rollcall in votes.rollcalls} == {"About SB 1", "About SB 2",
                                                                "About SB 4"}  # fmt: skip
    assert {rollcall.date for rollcall in votes.rollcalls} == {""}


@pytest.mark.parametrize("form", ["answer", "answers", "bill a file"])
def test_answers_of_the_api_are_a_session_with_parties(tmp_path, form):
    bills = [of_api(call[0], [(k, call)]) for k, call in enumerate(CALLS)]
    if form == "answer":
        given = tmp_path / "page.json"
        given.write_text(json.dumps({"results": bills, "pagination": {"page": 1}}))
    elif form == "answers":
        given = tmp_path / "pages.json"
        given.write_text(json.dumps([{"results": bills[:2]}, {"results": bills[2:]}]))
    else:
        given = tmp_path
        for k, bill in enumerate(bills):
            (tmp_path / f"{k}.json").write_text(json.dumps(bill))
    votes = load_votes(str(given), "senate")
    assert cells(votes) == EXPECTED
    assert votes.session == "Kansas_2025"
    assert votes.legislators[1].party == "Republican"
    assert {r.bill for r in votes.rollcalls if r.committee} == {"SB 3", "SB 4"}


def test_a_bulk_download_in_json_is_read_by_names(tmp_path):
    bills = []
    for bill, motion, kinds, body, votes in CALLS:
        bills.append(
            {
                "id": f"ocd-bill/{bill}", "legislative_session": "2025", "identifier": bill,
                "jurisdiction_name": "Kansas", "title": f"About {bill}",
                "votes": [
                    {"identifier": "", "motion_text": motion, "motion_classification": kinds,
                     "start_date": "2025-03-20", "result": "pass",
                     "organization__classification": "lower" if body == LOWER else "upper",
                     "counts": [{"option": "yes", "value": len(votes)}],
                     "votes": [{"option": o, "voter_name": NAMES[k]} for k, o in votes.items()]}
                ],
            }
        )  # fmt: skip
    with zipfile.ZipFile(tmp_path / "KS_2025_json_x.zip", "w") as archive:
        archive.writestr("KS/2025/KS_2025_bills.json", json.dumps(bills))
    votes = load_votes(str(tmp_path / "KS_2025_json_x.zip"), "senate")
    assert cells(votes) == EXPECTED
    assert votes.vote_ids[0] == "os_sb_1_2025_03_20_senate_1"


def test_a_legislature_of_one_chamber_is_read_as_the_senate(folder):
    path = folder / "KS_2025_votes.csv"
    path.write_text(path.read_text().replace(LOWER, "ocd-organization/x").replace(UPPER, "y"))
    path.write_text(path.read_text().replace(",y,", ",ocd-organization/x,"))
    organizations = folder / "KS_2025_organizations.csv"
    lines = organizations.read_text().splitlines(keepends=True)
    organizations.write_text("".join(lines[:2]) + f"{COMMITTEE},Taxes,committee,ocd-organization/x")
    assert len(load_votes(str(folder), "senate").rollcalls) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "no roll calls in"),
        ('{"results": [{"identifier": "HB 1"}]}', "no roll calls in"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_json_that_holds_no_roll_calls_is_one_clear_error(tmp_path, text, words):
    (tmp_path / "votes.json").write_text(text)
    with pytest.raises(DataError, match=words):
        load_votes(str(tmp_path / "votes.json"), "senate")


def test_several_sessions_of_json_in_one_folder_are_refused(tmp_path):
    for k, session in enumerate(("2025", "2026")):
        record = scraped(CALLS[k], k) | {"legislative_session": session}
        (tmp_path / f"vote_event_{k}.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"more than one session: received '2025, 2026'"):
        load_votes(str(tmp_path), "senate")


def test_a_folder_with_some_other_json_is_not_taken_for_openstates(write_session):
    folder = write_session()
    (folder / "notes.json").write_text('{"author": "x"}')
    assert source_of(str(folder))[0] == "tallgrass"


def test_the_csv_and_the_api_hold_the_same_votes(folder, tmp_path):
    bills = [of_api(call[0], [(k, call)]) for k, call in enumerate(CALLS)]
    (tmp_path / "api.json").write_text(json.dumps({"results": bills}))
    of_csv, of_json = (load_votes(str(p), "senate") for p in (folder, tmp_path / "api.json"))
    np.testing.assert_array_equal(of_csv.cells, of_json.cells)
    assert of_csv.fingerprint == of_json.fingerprint
