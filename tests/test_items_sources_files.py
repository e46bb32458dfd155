import gzip

import numpy as np
import pandas as pd
import pytest

from tallgrass.errors import DataError
from tallgrass.items.sources import ResponseRequest, load_anchors, load_responses
from tallgrass.items.sources import files as reading

LONG = "user,item,response,time\nu1,i1,1,2026-01-01\nu2,i1,0,2026-01-02\nu1,i2,0,2026-01-03\n"


@pytest.fixture
def write(tmp_path):
    def written(text, name="answers.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return written


def loaded(location, **changes):
    return load_responses(ResponseRequest(**{"location": location, "min_responses": 1} | changes))


def cells(responses):
    return {
        (responses.users[u], responses.items[i]): int(y)
        for u, i, y in zip(responses.user, responses.item, responses.correct, strict=True)
    }


def test_a_long_table_is_read_whether_plain_or_gzipped(write):
    expected = {("u1", "i1"): 1, ("u2", "i1"): 0, ("u1", "i2"): 0}
    assert cells(loaded(write(LONG)).responses) == expected
    assert cells(loaded(write(gzip.compress(LONG.encode()), "x.csv.gz")).responses) == expected


def test_parquet_holds_the_same_responses_as_csv(write, tmp_path):
    path = tmp_path / "answers.parquet"
    pd.read_csv(write(LONG)).to_parquet(path)
    csv, parquet = loaded(write(LONG)).responses, loaded(str(path)).responses
    assert csv.fingerprint == parquet.fingerprint


def test_pieces_make_the_same_responses_as_the_whole(write, monkeypatch):
    generator = np.random.default_rng(1)
    table = pd.DataFrame(
        {"user": generator.integers(50, size=900), "item": generator.integers(30, size=900)}
    )
    table = table.drop_duplicates().assign(response=lambda t: (t["user"] + t["item"]) % 2)
    path = write(table.to_csv(index=False))
    whole = loaded(path).responses
    monkeypatch.setattr(reading, "read_chunks", _pieces)
    assert loaded(path).responses.fingerprint == whole.fingerprint


_read_chunks = reading.read_chunks


def _pieces(request, limits):
    return _read_chunks(request, limits, 7)


def test_a_wide_table_of_0_and_1_has_an_item_a_column(write):
    found = loaded(write("user,q1,q2\nann,1,0\nbob,,1\n"))
    assert cells(found.responses) == {("ann", "q1"): 1, ("ann", "q2"): 0, ("bob", "q2"): 1}
    assert found.log.n_missing == 1


def test_the_published_lsat_table_is_read_as_it_is(data_dir):
    found = loaded(str(data_dir / "items" / "LSAT6.csv"))
    assert (len(found.responses.users), found.responses.items) == (
        1000,
        ("Item_1", "Item_2", "Item_3", "Item_4", "Item_5"),
    )
    assert int(found.responses.correct.sum()) == 924 + 709 + 553 + 763 + 870


def test_a_wide_table_may_name_its_users_otherwise_or_not_at_all(write):
    named = loaded(write("student,q1,q2\nann,1,0\nbob,,1\n"))
    assert named.responses.users == ("ann", "bob")
    by_r = loaded(write('"","q1","q2"\n"1",1,0\n"2",NA,1\n"3",0,1\n'))  # as R writes it
    assert (by_r.responses.users, by_r.log.n_missing) == (("1", "2", "3"), 1)
    numbered = loaded(write("q1,q2\n1,0\n0,1\n"))
    assert numbered.responses.users == ("0000001", "0000002")


def test_a_wide_table_has_windows_and_times_a_row(write):
    path = write("user,time,window,q1,q2\nann,2026-01-05,w1,1,0\nbob,2026-02-05,w2,1,1\n")
    assert loaded(path, window="w2").responses.users == ("bob",)
    assert loaded(path, until="2026-02-01").responses.users == ("ann",)
    assert loaded(path).responses.items == ("q1", "q2")


def test_a_wide_table_in_pieces_is_the_same_table(write, monkeypatch):
    generator = np.random.default_rng(1)
    table = pd.DataFrame(generator.integers(2, size=(40, 12)), columns=[f"q{j}" for j in range(12)])
    path = write(table.to_csv(index=False))
    whole = loaded(path).responses
    monkeypatch.setattr(reading, "read_chunks", _pieces)
    assert loaded(path).responses.fingerprint == whole.fingerprint


def test_a_cell_of_a_wide_table_that_is_no_answer_is_named(write):
    with pytest.raises(DataError, match=r"first in row 2, column q1: received '2'"):
        loaded(write("user,q1,q2\nann,1,0\nbob,2,1\ncyd,1,1\n"))


def test_a_wide_parquet_file_with_missing_cells_is_read(tmp_path):
    pd.DataFrame({"q1": [1, 0, None], "q2": [0, 1, 1]}).to_parquet(tmp_path / "wide.parquet")
    found = loaded(str(tmp_path / "wide.parquet"))
    assert (len(found.responses), found.log.n_missing) == (5, 1)


def test_whole_numbers_stored_as_fractions_are_the_names_they_were(tmp_path):
    table = pd.DataFrame({"user": [1.0, 2.0], "item": [12.0, 12.0], "response": [True, False]})
    table.to_parquet(tmp_path / "x.parquet")
    found = loaded(str(tmp_path / "x.parquet")).responses
    assert (found.users, found.items) == (("1", "2"), ("12",))


def test_seconds_since_1970_order_answers_and_bound_them(write):
    path = write(
        "user,item,response,time\nu1,i1,1,1769817700\nu1,i1,0,1769817600\nu2,i1,1,1500000000\n"
    )
    assert cells(loaded(path).responses)["u1", "i1"] == 0
    assert cells(loaded(path, since="2026-01-31").responses) == {("u1", "i1"): 0}


def test_days_written_as_numbers_are_days(write):
    path = write("user,item,response,time\nu1,i1,1,20260131\nu2,i1,0,20260130\n")
    assert cells(loaded(path, since="2026-01-31").responses) == {("u1", "i1"): 1}


def test_an_answer_without_a_time_comes_last(write):
    path = write("user,item,response,time\nu1,i1,1,\nu1,i1,0,2026-01-02\n")
    assert cells(loaded(path).responses)["u1", "i1"] == 0


def test_dates_and_numbers_in_one_column_of_times_are_refused(write, monkeypatch):
    rows = "".join(f"u{k},i1,1,{1769817600 + k}\n" for k in range(7))
    path = write(f"user,item,response,time\n{rows}v,i1,1,2026-01-31\n")
    monkeypatch.setattr(reading, "read_chunks", _pieces)
    with pytest.raises(DataError, match="some are dates and some are numbers"):
        loaded(path)


TWICE = "user,item,response,time\nu1,i1,1,2026-01-05\nu1,i1,0,2026-01-02\nu2,i1,1,2026-01-01\n"


@pytest.mark.parametrize(("policy", "expected"), [("first", 0), ("last", 1)])
def test_of_several_answers_the_first_or_last_in_time_counts(write, policy, expected):
    found = loaded(write(TWICE), duplicates=policy)
    assert cells(found.responses)["u1", "i1"] == expected
    assert found.log.n_duplicates == 1


@pytest.mark.parametrize(("policy", "expected"), [("first", 1), ("last", 0)])
def test_without_times_the_order_of_the_input_counts(write, policy, expected):
    text = "".join(line.rpartition(",")[0] + "\n" for line in TWICE.splitlines())
    assert cells(loaded(write(text), duplicates=policy).responses)["u1", "i1"] == expected


def test_duplicates_can_be_an_error(write):
    with pytest.raises(DataError, match=r"1 duplicate responses.*received 'u1, i1'"):
        loaded(write(TWICE), duplicates="error")


def test_thin_items_are_dropped_counted_and_listed(write):
    found = loaded(write(LONG), min_responses=2)
    assert found.responses.items == ("i1",)
    assert [(one.item, one.n) for one in found.log.dropped] == [("i2", 1)]
    assert found.log.n_users_dropped == 0


def test_names_stay_text(write):
    found = loaded(write("user,item,response\n007,NA,1\n7,null,0\n"))
    assert found.responses.users == ("007", "7")
    assert found.responses.items == ("NA", "null")


def test_other_column_names_can_be_given(write):
    text = LONG.replace("user,item,response", "who,what,right")
    found = loaded(write(text), user="who", item="what", response="right")
    assert len(found.responses) == 3


def test_time_bounds_hold_for_files(write):
    found = loaded(write(LONG), since="2026-01-02", until="2026-01-03")
    assert cells(found.responses) == {("u2", "i1"): 0}


@pytest.mark.parametrize(
    ("text", "changes", "words"),
    [
        (LONG.replace("u1,i1,1", "u1,i1,2"), {}, r"1 responses other than 0 and 1.*received '2'"),
        (LONG.replace("u1,i1,1", "u1,i1,yes"), {}, "other than 0 and 1.*received 'yes'"),
        (LONG.replace("u1,i1,1", ",i1,1"), {}, "empty"),
        (LONG.replace("item", "itm"), {}, "without the column item.*did you mean itm"),
        (LONG, {"min_responses": 3}, "no item has enough responses: received '2 at most"),
        (LONG, {"window": "x"}, "without the column window"),
        (LONG, {"since": "2027-01-01"}, "no responses in this window: received 'since=2027"),
        (LONG, {"query": "SELECT 1"}, "a query needs a database"),
        ("", {}, "is empty"),
        ("user,item,response\n", {}, "no responses"),
        ("user,item,response\nu1,i1,\n", {}, "no answers: received '1 rows"),
        ("person,question,answer\na,b,c\n", {}, "without the columns user, item, response"),
        (b"PAR1 broken", {}, "not a whole Parquet file"),
        (b"user,item,response\n\xff,i1,1\n", {}, "is not text: received 'byte 0xff'"),
        (
            "user,item,response,time\nu1,i1,1,noon\n",
            {},
            "times.*neither ISO dates nor numbers: received 'noon'",
        ),
    ],
)
def test_bad_files_are_one_clear_error(write, text, changes, words):
    with pytest.raises(DataError, match=words):
        loaded(write(text), **changes)


def test_a_missing_file_is_told_what_else_could_be_given():
    with pytest.raises(DataError, match=r"no such file of responses.*postgresql://"):
        loaded("nowhere.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item,a,b\ni1,0,0\n", "anchor i1 with an unusable a: received 0.0"),
        ("item,a,b\ni1,1,x\n", "item i1 .* with an unusable b: received 'x'"),
        ("item,a,b\ni1,1,0\ni1,1,0\n", "anchor occurs twice"),
        ("item,alpha,b\ni1,1,0\n", "lacks the column a"),
    ],
)
def test_bad_anchors_are_one_clear_error(write, text, words):
    with pytest.raises(DataError, match=words):
        load_anchors(write(text, "anchors.csv"))
