import base64
import dataclasses
import hashlib
import re

import numpy as np
import pytest
from example_report import changed, example_input
from example_trace import example_votes
from html_page import Page
from matplotlib.figure import Figure

from tallgrass.inference.verdict import Check, Verdict
from tallgrass.report.images import images
from tallgrass.report.words import chance
from tallgrass.rollcalls.against_baseline import moved_words
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models import hierarchical
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report import build, explanation, figures
from tallgrass.rollcalls.summaries import icc_draws
from tallgrass.rollcalls.votes import VoteMatrix

PARTY_SECTIONS = {"party-parameters", "party-positions", "icc", "variance", "dispersion"}
ALWAYS = {
    "verdict", "key-findings", "model", "how-to-read", "ideal-points", "forest", "right-of",
    "legislators", "roll-calls", "convergence", "sampler", "data", "environment",
}  # fmt: skip
OPTIONAL = {"baseline", "fit", "misfit", "notes"}


@pytest.fixture(scope="module")
def run():
    return example_input()


@pytest.fixture(scope="module")
def html(run):
    return build(run)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.fixture(scope="module")
def flat_page():
    return Page(build(example_input("flat", full=False), {}))


def test_a_full_hierarchical_run_has_every_section(page):
    assert page.sections == ALWAYS | PARTY_SECTIONS | OPTIONAL | {"shrinkage"}


def test_a_flat_run_alone_has_no_section_with_nothing_to_show(flat_page):
    assert flat_page.sections == ALWAYS | {"anchors"}


def test_shrinkage_is_left_out_without_a_flat_run_on_these_legislators(run):
    strangers = run.flat_table.assign(slug="x" + run.flat_table["slug"])
    for table in (None, strangers):
        page = Page(build(changed(run, flat_table=table), {}))
        assert "shrinkage" not in page.sections


def test_the_contents_lead_to_every_section_in_order(page):
    links = [attrs["href"].removeprefix("#") for attrs in page.all("a")]
    links = [link for link in links if not link.startswith("who-")]
    sections = [attrs["id"] for attrs in page.all("section")]
    assert links == sections[1:]  # the verdict stands above the contents


def test_every_image_says_in_words_what_it_shows(page, run):
    drawn = {"forest", "shrinkage", "comparison"}  # by the page itself
    images = page.all("img")
    assert len(images) == len(set(figures(run)) - drawn) == 9
    alts = [image["alt"] for image in images] + scatters(page)
    assert len(alts) == 11
    assert len(set(alts)) == len(alts)
    # specific: each gives at least one number of this run
    assert all(re.search(r"\d", alt) and len(alt) > 40 for alt in alts)


def scatters(page):
    """What the scatters say to those who do not see them."""
    return [svg["aria-label"] for svg in page.all("svg") if svg.get("class") == "scatter"]


def test_the_page_asks_for_nothing_from_outside(html, page):
    for tag, attrs in page.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attrs.get(name, "")
            assert value.startswith(("data:", "#")) or value == "", (tag, name, value[:80])
    assert "url(" not in html
    assert "@import" not in html
    assert "http:" not in html
    assert "https:" not in html
    policy = next(m for m in page.all("meta") if m.get("http-equiv"))
    assert policy["content"].startswith("default-src 'none'")


def test_ids_are_unique_and_tables_have_headers_with_a_scope(page):
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert {attrs.get("scope") for attrs in page.all("th")} == {"col", "row"}
    assert len(page.all("caption")) == len(page.all("table"))


def test_only_the_script_and_the_styles_of_the_page_may_run(html, page):
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv"))
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [attrs for _, attrs in page.tags if "style" in attrs or "onclick" in attrs]


def test_every_row_and_mark_of_a_legislator_leads_to_a_card_that_is_there(page, run):
    cards = {attrs["id"] for attrs in page.all("article")}
    assert len(cards) == len(run.votes.legislators)
    links = {attrs["href"][1:] for attrs in page.all("a") if attrs["href"].startswith("#who-")}
    marked = {attrs["data-who"] for _, attrs in page.tags if "data-who" in attrs}
    assert links == marked == cards


def test_a_card_has_votes_rank_neighbours_and_surprising_votes(page, run):
    table = run.tables.ideal_points.set_index("rank").sort_index()
    second = table.loc[2]
    cards = page.words.split("The cards of all 30 legislators")[1].split("Roll calls that")[0]
    card = cards.split(f" {person(second)} Party")[1].split(" Party ")[0]
    row = run.votes.cells[run.votes.slugs.index(second["slug"])]
    assert f"{(row == 1).sum()} yea, {(row == -1).sum()} nay of 50 roll calls" in card
    assert f"Rank, 95\N{NO-BREAK SPACE}% {second['rank_low']} to {second['rank_high']}" in card
    right = chance(float(run.right_of.loc[table.loc[1, "slug"], second["slug"]]))
    left = chance(float(run.right_of.loc[second["slug"], table.loc[3, "slug"]]))
    for person_, side, probability in (
        (person(table.loc[1]), "right", right),
        (person(table.loc[3]), "left", left),
    ):
        words = f"{person_} is to the {side} with a probability of {probability}"
        assert words.replace(" %", "\N{NO-BREAK SPACE}%") in card
    surprising = run.checks.votes.query("probability < 0.05")["legislator"].value_counts()
    assert cards.count("Surprising votes: ") == len(surprising) > 0


def test_the_page_says_its_language_and_title(page):
    assert page.all("html")[0]["lang"] == "en"
    assert "House, example: hierarchical model (pass) · Tallgrass" in page.words
    assert any(m.get("name") == "viewport" for m in page.all("meta"))


def test_the_verdict_lists_its_checks_with_their_result(page):
    words = page.words
    assert "Every check passed" in words
    assert "Highest R-hat" in words
    assert "below 1.01 pass" in words
    assert words.index("Highest R-hat") < words.index("Key findings")


def test_a_failed_run_says_so_at_the_top_and_in_the_findings(run):
    checks = (
        Check("R-hat max", 1.532, 1.01, "<", False),
        Check("divergences", 0, 0, "=", True),
        Check("bulk ESS min", None, 400.0, ">", None),
    )
    failed = dataclasses.replace(run, verdict=Verdict("fail", checks))
    words = Page(build(failed, {})).words
    assert "1 of 3 checks did not pass" in words
    assert "R-hat max is 1.5320, must be below 1.01" in words
    assert "1.5320 below 1.01 fail" in words
    assert "0 exactly 0 pass" in words
    assert "not available above 400 not checked" in words
    assert "Read them as provisional until a run passes" in words


def test_a_passing_run_carries_no_warning(page):
    assert "provisional" not in page.words


def test_the_findings_give_the_share_that_party_explains(page, run):
    share = icc_draws(run.trace).mean()
    assert f"Party explains {100 * share:.0f}\N{NO-BREAK SPACE}% of the differences" in page.words


def test_a_reflected_baseline_is_explained(page, run):
    assert run.comparison.sign_flip
    assert "mirror image, not a disagreement" in page.words
    alt = next(words for words in scatters(page) if "baseline against" in words)
    assert "anti-diagonal" in alt
    assert f"r = \N{MINUS SIGN}{run.comparison.abs_r:.4f}" in alt


def test_anchors_of_a_flat_baseline_are_marked_so_that_nobody_takes_them_for_movers(page, run):
    table = run.tables.comparison.set_index("slug")
    anchors = set(run.flat_table.loc[run.flat_table["anchor"] != 0, "slug"])
    assert set(table.index[table["anchored"]]) == anchors
    assert "An open diamond is an anchor" in page.words.split("Each mark is a legislator")[1]
    assert run.comparison.n_compared == run.comparison.n_common - 2
    assert f"over {run.comparison.n_compared} legislators" in page.words


def test_the_box_of_the_verdict_has_the_agreement_within_each_party(page, run):
    box = page.words.split("Key findings")[0]
    for party, agreement in run.comparison.within.items():
        assert f"{party}s {agreement.r:.4f} {agreement.spearman:.4f} {agreement.n}" in box
    assert f"Everybody {run.comparison.abs_r:.4f}" in box
    assert "ELPD, this run minus the baseline \N{MINUS SIGN}12.5 (standard error 4.2)" in box
    assert f"Moved most places {moved_words(run.comparison, run.names)}" in box


def test_a_finding_says_whom_the_baseline_places_elsewhere_and_which_predicts_better(page, run):
    findings = page.words.split("Key findings")[2].split("What this model is")[0]
    move = run.comparison.moved_most
    name = run.names[move.slug]
    moved = f"Farthest moved {name}, from rank {move.rank_reference} to {move.rank_current}"
    assert moved in findings
    assert "predicts single votes worse than the baseline" in findings


def test_a_fit_in_doubt_stands_beside_the_verdict_and_its_reason_among_the_findings():
    run = example_input("flat", full=False)
    members = [
        dataclasses.replace(member, party=PARTIES[i % 2])
        for i, member in enumerate(run.votes.legislators)
    ]
    mixed = changed(run, votes=dataclasses.replace(run.votes, legislators=tuple(members)))
    words = Page(build(mixed, {})).words
    box, findings = words.split("Contents")[0], words.split("Key findings")[2]
    assert "questioned The fit to the votes is in doubt: party axis." in box
    assert findings.strip().startswith("Party axis: The one dimension is not clearly the line")
    assert "a model with two dimensions would" in findings


def test_where_the_baseline_is_of_other_votes_the_box_says_that_elpd_is_not_compared(run):
    words = Page(build(dataclasses.replace(run, elpd=None), {})).words.split("Contents")[0]
    assert "ELPD, this run minus the baseline not compared: other votes, or none kept" in words


def test_the_table_has_every_legislator_with_party_and_interval(page, run):
    table = run.tables.ideal_points.sort_values("rank")
    first = table.iloc[0]
    interval = f"{first['hdi_low']:.2f} to {first['hdi_high']:.2f}"
    assert f"{first['name']} Republican {first['mean']:.2f} {interval} 1 " in page.words
    section = page.words.split("One row a legislator")[1].split("All legislators in one")[0]
    assert all(name in section for name in table["name"])


def test_anchors_are_named_and_held_fixed(flat_page):
    assert "two legislators are held fixed" in flat_page.words
    assert flat_page.words.count("(anchor)") == 2
    assert flat_page.words.count("held fixed") >= 3
    assert "2 entries are held constant (anchors) and not checked" in flat_page.words


def test_the_findings_of_a_flat_run_leave_its_anchors_out():
    run = example_input("flat", full=False)
    findings = Page(build(run, {})).words.split("Key findings")[2].split("What this")[0]
    anchors = run.tables.ideal_points.query("anchor != 0")["name"]
    assert "stands farthest to the right" in findings
    assert not any(name in findings for name in anchors)


def test_dropped_votes_are_counted_and_listed(page, run):
    dropped = len(run.filter_log.drops)
    assert dropped > 0
    assert f"Roll calls with too small a minority {dropped}" in page.words
    assert f"The full list ({dropped})" in page.words
    assert all(drop.name in page.words for drop in run.filter_log.drops)


def test_fit_measures_are_named_in_words_with_sensible_decimals(page):
    words = page.words.replace("\N{NO-BREAK SPACE}", " ")
    assert "Votes called right 94.7 %" in words
    assert "APRE 71.0 %" in words
    assert "ELPD, leave-one-out \N{MINUS SIGN}345.6" in words
    assert "Draws used 1,000" in words


def test_seconds_are_given_by_step(page):
    assert "Step Seconds Compile 1.2 Save trace 4.4" in page.words


def test_machine_findings_and_warnings_are_listed(page):
    assert "Warning: 2 cores for 4 chains: chains take turns" in page.words
    assert "Warning: the Democrats are a small group" in page.words


def test_a_flat_table_whose_slugs_were_read_as_numbers_still_joins():
    run = example_input()
    votes = run.votes.renamed({slug: f"1{slug[1:]}" for slug in run.votes.slugs})
    trace = run.trace.copy()
    posterior = trace["posterior"].to_dataset().assign_coords(legislator=list(votes.slugs))
    trace["posterior"] = posterior
    numbers = run.flat_table.assign(slug=("1" + run.flat_table["slug"].str[1:]).astype(int))
    renamed = changed(
        run, votes=votes, trace=trace, flat_table=numbers, comparison=None, checks=None
    )
    assert len(renamed.tables.shrinkage) == 30


def test_the_small_party_prior_is_explained(page):
    assert explanation.SMALL_PARTY == hierarchical.SMALL_PARTY
    assert "With 12 members, the Democrats are a small group" in page.words
    assert "its prior is tighter (HalfNormal with scale 0.5)" in page.words
    assert "With 18 members, the Republicans are a small group" in page.words


def test_figures_have_stable_names_and_given_images_are_used(run):
    drawn = figures(run)
    assert set(drawn) == {
        "forest", "party_positions", "icc", "variance", "dispersion", "shrinkage", "cut_points",
        "convergence", "comparison", "energy", "traces", "predictive",
    }  # fmt: skip
    assert all(isinstance(figure, Figure) for figure in drawn.values())
    pngs = images(drawn)
    assert all(data.startswith(b"\x89PNG") for data in pngs.values())
    by_the_page = {"forest", "shrinkage", "comparison"}
    assert build(run, pngs).count("data:image/png") == len(set(drawn) - by_the_page)


def test_pictures_that_could_not_be_drawn_are_left_out(run):
    page = Page(build(run, {}))
    assert page.all("img") == []
    by_the_page = {"forest", "scatter"}
    assert {figure["class"] for figure in page.all("figure")} == by_the_page
    assert "Ideal points of 30 legislators" in page.words


def test_image_sizes_are_given_so_that_the_page_keeps_still(page):
    for image in page.all("img"):
        assert int(image["width"]) == 960
        assert int(image["height"]) > 100


def test_a_run_of_one_chain_is_reported_without_rhat():
    run = example_input(full=False, chains=1, draws=1000)
    words = Page(build(run)).words
    assert "Every check that could be made passed; 1 could not be made" in words
    assert "not available below 1.01 not checked" in words


def test_a_chamber_without_parties_has_no_ends_named_after_them():
    votes, _ = example_votes()
    members = tuple(dataclasses.replace(m, party="") for m in votes.legislators)
    run = example_input("flat", full=False)
    constant = run.trace["constant_data"]
    trace = run.trace.copy()
    trace["constant_data"] = constant.to_dataset().assign(
        party_index=("legislator", np.full(len(members), -1, np.int8))
    )
    nobody = VoteMatrix(votes.cells, members, votes.rollcalls, "example", "house")
    nobody_run = changed(run, trace=trace, votes=nobody)
    assert figures(nobody_run)["forest"].axes[0].get_xlabel() == "Ideal point"
    words = Page(build(nobody_run, {})).words
    assert "Republican" not in words
    assert "Right and left are only names for the two ends" in words
