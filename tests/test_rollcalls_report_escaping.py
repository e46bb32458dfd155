import re

import pytest
from example_report import changed, example_input
from example_trace import example_votes
from html_page import Page

from tallgrass.rollcalls.filters import Drop, FilterLog
from tallgrass.rollcalls.report import build
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

NASTY = [
    '<script>alert("x")</script>', "O'Brien \"Bob\" & Sons", "Zoë Ñandú", "$x$ and $y_1$",
    "</script><b>", "{{ 7 * 7 }}", r"$\frac{",
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", ["hierarchical", "flat"])
def test_text_from_the_data_is_shown_as_it_is_and_never_run(model):
    votes, _ = example_votes()
    members = tuple(
        Legislator(m.slug, NASTY[i % len(NASTY)], m.party, NASTY[i % len(NASTY)])
        for i, m in enumerate(votes.legislators)
    )
    rollcalls = tuple(
        RollCall(r.vote_id, *[NASTY[j % len(NASTY)]] * 5) for j, r in enumerate(votes.rollcalls)
    )
    nasty = VoteMatrix(votes.cells, members, rollcalls, NASTY[0], votes.chamber)
    run = example_input(model, votes=nasty)
    drops = tuple(Drop("rollcall", text, text, "minority", text) for text in NASTY)
    run = changed(
        run,
        filter_log=FilterLog(0.025, 20, 30, 50, drops),
        warnings=tuple(NASTY),
        environment={text: text for text in NASTY},
        baseline_run_id=NASTY[0],
    )
    html = build(run)
    page = Page(html)
    assert len(page.all("script")) == 1  # the page's own
    assert page.all("b") == []
    for text in NASTY:
        assert re.sub(r"\s+", " ", text) in page.words
    assert "alert(" not in re.search(r"<script>(.*)</script>", html, re.DOTALL).group(1)


def test_a_report_of_a_large_chamber_stays_under_six_megabytes():
    run = example_input(n_legislators=165, n_rollcalls=382, draws=100)
    assert len(build(run).encode()) < 6_000_000
