"""Legislators and votes that the model does not describe are named."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from example_report import example_input
from example_trace import example_trace, example_votes
from html_page import Page
from toy import toy_votes

from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.fit_checks import FitChecks, fit_checks
from tallgrass.rollcalls.misfit import (
    legislator_fit,
    misfit_check,
    misfit_words,
    pairs_check,
    surprising_votes,
)
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.report import build
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample
from tallgrass.rollcalls.votes import VoteMatrix

STRANGERS = (3, 17, 22, 29)  # of 30 legislators: nay to everything


@pytest.fixture(scope="module")
def strange() -> tuple[VoteMatrix, FitChecks, object]:
    """A run whose model knows nothing of four members who say nay to everything."""
    votes, truth = example_votes(30, 90, seed=6)
    cells = votes.cells.copy()
    cells[list(STRANGERS)] = np.where(cells[list(STRANGERS)] == 0, 0, -1)
    votes = VoteMatrix(cells, votes.legislators, votes.rollcalls, "example", "house")
    trace = example_trace(votes, truth)
    return votes, fit_checks(trace, votes, seed=0), summaries.ideal_points(trace, votes)


def test_those_farthest_from_the_prediction_come_first_with_their_names(strange):
    votes, checks, ideal = strange
    table = legislator_fit(checks, ideal)
    assert set(table["slug"][:4]) == {votes.slugs[i] for i in STRANGERS}
    assert table["misfit"][:4].all()
    names = dict(zip(votes.slugs, [m.name for m in votes.legislators], strict=True))
    assert list(table["name"]) == [names[slug] for slug in table["slug"]]
    distance = (table["yea_rate_observed"] - table["yea_rate_mean"]).abs() / table["yea_rate_sd"]
    assert distance.is_monotonic_decreasing


def test_more_than_chance_allows_is_questioned_with_names_and_shares(strange):
    _, checks, ideal = strange
    table = legislator_fit(checks, ideal)
    check = misfit_check(checks, table)
    assert check.status == "questioned"
    first = table.iloc[0]
    low, high = (100 * first[f"yea_rate_{end}"] for end in ("low", "high"))
    expected = f"{first['name']} ({first['party'][0]}-{first['district']}): 0 % yeas, "
    assert expected + f"predicted {low:.0f} to {high:.0f} %" in check.words
    n = int(checks.metrics["fit/misfit_legislators"])
    assert check.words.startswith(f"{n} of 30 legislators cast a share of yeas outside the 95 %")


def test_those_who_vote_with_neither_party_are_named_as_such(strange):
    _, checks, ideal = strange
    table = legislator_fit(checks, ideal)
    ends = ["own_party_low", "other_party_low"]
    table[ends] = 0.0  # nobody agrees less often than this
    assert "neither party" not in misfit_words(checks, table)
    table.loc[[5, 8], "own_party_low"] = 1.0
    table.loc[[8, 9], "other_party_low"] = 1.0
    name, place = table.loc[8, "name"], f"{table.loc[8, 'party'][0]}-{table.loc[8, 'district']}"
    expected = f" {name} ({place}) agrees with neither party as often as predicted."
    assert misfit_words(checks, table).endswith(expected)


def test_as_many_as_chance_allows_is_no_finding_and_nobody_is_named():
    votes, truth = example_votes(30, 90, seed=6)
    trace = example_trace(votes, truth)
    checks = fit_checks(trace, votes, seed=0)
    table = legislator_fit(checks, summaries.ideal_points(trace, votes))
    assert misfit_check(checks, table).status == "fits"
    assert misfit_words(checks, table) == ""
    words = misfit_words(checks, table, by_chance=True)
    assert words.endswith("would by chance.")
    assert not any(name in words for name in table["name"])


def test_pairs_farthest_from_the_prediction_are_named_with_their_agreement(strange):
    votes, checks, ideal = strange
    check = pairs_check(checks, ideal)
    assert check.status == "questioned"
    n, expected = (checks.metrics[f"fit/misfit_pairs{end}"] for end in ("", "_expected"))
    assert check.words.startswith(f"{n:.0f} of 435 pairs of legislators agree more or less often")
    assert f"about {expected:.0f} would by chance" in check.words
    named = check.words.split("Farthest off: ")[1].split("; ")
    assert len(named) == 3
    distance = ((checks.pairs["observed"] - checks.pairs["mean"]) / checks.pairs["sd"]).abs()
    first = checks.pairs.loc[distance.idxmax()]
    people = {m.slug: f"{m.name} ({m.party[0]}-{m.district})" for m in votes.legislators}
    share = f"{100 * first['observed']:.0f} % of {first['n_common']} common votes"
    assert named[0].startswith(f"{people[first['first']]} and {people[first['second']]}: {share}")


def test_pairs_of_a_model_that_is_right_are_no_finding():
    votes, truth = example_votes(30, 90, seed=6)
    trace = example_trace(votes, truth)
    checks = fit_checks(trace, votes, seed=0)
    assert checks.metrics["fit/misfit_pairs_limit"] > checks.metrics["fit/misfit_pairs_expected"]
    assert pairs_check(checks, summaries.ideal_points(trace, votes)).status == "fits"


def test_a_run_without_fit_checks_says_that_nobody_was_checked():
    assert misfit_check(None, None).status == "not checked"
    assert pairs_check(None, pd.DataFrame()).status == "not checked"


def test_the_most_surprising_votes_are_those_of_the_smallest_probability(strange):
    votes, checks, _ = strange
    table = surprising_votes(checks, votes, most=40)
    smallest = np.sort(checks.votes["probability"])[:40]
    np.testing.assert_array_equal(table["probability"], smallest)
    for _, row in table.iterrows():
        i, j = votes.slugs.index(row["legislator"]), votes.vote_ids.index(row["rollcall"])
        assert row["vote"] == {1: "yea", -1: "nay"}[votes.cells[i, j]]
        assert row["name"] == votes.legislators[i].name
        assert (row["bill"], row["title"]) == (votes.rollcalls[j].bill, votes.rollcalls[j].title)


def test_the_page_names_and_marks_who_is_not_described(strange):
    votes, checks, _ = strange
    run = example_input(votes=None, n_rollcalls=90)
    truth = example_votes(30, 90, seed=6)[1]
    trace = example_trace(votes, truth)
    run = replace(
        run,
        trace=trace,
        ideal_points=summaries.ideal_points(trace, votes),
        checks=checks,
        comparison=None,
        prepared=replace(
            run.prepared, data=replace(run.prepared.data, votes=votes), flat_table=None
        ),
    )
    words = Page(build(run, {})).words.replace("\N{NO-BREAK SPACE}", " ")
    findings = words.split("Key findings")[2].split("What this")[0]
    table = words.split("Ideal points of 30 legislators")[1].split("All legislators in one")[0]
    first = run.fit_tables.legislators.iloc[0]
    low, high = (100 * first[f"yea_rate_{end}"] for end in ("low", "high"))
    assert f"{first['name']} ({first['party'][0]}-{first['district']}): 0 % yeas" in findings
    assert f"{first['n_votes']} 0 % †" in table
    assert table.count("% †") == int(checks.metrics["fit/misfit_legislators"])
    assert f"{first['n_votes']} 0 % {low:.0f} to {high:.0f} %" in words
    assert "The most surprising votes" in words
    vote = run.fit_tables.surprising_votes.iloc[0]
    assert f"{vote['bill']} · {vote['motion']}" in words.split("The most surprising votes")[1]
    assert "fit/misfit_legislators" in run.recorded_metrics()
    assert set(run.recorded_long_tables()) == {"tables/votes", "tables/predictive", "tables/pairs"}
    assert {"tables/legislator_fit", "tables/surprising_votes"} <= set(run.recorded_tables())


@pytest.mark.slow
def test_legislatures_that_the_model_describes_are_hardly_ever_questioned():
    outside, expected, questioned = 0.0, 0.0, 0
    for seed in range(12):
        votes = toy_votes(16, 20, 80, seed=seed)
        start = make_start(votes, "pca")
        model = build_model(votes, ModelSpec(), start)
        sampler = SamplerSpec(draws=400, tune=400, chains=2, seed=seed)
        trace = sample(model, votes, sampler, start.scores).trace
        checks = fit_checks(trace, votes, seed)
        table = legislator_fit(checks, summaries.ideal_points(trace, votes))
        ideal = summaries.ideal_points(trace, votes)
        statuses = misfit_check(checks, table).status, pairs_check(checks, ideal).status
        questioned += "questioned" in statuses
        outside += checks.metrics["fit/misfit_legislators"]
        expected += checks.metrics["fit/misfit_legislators_expected"]
    # The votes that are checked were fitted, so fewer are outside than independent ones would be:
    # the limit of 1 % alarms is one from above.
    assert questioned <= 1
    assert outside < expected + 3 * np.sqrt(expected)
