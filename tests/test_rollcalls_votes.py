import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tallgrass.errors import DataError
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.group_checks import check_parties
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix


def make(cells, parties=None, bills=None, **rollcall):
    cells = np.array(cells)
    n, m = cells.shape
    parties = parties or ["Democrat", "Republican"] * n
    return VoteMatrix(
        cells,
        tuple(Legislator(f"leg_{i}", f"Name {i}", parties[i]) for i in range(n)),
        tuple(RollCall(f"v{j}", bills[j] if bills else f"HB {j}", **rollcall) for j in range(m)),
        "toy",
        "house",
    )


names = st.text(min_size=1, max_size=6)


@st.composite
def matrices(draw):
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    cells = draw(arrays(np.int8, (n, m), elements=st.sampled_from([-1, 0, 1])))
    slugs = draw(st.lists(names, min_size=n, max_size=n, unique=True))
    ids = draw(st.lists(names, min_size=m, max_size=m, unique=True))
    return VoteMatrix(
        cells, tuple(Legislator(s, s) for s in slugs), tuple(map(RollCall, ids)), "toy", "house"
    )


@given(matrices(), st.data())
def test_the_order_of_rows_and_columns_does_not_change_the_fingerprint(votes, data):
    rows = data.draw(st.permutations(range(len(votes.legislators))))
    columns = data.draw(st.permutations(range(len(votes.rollcalls))))
    other = VoteMatrix(
        votes.cells[np.ix_(rows, columns)],
        tuple(votes.legislators[i] for i in rows),
        tuple(votes.rollcalls[j] for j in columns),
        votes.session,
        votes.chamber,
    )
    assert other.fingerprint == votes.fingerprint
    assert np.array_equal(other.cells, votes.cells)
    assert other.legislators == votes.legislators
    assert other.rollcalls == votes.rollcalls


@given(matrices(), st.data())
def test_the_order_of_the_file_does_not_change_the_fingerprint(votes, data):
    triples = [
        (votes.slugs[i], votes.vote_ids[j], int(votes.cells[i, j]))
        for i, j in np.ndindex(votes.cells.shape)
    ]
    # an absence that is not written down is the same as one that is
    triples = [t for t in triples if t[2] or data.draw(st.booleans())]
    shuffled = data.draw(st.permutations(triples))
    members = data.draw(st.permutations(votes.legislators))
    rollcalls = data.draw(st.permutations(votes.rollcalls))
    other = VoteMatrix.from_triples(shuffled, members, rollcalls, "toy", "house")
    assert other.fingerprint == votes.fingerprint


@given(matrices(), st.data())
def test_any_other_cell_changes_the_fingerprint(votes, data):
    i = data.draw(st.integers(0, len(votes.legislators) - 1))
    j = data.draw(st.integers(0, len(votes.rollcalls) - 1))
    cells = votes.cells.copy()
    cells[i, j] = data.draw(st.sampled_from([v for v in (-1, 0, 1) if v != cells[i, j]]))
    other = VoteMatrix(cells, votes.legislators, votes.rollcalls, "toy", "house")
    assert other.fingerprint != votes.fingerprint


@given(matrices(), st.data())
def test_any_other_name_changes_the_fingerprint(votes, data):
    new = data.draw(names)
    assume(new not in votes.slugs)
    slug = data.draw(st.sampled_from(votes.slugs))
    assert votes.renamed({slug: new}).fingerprint != votes.fingerprint

    assume(new not in votes.vote_ids)
    j = data.draw(st.integers(0, len(votes.rollcalls) - 1))
    rollcalls = list(votes.rollcalls)
    rollcalls[j] = RollCall(new)
    other = VoteMatrix(votes.cells, votes.legislators, tuple(rollcalls), "toy", "house")
    assert other.fingerprint != votes.fingerprint


@given(matrices())
def test_legislators_are_not_mistaken_for_roll_calls(votes):
    other = VoteMatrix(
        votes.cells.T,
        tuple(Legislator(name, name) for name in votes.vote_ids),
        tuple(map(RollCall, votes.slugs)),
        "toy",
        "house",
    )
    same = votes.slugs == votes.vote_ids and np.array_equal(votes.cells, votes.cells.T)
    assert (other.fingerprint == votes.fingerprint) == same


def test_a_fingerprint_is_64_hex_digits_and_stays_the_same():
    # Another value would cut every stored run from its baseline. Made with hashlib from: 2, then
    # each slug after its length; 3, then each id after its length (4 bytes each); the six cells.
    golden = "805e1bfc716c9b91c92a0c2d2cfba66d4011f5fd2d3eb648a7f875ef6c25f47c"
    votes = make([[1, -1, 0], [0, 1, 1]])
    assert votes.former_fingerprint == golden
    digest = hashlib.sha256()
    parties = tuple(member.party for member in votes.legislators)
    for names in (votes.slugs, parties, votes.vote_ids):
        digest.update(len(names).to_bytes(4, "little"))
        for name in names:
            digest.update(len(name.encode()).to_bytes(4, "little") + name.encode())
    digest.update(np.array([[1, -1, 0], [0, 1, 1]], np.int8).tobytes())
    assert votes.fingerprint == digest.hexdigest()


def test_a_corrected_party_changes_the_fingerprint_but_not_the_former_one():
    first, corrected = make([[1]], ["Democrat"]), make([[1]], ["Republican"])
    assert first.fingerprint != corrected.fingerprint
    assert first.former_fingerprint == corrected.former_fingerprint


def test_names_of_people_are_not_in_the_fingerprint():
    votes = make([[1]], ["Democrat"])
    people = tuple(replace(member, name="Somebody Else") for member in votes.legislators)
    assert replace(votes, legislators=people).fingerprint == votes.fingerprint


def test_the_matrix_cannot_be_changed_and_keeps_no_hand_on_the_callers_array():
    cells = np.array([[1, -1]], np.int8)
    votes = make(cells)
    with pytest.raises(ValueError, match="read-only"):
        votes.cells[0, 0] = -1
    cells[0, 0] = -1
    assert votes.cells[0, 0] == 1


def test_rows_and_columns_are_sorted_by_name():
    votes = VoteMatrix(
        np.array([[1, -1], [0, 1]]),
        (Legislator("b", "B"), Legislator("a", "A")),
        (RollCall("v2"), RollCall("v1")),
        "toy",
        "house",
    )
    assert (votes.slugs, votes.vote_ids) == (("a", "b"), ("v1", "v2"))
    assert votes.cells.tolist() == [[1, 0], [-1, 1]]


@pytest.mark.parametrize("cell", [2, -2, 0.5, 300, 256, np.nan, np.inf])
def test_a_cell_that_is_no_vote_is_an_error(cell):
    with pytest.raises(DataError, match="not -1, 0 or \\+1"):
        make([[1, cell]])


def test_a_wrong_shape_is_an_error():
    with pytest.raises(DataError, match=r"wrong shape: received \(1, 2\). expected \(1, 1\)"):
        VoteMatrix(np.ones((1, 2)), (Legislator("a", "A"),), (RollCall("v"),), "toy", "house")


def test_a_name_that_occurs_twice_is_an_error():
    two = (Legislator("a", "A"), Legislator("a", "B"))
    with pytest.raises(DataError, match="slug occurs twice: received 'a'"):
        VoteMatrix(np.ones((2, 1)), two, (RollCall("v"),), "toy", "house")
    with pytest.raises(DataError, match="id occurs twice: received 'v'"):
        VoteMatrix(np.ones((1, 2)), two[:1], (RollCall("v"), RollCall("v")), "toy", "house")
    with pytest.raises(DataError, match="slug occurs twice"):
        make([[1], [1]]).renamed({"leg_0": "leg_1"})


@pytest.mark.parametrize(
    ("triples", "message"),
    [
        ([("a", "v", 1), ("a", "v", 1)], "duplicate rows.*received 'a, v'"),
        ([("a", "v", 0), ("a", "v", 0)], "duplicate rows"),
        ([("b", "v", 1)], "unknown legislator: received 'b'"),
        ([("a", "w", 1)], "unknown roll call: received 'w'"),
    ],
)
def test_triples_must_name_every_cell_once_and_known_names(triples, message):
    with pytest.raises(DataError, match=message):
        VoteMatrix.from_triples(triples, [Legislator("a", "A")], [RollCall("v")], "toy", "house")


def test_party_index_marks_the_major_parties_only():
    votes = make([[1]] * 4, ["Republican", "Democrat", "Independent", ""])
    assert votes.party_index.tolist() == [1, 0, -1, -1]


def test_observations_are_counted_without_absences():
    assert make([[1, 0, -1], [0, 0, 1]]).n_observations == 3


def dropped(log):
    return {(drop.id, drop.reason) for drop in log.drops}


def test_one_sided_roll_calls_are_dropped_at_the_threshold():
    votes = make([[1, 1, 1], [1, 1, 1], [1, 1, -1], [1, -1, -1]])
    kept, log = filter_votes(votes, 0.25, 0, parties_only=False)
    assert kept.vote_ids == ("v1", "v2")  # a minority of exactly the threshold stays
    assert dropped(log) == {("v0", "minority")}
    assert log.drops[0].detail == "4 yea, 0 nay: minority 0.0 %"


def test_a_roll_call_nobody_voted_on_is_dropped_even_without_a_threshold():
    kept, log = filter_votes(make([[0, 1], [0, 1]]), 0.0, 0, parties_only=False)
    assert kept.vote_ids == ("v1",)
    assert dropped(log) == {("v0", "minority")}


def test_votes_are_counted_on_the_roll_calls_that_are_left():
    votes = make([[1, 1, 1], [1, 1, -1], [1, 1, 0]])
    kept, log = filter_votes(votes, 0.1, 1, parties_only=False)
    assert kept.slugs == ("leg_0", "leg_1")
    assert ("leg_2", "min_votes") in dropped(log)


def test_independents_leave_party_models_and_stay_in_flat_ones():
    votes = make([[1], [-1], [1]], ["Democrat", "Republican", "Green"])
    kept, log = filter_votes(votes, 0.0, 0, parties_only=True)
    assert kept.slugs == ("leg_0", "leg_1")
    assert dropped(log) == {("leg_2", "independent")}
    assert filter_votes(votes, 0.0, 0, parties_only=False)[0].slugs == votes.slugs


def test_a_legislator_without_a_party_is_not_taken_for_an_independent():
    votes = make([[1], [-1], [1]], ["Democrat", "Republican", ""])
    kept, log = filter_votes(votes, 0.0, 0, parties_only=True)
    assert kept.slugs == votes.slugs
    assert not log.drops


def rollcalls(votes, *columns):
    return VoteMatrix(votes.cells, votes.legislators, columns, "toy", "house")


def test_of_duplicates_the_earliest_date_stays_then_the_lowest_id():
    same = make([[1, 1, 1, 1], [-1, -1, -1, -1]])
    later, undated, first, tenth = (
        RollCall("ls_9", "HB 1", "Passed", date="2025-02-01"),
        RollCall("ls_1", "HB 1", "Passed"),
        RollCall("ls_99", "HB 1", "Passed", date="2025-01-01"),
        RollCall("ls_100", "HB 1", "Passed", date="2025-01-01"),
    )
    kept, log = filter_votes(
        rollcalls(same, later, undated, first, tenth), 0, 0, parties_only=False
    )
    assert kept.vote_ids == ("ls_99",)
    assert dropped(log) == {(i, "duplicate") for i in ("ls_1", "ls_9", "ls_100")}
    assert {drop.detail for drop in log.drops} == {"same votes as ls_99"}


@pytest.mark.parametrize(
    "other",
    [RollCall("v2", "HB 2", "Passed"), RollCall("v2", "HB 1", "Adopted")],
    ids=["bill", "motion"],
)
def test_equal_votes_on_another_bill_or_motion_are_no_duplicates(other):
    votes = rollcalls(make([[1, 1], [-1, -1]]), RollCall("v1", "HB 1", "Passed"), other)
    assert not filter_votes(votes, 0, 0, parties_only=False)[1].drops


def test_other_votes_on_one_motion_are_no_duplicates():
    one, two = RollCall("v1", "HB 1", "Passed"), RollCall("v2", "HB 1", "Passed")
    votes = rollcalls(make([[1, 1], [-1, 0]]), one, two)
    assert not filter_votes(votes, 0, 0, parties_only=False)[1].drops


def test_roll_calls_without_a_bill_are_never_duplicates():
    votes = rollcalls(make([[1, 1], [-1, -1]]), RollCall("v1"), RollCall("v2"))
    assert filter_votes(votes, 0, 0, parties_only=False)[0].vote_ids == ("v1", "v2")


def test_the_log_counts_what_was_read_and_dropped():
    votes = make([[1, 1], [1, -1], [0, 0]])
    _, log = filter_votes(votes, 0.1, 1, parties_only=False)
    assert (log.n_legislators_read, log.n_rollcalls_read) == (3, 2)
    assert (log.count("minority"), log.count("min_votes"), log.count("duplicate")) == (1, 1, 0)
    assert (log.minority_threshold, log.min_votes) == (0.1, 1)


@pytest.mark.parametrize("arguments", [(0.4, 0), (0.0, 3)])
def test_nothing_left_is_an_error(arguments):
    with pytest.raises(DataError, match="nothing left of the house of toy"):
        filter_votes(make([[1, 1], [1, 1], [1, -1]]), *arguments, parties_only=False)


def test_two_parties_and_independents_pass_the_party_check():
    check_parties(make([[1]] * 3, ["Democrat", "Republican", "Green"]))


def test_legislators_without_a_party_are_named():
    with pytest.raises(DataError, match=r"2 of 3 .* without a party: received 'leg_1, leg_2'"):
        check_parties(make([[1]] * 3, ["Democrat", "", ""]))


@pytest.mark.parametrize(("party", "missing"), [("Democrat", "Republican"), ("Republican", "Demo")])
def test_one_party_only_is_named(party, missing):
    with pytest.raises(DataError, match=f"no {missing}.* in the house of toy"):
        check_parties(make([[1]] * 2, [party, "Green"]))
