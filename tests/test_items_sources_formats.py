"""Response files as they come: separators, JSON, indices of pandas, ids as floats, other programs.

The files in ``field`` are made up after files and bug reports of people who do this work.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from item_data import simulated_items, table
from test_items_sources_files import cells, loaded

from tallgrass.errors import DataError
from tallgrass.inputs.tables import separator_of
from tallgrass.items.covariates import doubtful_items, rest_correlations
from tallgrass.items.sources import ResponseRequest, load_anchors, responses_of_frame
from tallgrass.rollcalls.sources import load_votes

FIELD = Path(__file__).parent / "field"


def field(name, **changes):
    return loaded(str(FIELD / name), **changes)


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        (b"user,item,response\n", ","),
        (b"\xef\xbb\xbfuser;item;response\r\n", ";"),
        (b"user\titem\tresponse\n", "\t"),
        (b'"a, b";"c, d";e\n', ";"),
        (b'"a;b","c;d"\n', ","),
        (b"user|q1|q2\n", "|"),
        (b"item\n", ","),
    ],
)
def test_the_separator_is_that_which_splits_the_header_most(header, separator):
    assert separator_of(header) == separator


def test_semicolons_are_read_in_long_tables():
    assert cells(field("semicolon_long.csv").responses) == cells(
        field("semicolon_long.csv", user="user").responses
    )
    assert cells(field("semicolon_long.csv").responses)["u2", "q1"] == 0


@pytest.mark.parametrize("first", ["sep=;\n", "\ufeffsep=;\r\n", '"SEP=;"\n'])
def test_the_first_line_that_excel_writes_is_no_header(tmp_path, first):
    text = (FIELD / "semicolon_long.csv").read_text("utf-8")
    (tmp_path / "excel.csv").write_text(first + text, "utf-8")
    found = loaded(str(tmp_path / "excel.csv"))
    assert cells(found.responses) == cells(field("semicolon_long.csv").responses)


def test_semicolons_with_decimal_commas_are_read_in_wide_tables():
    expected = {("u1", "q1"): 1, ("u1", "q2"): 0, ("u2", "q1"): 0, ("u2", "q2"): 1}
    assert cells(field("semicolon_decimal.csv").responses) == expected


def test_anchors_with_decimal_commas_are_numbers():
    anchors = load_anchors(str(FIELD / "semicolon_anchors.csv"))
    assert anchors.items == ("q1",)
    assert (anchors.a[0], anchors.b[0]) == (1.1, -0.4)


def test_votes_with_semicolons_are_the_same_votes(write_session):
    with_commas = write_session("commas")
    with_semicolons = with_commas.parent / "semicolons"
    with_semicolons.mkdir()
    for path in with_commas.iterdir():
        name = path.name.replace("commas", "semicolons")
        pd.read_csv(path, dtype=str, keep_default_na=False).to_csv(
            with_semicolons / name, sep=";", index=False
        )
    first, second = (load_votes(str(p), "house") for p in (with_commas, with_semicolons))
    assert first.fingerprint == second.fingerprint


def test_json_is_read_as_records_and_as_lines_of_users():
    assert cells(field("responses.json").responses) == {("u1", "q1"): 1, ("u2", "q1"): 0}
    expected = {("u1", "q1"): 1, ("u1", "q2"): 0, ("u2", "q1"): 0, ("u2", "q2"): 1}
    assert cells(field("responses.jsonl").responses) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": {"b": 1}}', "JSON of another form"),
        ("[1, 2]", "JSON of another form"),
        ('{"responses": {"q1": 1}}', "answers without a user"),
        ('{"user": "u1", "item"\n', "line 1: not JSON"),
    ],
)
def test_json_of_another_form_is_one_clear_error(tmp_path, text, words):
    (tmp_path / "answers.json").write_text(text)
    with pytest.raises(DataError, match=words):
        loaded(str(tmp_path / "answers.json"))


def test_the_index_of_a_pandas_table_is_its_users(tmp_path):
    assert set(field("wide_index.parquet").responses.users) == {"ann", "bob", "cyd"}
    named = pd.DataFrame({"q1": [1, 0], "q2": [0, 1]}, index=pd.Index([7, 9], name="pupil"))
    named.to_parquet(tmp_path / "named.parquet")
    named.to_csv(tmp_path / "unnamed.csv", index_label="")
    for name in ("named.parquet", "unnamed.csv"):
        responses = loaded(str(tmp_path / name)).responses
        assert responses.users == ("7", "9")
        assert responses.items == ("q1", "q2")


def test_ids_that_are_floats_beyond_what_they_hold_are_refused():
    with pytest.raises(DataError, match=r"beyond 2\^53"):
        field("float_ids.parquet")


@pytest.mark.parametrize("suffix", [".xlsx", ".sav", ".rds"])
def test_files_of_other_programs_are_refused_with_the_line_that_helps(tmp_path, suffix):
    (tmp_path / f"answers{suffix}").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="save it as CSV or Parquet"):
        loaded(str(tmp_path / f"answers{suffix}"))


@pytest.mark.parametrize("suffix", [".dta", ".feather"])
def test_stata_and_feather_hold_the_same_responses(tmp_path, suffix):
    frame = pd.DataFrame({"user": ["u1", "u1"], "item": ["q1", "q2"], "response": [1, 0]})
    path = tmp_path / f"answers{suffix}"
    frame.to_stata(path, write_index=False) if suffix == ".dta" else frame.to_feather(path)
    assert cells(loaded(str(path)).responses) == {("u1", "q1"): 1, ("u1", "q2"): 0}
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DataError, match="cannot be read"):
        loaded(str(path))


def test_columns_can_be_chosen_and_left_out():
    assert field("covariate_as_item.csv", ignore=("male",)).responses.items == ("q1", "q2", "q3")
    assert field("covariate_as_item.csv", items=("q[12]",)).responses.items == ("q1", "q2")


def test_items_of_a_long_table_can_be_left_out(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("user,item,response\nu1,q1,1\nu1,male,1\nu2,q1,0\nu2,male,0\n")
    assert loaded(str(path), ignore=("ma*",)).responses.items == ("q1",)
    with pytest.raises(DataError, match="no item is left"):
        loaded(str(path), items=("nothing",))


def test_a_text_column_among_items_says_how_to_leave_it_out(tmp_path):
    pd.DataFrame({"user": ["a", "b"], "q1": [1, 0], "q2": [0, 1], "town": ["x", "y"]}).to_csv(
        tmp_path / "x.csv", index=False
    )
    with pytest.raises(DataError, match="ignore=town"):
        loaded(str(tmp_path / "x.csv"))
    assert loaded(str(tmp_path / "x.csv"), ignore=("town",)).responses.items == ("q1", "q2")


@pytest.mark.parametrize("form", ["long", "wide", "parquet"])
def test_codes_of_no_answer_can_be_named(tmp_path, form):
    wide = pd.DataFrame({"user": ["a", "b", "c"], "q1": [1, -9, 0], "q2": [99, 0, 1]})
    long = wide.melt("user", var_name="item", value_name="response")
    path = tmp_path / ("x.parquet" if form == "parquet" else "x.csv")
    table_ = wide if form == "wide" else long
    table_.to_parquet(path) if form == "parquet" else table_.to_csv(path, index=False)
    with pytest.raises(DataError, match="missing"):
        loaded(str(path))
    found = cells(loaded(str(path), missing=("-9", "99", ".")).responses)
    assert found == {("a", "q1"): 1, ("c", "q1"): 0, ("b", "q2"): 0, ("c", "q2"): 1}


def test_a_code_of_no_answer_is_known_as_a_fraction_too(tmp_path):
    path = tmp_path / "x.csv"
    for text in ("user,q1,q2\na,1.0,-9.0\nb,,0.0\n", "user;q1;q2\na;1,0;-9,0\nb;;0,0\n"):
        path.write_text(text)
        assert cells(loaded(str(path), missing=("-9",)).responses) == {
            ("a", "q1"): 1, ("b", "q2"): 0
        }  # fmt: skip


def test_semicolons_with_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("\ufeffuser;item;response\r\nå;q1;1\r\nb;q1;0\r\n".encode())
    assert loaded(str(path)).responses.users == ("b", "å")


def test_anchors_may_have_points_between_thousands(tmp_path):
    path = tmp_path / "anchors.csv"
    path.write_text("item;a;b\nq1;1,1;-1.234,5\nq2;0.9;0\n")
    anchors = load_anchors(str(path))
    assert (anchors.b[0], anchors.a[1]) == (-1234.5, 0.9)


def test_a_column_whose_name_is_no_items_name_is_noticed():
    (words,) = doubtful_items(field("covariate_as_item.csv").responses)
    assert "male" in words
    assert "ignore=male" in words


def test_an_item_with_nothing_in_common_with_the_others_is_noticed():
    data = simulated_items(1500, 12, 0, per_user=12, seed=2)
    matrix = np.zeros((1500, 13), np.int8)
    matrix[data.responses.user, data.responses.item] = data.responses.correct
    matrix[:, 12] = np.random.default_rng(5).integers(0, 2, 1500)
    responses = table(matrix)
    (words,) = doubtful_items(responses)
    assert "i012 have nothing in common" in words
    r, n = rest_correlations(responses)
    rest = (matrix.sum(axis=1) - matrix[:, 3]) / 12
    assert r[3] == pytest.approx(np.corrcoef(matrix[:, 3], rest)[0, 1], abs=1e-12)
    assert n[3] == 1500


ABOUT = {"sex": ["f", "m", "f"], "age": ["12", "", "13.5"]}
WIDE = pd.DataFrame({"user": ["a", "b", "c"], **ABOUT, "q1": [1, 0, 1], "q2": [0, 1, 1]})


@pytest.mark.parametrize("form", ["long", "wide", "parquet", "json", "sqlite", "query", "memory"])
def test_columns_about_users_are_kept_beside_them_and_are_no_items(tmp_path, form):
    long = WIDE.melt(["user", "sex", "age"], var_name="item", value_name="response")
    path, changes = tmp_path / f"x.{form}", {}
    if form in ("sqlite", "query"):
        address = f"sqlite:///{tmp_path / 'x.db'}"
        long.to_sql("responses", sa.create_engine(address), index=False)
        changes = {"query": "SELECT * FROM responses"} if form == "query" else {}
        path = address
    elif form == "parquet":
        WIDE.to_parquet(path)
    elif form == "json":
        rows = [
            {"user": r["user"], "sex": r["sex"], "age": r["age"], "responses": {"q1": r["q1"],
             "q2": r["q2"]}}
            for r in WIDE.to_dict("records")
        ]  # fmt: skip
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        (long if form == "long" else WIDE).to_csv(path, index=False)
    request = {"covariates": ("sex", "ag*"), "min_responses": 1, **changes}
    if form == "memory":
        found = responses_of_frame(WIDE, ResponseRequest("memory", **request))
    else:
        found = loaded(str(path), **request)
    assert found.responses.items == ("q1", "q2")
    assert found.covariates["user"].tolist() == ["a", "b", "c"]
    assert found.covariates["sex"].tolist() == ["f", "m", "f"]
    np.testing.assert_array_equal(found.covariates["age"], [12, np.nan, 13.5])


def test_a_user_with_two_values_of_a_covariate_is_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user,item,response,sex\na,q1,1,f\na,q2,0,m\nb,q1,0,f\n")
    with pytest.raises(DataError, match=r"two values of the covariate sex: received 'a: f and m'"):
        loaded(str(path), covariates=("sex",))


def test_a_covariate_that_is_not_there_is_named(tmp_path):
    WIDE.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DataError, match=r"without the covariate sx.*did you mean sex"):
        loaded(str(tmp_path / "x.csv"), covariates=("sx",))


def test_users_who_are_dropped_have_no_covariates(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user,item,response,sex\na,q1,1,f\nb,q1,0,m\nc,q2,0,f\n")
    assert loaded(str(path), covariates=("sex",), min_responses=2).covariates.shape == (2, 2)


@pytest.mark.parametrize("column", ["user", "item"])
def test_ids_that_were_rounded_are_refused(tmp_path, column):
    table_ = pd.DataFrame({"user": ["u1", "u2"], "item": ["i1", "i1"], "response": [1, 0]})
    table_.loc[0, column] = "1.23457E+16"
    table_.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DataError, match=rf"column {column} holds ids that were rounded.*1.23457E"):
        loaded(str(tmp_path / "x.csv"))


def test_names_that_only_look_like_rounded_numbers_are_names(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user,item,response\n1e+05,5E27,1\n100001,5E27,0\n")
    assert loaded(str(path)).responses.users == ("100001", "1e+05")
