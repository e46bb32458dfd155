"""The rows of a table, as the page has them: all text from the data is escaped."""

from tallgrass.report.page import Cell, Column, Table
from tallgrass.report.rows import rows_of

TABLE = Table(
    "Members",
    (Column("Name"), Column("Share <5>", numeric=True)),
    (
        (Cell("<b>O'Neil</b>", who="m1"), Cell("12 %", 0.12)),
        (Cell('"'), Cell("7", 7.0, style="failed")),
    ),
)


def test_a_row_names_its_person_its_columns_and_what_it_is_ordered_by():
    label = 'data-label="Share &lt;5&gt;"'
    name = '<a class="who" href="#m1">&lt;b&gt;O&#39;Neil&lt;/b&gt;</a>'
    share = "12\N{NO-BREAK SPACE}%"
    assert rows_of(TABLE, stacked=True).splitlines() == [
        f'<tr data-who="m1"><th scope="row">{name}</th>'
        f'<td {label} class="n" data-sort="0.12">{share}</td></tr>',
        f'<tr><th scope="row">&#34;</th><td {label} class="n failed" data-sort="7">7</td></tr>',
    ]


def test_cells_that_are_not_stacked_need_no_label():
    assert "data-label" not in rows_of(TABLE, stacked=False)
