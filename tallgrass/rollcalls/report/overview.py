# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""The first sections: key findings, what the model is, how to read the page."""

import numpy as np
import pandas as pd

from tallgrass.report.fit import fit_findings
from tallgrass.report.page import Bullets, Column, Section, Table, Text, rows
from tallgrass.report.words import chance, counted, listed, number, percent, span, trimmed
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.chambers import CHAMBERS
from tallgrass.rollcalls.groups import PARTIES, end_of, member_of
from tallgrass.rollcalls.misfit import misfit_words
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report.baseline import agreement_finding
from tallgrass.rollcalls.report.plane import PLANE, plane_findings
from tallgrass.rollcalls.report.words import groups_words, plural, upper_first
from tallgrass.rollcalls.spec import SMALL_PARTY, SMALL_PARTY_SCALE
from tallgrass.study.model_file import short

PRIOR_OF = {
    "alpha": "Difficulty α of a roll call",
    "beta": "Discrimination β of a roll call",
    "beta_2": "Discrimination β₂ on the second axis",
    "mu": "Mean of each party",
    "sigma": "Spread within each party",
    "delta": "Midpoint of the Senate on the House's scale",
    "log_k": "Logarithm of the Senate's half gap k",
    "sigma_bill": "Spread of the bills' logits at the party means",
    "sigma_within": "Spread within a party, in its chamber's half gaps",
    "sigma_chamber": "Spread of the chambers about the middle of all",
    "sigma_party": "Spread of the parties about their chamber",
    "sigma_dif": "Spread of a matched bill's deviations in the Senate",
    "tau": "Typical step of a member a biennium, τ",
    "mu_walk": "Step a biennium of the mean of a party's new members",
    "sigma_new": "Spread of new members about that mean",
}


# What some parameters are in the dynamic model.
PRIOR_OF_DYNAMIC = {
    "delta": "Midpoint δ of a session on the scale of the reference session",
    "log_k": "Logarithm of half the distance k between a session's parties",
}


def _prior_words(run: RollCallAnalysis, name: str) -> str:
    dynamic = PRIOR_OF_DYNAMIC if run.spec.model == "dynamic" else {}
    return dynamic.get(name) or PRIOR_OF.get(name, name)


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


def the_model(run: RollCallAnalysis) -> Section:
    """What was fitted, in words."""
    blocks: list[Text | Table] = [Text(PLANE if run.spec.dims == 2 else LINE)]
    if groups := groups_words(run.votes.groups, run.spec.groups):
        party = " Where this page says party, it is this group." if run.spec.groups else ""
        blocks.append(Text(groups + party))
    if run.spec.model == "hierarchical":
        blocks.append(Text(HIERARCHICAL + _order(run)))
        blocks += [Text(note) for note in _small_parties(run)]
    elif run.spec.model == "joint":
        blocks.append(Text(JOINT if run.spec.joint_form == "anchored" else SEED))
    elif run.spec.model == "dynamic":
        steps = "t with 4 degrees of freedom" if run.spec.walk == "t4" else "normal"
        blocks.append(Text(DYNAMIC.format(steps=steps)))
    elif (file := run.prepared.file) is not None:
        blocks.append(Text(FROM_FILE.format(name=short(run.spec.model))))
        table = rows(list(file.priors), list(file.priors.values()))
    elif run.spec.dims == 2:
        blocks.append(Text(FLAT_PLANE))
    else:
        blocks.append(
            Text(
                FLAT.format(n=_how_many(run.tables.ideal_points))
                + _anchors(run.tables.ideal_points)
            )
        )
    if priors := run.spec.priors:
        table = rows(
            [_prior_words(run, name) for name in priors],
            [prior.describe() for prior in priors.values()],
        )
    columns = (Column("Parameter"), Column("Prior"))
    blocks.append(Table("What the model assumes before it sees a vote", columns, table))
    return Section("model", "What this model is", tuple(blocks))


LINE = (
    "Every recorded yea and nay is explained by two things: where the legislator stands, and what "
    "kind of question the roll call was. Each legislator has one number, the ideal point ξ. Each "
    "roll call has a difficulty α and a discrimination β, and the probability of a yea is the "
    "logistic function of β·ξ − α. Absences and “present” are left out; they count neither as yea "
    "nor as nay."
)
HIERARCHICAL = (
    "This is the hierarchical form: each party has its own mean and its own spread, and its "
    "members are drawn from around that mean. A legislator with few votes is therefore estimated "
    "closer to the party's mean, and one with many votes almost entirely from the votes. "
)
JOINT = (
    "This is the joint form: the members of both chambers are placed on one scale, the House's, "
    "whose party means are held at −1 and +1. Where the Senate lies on it follows from the bills "
    "that both chambers voted on; each of them may work differently in the Senate."
)
SEED = (
    "This is the joint model in its first published form: members of both chambers on one scale, "
    "groups within chambers within the legislature, and one difficulty and discrimination for a "
    "bill that both chambers voted on. It takes for granted that such a bill works the same way in "
    "both; joint_form=anchored does not."
)
DYNAMIC = (
    "This is the dynamic form: every session has roll calls of its own, and a member a position in "
    "each session. A member who served before starts from the earlier position and takes a step, "
    "whose distribution is {steps} with the scale τ times the root of the bienniums between; a new "
    "member stands about the mean of the party's new members of that time, which walks too. The "
    "scale is that of the reference session, whose party means are held at −1 and +1; where the "
    "other sessions lie on it, δ and k, follows from the members who served in both."
)
FROM_FILE = (
    "This is a model of your own: {name}. The run holds the file as model/source.py. Its ideal "
    "points, difficulties and discriminations have the likelihood above; what else they stand for, "
    "the file says."
)
FLAT_PLANE = (
    "This is the flat form: the model knows nothing of the parties' means and spreads. All "
    "positions share one standard normal prior on either axis; the parties, or without them the "
    "two halves of the chamber, only say which direction is called axis 1."
)
FLAT = (
    "This is the flat form: the model knows nothing of parties. All ideal points share one "
    "standard normal prior, and {n} legislators are held fixed so that the scale has a direction "
    "and a unit"
)


def _how_many(ideal: pd.DataFrame) -> str:
    n = int((ideal["anchor"] != 0).sum())
    return "two" if n == 2 else str(n)


def _anchors(ideal: pd.DataFrame) -> str:
    anchors = ideal[ideal["anchor"] != 0].sort_values("mean")
    names = [f"{person(row)} at {trimmed(row['mean'])}" for _, row in anchors.iterrows()]
    return f": {listed(names)}." if names else "."


def _order(run: RollCallAnalysis) -> str:
    """Which mean is held below which, and what is free."""
    low, high, *further = run.votes.groups
    if (low, high) == PARTIES:
        pair = "Democratic mean is held below the Republican one"
    else:
        pair = f"mean of {low} is held below that of {high}"
    text = f"The {pair}, which fixes the direction of the scale."
    return f"{text} Free: the mean of {listed(further)}." if further else text


def _small_parties(run: RollCallAnalysis) -> list[str]:
    sizes = np.array([(run.votes.party_index == g).sum() for g in range(len(run.votes.groups))])
    tighter = run.spec.priors["sigma"].scaled(SMALL_PARTY_SCALE).describe()
    return [
        f"With {counted(int(size), 'member')}, the {plural(party)} are a small group: so few ideal "
        f"points say little about their spread, and its prior is tighter ({tighter})."
        for party, size in zip(run.votes.groups, sizes, strict=True)
        if size < SMALL_PARTY
    ]


def _ends(run: RollCallAnalysis) -> str:
    groups = run.votes.groups
    if run.prepared.file is None and len(groups) >= 2 and (run.votes.party_index >= 0).any():
        return f"Right is the {end_of(groups[1])}, left the {end_of(groups[0])}"
    return "Right and left are only names for the two ends"


def _unit(run: RollCallAnalysis) -> str:
    """What zero and one are on the scale."""
    if run.joint is not None and run.spec.joint_form == "anchored":
        return (
            "zero is halfway between the means of the House's parties, and one unit is half the "
            "distance between them."
        )
    if run.spec.model == "flat" and run.spec.dims == 1:
        return "zero and the unit follow from where the anchors are held."
    return "the zero point and the unit carry no meaning of their own."


def how_to_read(run: RollCallAnalysis) -> Section:
    """How to read positions, intervals and the checks."""
    joint = run.joint is not None
    among = "both chambers" if joint else "this chamber"
    items = [
        f"A position says how a legislator voted compared with the others in {among}, not "
        f"what he or she believes. {_ends(run)}; {_unit(run)}",
        "Every estimate comes with a 95 % interval: given the model and the votes, the value lies "
        "in it with a probability of 95 %. Whether one legislator is to the right of another is a "
        "probability of its own: “Who is to the right of whom” has it for every pair.",
        "Rank 1 is the farthest to the right. The interval of a rank shows how firmly it is known.",
        "R-hat compares the chains, which are independent attempts at the same answer: near 1 "
        "they agree. The effective number of draws says how many independent draws the estimate "
        "is worth. A divergence is a step where the sampler lost its way.",
        f"Positions of different {'sessions' if joint else 'sessions, chambers'} or models are on "
        "different scales. Compare them by rank, or by the correlation that this page gives.",
    ]
    if run.spec.model == "flat" and run.spec.dims == 1:
        items.append(
            "An anchor is held at a fixed value whatever its votes were: it has no interval and no "
            "checks, and its rank says nothing."
        )
    return Section("how-to-read", "How to read it", (Bullets(tuple(items)),))
