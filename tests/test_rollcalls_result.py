"""What a result says of itself in Python and in a notebook."""

import pandas as pd
import pytest
from example_trace import example_votes

import tallgrass as tg
from tallgrass.inference.verdict import Check, Verdict
from tallgrass.rollcalls.agreement import agreement_of
from tallgrass.rollcalls.result_box import ends_table, strip

PEOPLE = pd.DataFrame(
    {
        "rank": range(1, 31),
        "name": [f"<b>{i}" for i in range(30)],
        "party": "Republican",
        "mean": [3 - i / 10 for i in range(30)],
        "hdi_low": -1.0,
        "hdi_high": 1.0,
        "anchor": 0,
    }
)


def test_a_verdict_is_one_line_and_a_box_with_its_rows():
    verdict = Verdict(
        "fail",
        (Check("R-hat max", value=1.2, relation="<", threshold=1.01, passed=False),),
        ("<one> chain",),
    )
    assert repr(verdict) == "Verdict(fail: R-hat max is 1.2000, must be below 1.01; <one> chain)"
    box = verdict._repr_html_()
    assert "&lt;one&gt; chain" in box
    assert ">1.2000</td>" in box


def test_votes_and_comparisons_are_one_line():
    votes, _ = example_votes()
    assert repr(votes).startswith(f"VoteMatrix({votes.session} {votes.chamber}: ")
    table = pd.DataFrame({"slug": list("abcd"), "mean": [1.0, 2, 3, 5], "anchor": 0, "party": "x"})
    assert repr(agreement_of(table, table)) == "Comparison(|r| 1.0000 of 4, x 1.0000)"


def test_the_box_of_a_run_shows_both_ends_and_everybody_on_a_line_with_names_escaped():
    rows = ends_table(PEOPLE)
    assert rows.count("<tr>") == 1 + 5 + 1 + 5
    assert "&lt;b&gt;0<" in rows
    assert "&lt;b&gt;29<" in rows
    assert "<b>" not in rows
    assert strip(PEOPLE).count("<circle") == len(PEOPLE)
    assert ends_table(PEOPLE[:7]).count("<tr>") == 1 + 7


def test_the_box_of_a_flat_run_takes_no_anchor_for_an_end_and_marks_it():
    held = PEOPLE.assign(anchor=[1, *[0] * 28, -1])
    rows = ends_table(held)
    assert "&lt;b&gt;0<" not in rows
    assert "&lt;b&gt;29<" not in rows
    assert "&lt;b&gt;1<" in rows
    assert strip(held).count('fill="none"') == strip(held).count(", anchor</title>") == 2


@pytest.mark.parametrize("name", ["Context", "Thresholds", "simulate", "VoteMatrix"])
def test_what_scripts_need_is_a_public_name(name):
    assert name in dir(tg)
    assert getattr(tg, name).__doc__
