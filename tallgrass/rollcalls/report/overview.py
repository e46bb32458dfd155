"""The key findings, and who stands where in words."""

import pandas as pd

from tallgrass.report.fit import fit_findings
from tallgrass.report.page import Bullets, Section, Text
from tallgrass.report.words import chance, counted, listed, number, percent, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.chambers import CHAMBERS
from tallgrass.rollcalls.groups import PARTIES, member_of
from tallgrass.rollcalls.misfit import misfit_words
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report.baseline import agreement_finding
from tallgrass.rollcalls.report.plane import plane_findings
from tallgrass.rollcalls.report.words import groups_words, plural, upper_first


def first_findings(run: RollCallAnalysis) -> tuple[str, ...]:
    """Who stands farthest out, who is in the middle, and how far apart the parties are."""
    people = [*_people_findings(run.tables.ideal_points), *overlap(run)]
    parties = _party_findings(run)
    groups = groups_words(run.votes.groups, run.spec.groups) if run.spec.groups else ""
    first = (groups,) if groups else ()
    return (*first, *people[:2], *parties[1:2], *people[2:])


def key_findings(run: RollCallAnalysis) -> Section:
    """What the run says, in a few sentences."""
    items = [*_party_findings(run), *_people_findings(run.tables.ideal_points), *overlap(run)]
    items += plane_findings(run)
    if run.fit and "fit/accuracy" in run.fit:
        text = f"The model calls {percent(run.fit['fit/accuracy'], 1)} of the recorded votes right"
        if "fit/apre" in run.fit:
            apre = percent(run.fit["fit/apre"])
            text += f", which removes {apre} of the errors of always guessing the winning side"
        items.append(text + ".")
    # Where more are outside than chance allows, the finding stands among those on the fit.
    if as_expected := misfit_words(run.checks, run.fit_tables.legislators, by_chance=True):
        items.append(as_expected)
    items += agreement_finding(run)
    blocks: list[Bullets | Text] = [Bullets(tuple(items))]
    blocks[:0] = [Text(words, tone="warning") for words in fit_findings(run.fit_verdict)]
    if run.verdict.status == "fail":
        blocks.insert(0, Text(FAILED, tone="warning"))
    return Section("key-findings", "Key findings", tuple(blocks), brief=True)


FAILED = (
    "The checks at the top did not all pass, so the numbers on this page may change when the "
    "model is run again. Read them as provisional until a run passes."
)


def _party_findings(run: RollCallAnalysis) -> list[str]:
    tables = run.tables
    if tables.party_parameters is None or tables.variance is None or tables.dispersion is None:
        return []
    share = tables.variance.iloc[0]
    gap = tables.party_parameters.query("parameter == 'gap'").iloc[0]
    wider = tables.dispersion.sort_values("p_larger", ascending=False).iloc[0]
    most, largest = ("more", "larger") if len(run.votes.groups) == 2 else ("most", "largest")
    return [
        f"Party explains {percent(share['share'])} of the differences between legislators "
        f"(95 % interval {percent(share['share_low'])} to {percent(share['share_high'])}).",
        f"{_means_of_pair(run)} lie {number(gap['mean'])} apart on the scale of the ideal points "
        f"({span(gap['hdi_low'], gap['hdi_high'])}).",
        f"{upper_first(plural(wider['party']))} disagree {most} among themselves: the probability "
        f"that their spread is the {largest} one is {chance(wider['p_larger'])}.",
    ]


def _means_of_pair(run: RollCallAnalysis) -> str:
    low, high, *further = run.votes.groups
    return f"The means of {low} and {high}" if further else "The parties' means"


def _people_findings(everyone: pd.DataFrame) -> list[str]:
    ideal = estimated(everyone)
    ordered = ideal.sort_values("rank", kind="stable")
    top, bottom = ordered.iloc[0], ordered.iloc[-1]
    items = [
        f"{person(top)} stands farthest to the right, at {number(top['mean'])}; {person(bottom)} "
        f"farthest to the left, at {number(bottom['mean'])}."
    ]
    # Two chambers have a median member each; nobody is in the middle of both together.
    bodies = [("", ideal)]
    if "chamber" in ideal:
        by_chamber = [(chamber, ideal[ideal["chamber"] == chamber]) for chamber in CHAMBERS]
        bodies = [(f" of the {chamber.capitalize()}", members) for chamber, members in by_chamber]
    for of_chamber, members in bodies:
        middle = members.sort_values("p_median", ascending=False).iloc[0]
        items.append(
            f"The likeliest median member{of_chamber} is {person(middle)}, with a probability of "
            f"{chance(middle['p_median'])}."
        )
    return items


def estimated(ideal: pd.DataFrame) -> pd.DataFrame:
    """The legislators whose position comes from their votes: all but the anchors."""
    return ideal[ideal["anchor"] == 0]


def overlap(run: RollCallAnalysis) -> list[str]:
    """A sentence on whether the estimates of the pair of parties overlap, when both are there."""
    ideal, pair = estimated(run.tables.ideal_points), run.votes.groups[:2]
    if len(pair) < 2:
        return []
    left, right = (ideal[ideal["party"] == party] for party in pair)
    lower, upper = map(member_of, pair)
    if left.empty or right.empty:
        return []
    who = "The parties" if len(run.votes.groups) == 2 else f"{pair[0]} and {pair[1]}"
    crossing = left[left["mean"] > right["mean"].min()].sort_values("mean", ascending=False)
    if crossing.empty:
        near = left.iloc[int(left["mean"].argmax())], right.iloc[int(right["mean"].argmin())]
        apart = (
            f"every {lower}'s estimate lies to the left of every {upper}'s"
            if pair == PARTIES
            else f"all estimates of {pair[0]} lie to the left of all of {pair[1]}"
        )
        return [
            f"{who} do not overlap: {apart}. Nearest to each other are {person(near[0])} and "
            f"{person(near[1])}."
        ]
    names = listed([person(row) for _, row in crossing.head(3).iterrows()])
    more = "" if len(crossing) <= 3 else ", the farthest being"
    return [
        f"{who} overlap: {_counted_members(len(crossing), pair[0])} "
        f"{'stands' if len(crossing) == 1 else 'stand'} to the right of at least one "
        f"{upper}{more or ','} {names}."
    ]


def _counted_members(n: int, group: str) -> str:
    """Some members of a group, in words."""
    return counted(n, group) if group in PARTIES else f"{counted(n, 'member')} of {group}"
