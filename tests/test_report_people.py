import pytest

from tallgrass.report.page import Table, person_cell, rows
from tallgrass.report.people import last_name_first, person_id


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Douglas Blex (R-12)", "Blex, Douglas (R-12)"),
        ("Tom Kessler Jr.", "Kessler, Tom, Jr."),
        ("FEINGOLD (D WI)", "FEINGOLD (D WI)"),
        ("Blex, Douglas", "Blex, Douglas"),
        ("John Paul III", "Paul, John, III"),
        ("", ""),
    ],
)
def test_the_last_name_stands_first(name, listed):
    assert last_name_first(name) == listed


def test_an_id_is_safe_in_markup_whatever_the_key():
    ids = {person_id(key) for key in ("a b", '"><script>', "ä", "")}
    assert len(ids) == 4
    assert all(i.removeprefix("who-").isalnum() for i in ids)


def test_a_table_of_thirty_rows_is_shown_whole():
    def table(n):
        return Table("", (), rows([person_cell("A B", "who-1")] * n))

    assert not table(30).is_long
    assert table(31).is_long
