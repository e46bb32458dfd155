"""Probabilities of who is to the right of whom, in a table, from Python and on the page."""

import base64

import numpy as np
import pytest
from example_report import example_input
from example_trace import example_trace, example_votes
from html_page import Page

from tallgrass.errors import DataError
from tallgrass.report.page import Pairs
from tallgrass.rollcalls.report import build
from tallgrass.rollcalls.summaries import probability_right_of, right_of


@pytest.fixture(scope="module")
def trace():
    votes, truth = example_votes(9, 8)
    return example_trace(votes, truth, "flat", chains=2, draws=60)


def test_the_probability_is_the_share_of_draws_of_all_chains(trace):
    xi = trace["posterior"]["xi"]
    a, b = "m004", "m007"
    expected = float((xi.sel(legislator=a) > xi.sel(legislator=b)).mean())
    assert 0 < expected < 1
    assert probability_right_of(trace, a, b) == pytest.approx(expected)
    assert probability_right_of(trace, b, a) == pytest.approx(1 - expected)


def test_the_table_of_all_pairs_has_the_probability_of_each(trace):
    table = right_of(trace)
    for a in table.index:
        for b in table.columns:
            assert table.loc[a, b] == pytest.approx(probability_right_of(trace, a, b))
    assert (np.diag(table) == 0.5).all()


def test_a_legislator_who_is_not_in_the_run_is_refused_with_the_nearest(trace):
    with pytest.raises(DataError, match=r"no such legislator.*'m0004'.*m004"):
        probability_right_of(trace, "m001", "m0004")


def test_nearly_certain_pairs_are_told_from_certain_ones_by_their_code():
    pairs = Pairs("", "", ("a", "b", "c", "d"), (0.0049, 0.0051, 0.5, 0.9949, 0.9951, 0.123))
    assert list(base64.b64decode(pairs.codes)) == [0, 1, 50, 99, 100, 12]


def test_the_page_has_a_tool_for_all_pairs_and_a_table_that_needs_no_script():
    run = example_input("flat", full=False)
    page = Page(build(run, {}))
    ideal = run.tables.ideal_points.query("anchor == 0").sort_values("rank")
    (tool,) = [attrs for _, attrs in page.tags if attrs.get("class") == "pairs"]
    assert "hidden" in tool
    assert len(base64.b64decode(tool["data-codes"])) == 28 * 27 // 2  # without the two anchors
    in_filter = 3  # all, and two parties
    assert len(page.all("option")) == 2 * 28 + in_filter
    words = page.words.split("each beside the next")[1]
    first, second = ideal["slug"].iloc[:2]
    p = run.right_of.loc[first, second]
    assert p == probability_right_of(run.trace, first, second)
    shown = "over 99" if p > 0.995 else f"{100 * p:.0f}"
    line = f"{ideal['name'].iloc[1]} (R-{ideal['district'].iloc[1]}) {shown}\N{NO-BREAK SPACE}%"
    assert line in words


def test_no_page_says_that_overlapping_intervals_cannot_be_told_apart():
    assert "overlap widely" not in build(example_input(full=False), {})
