# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""What the model is, and how to read the page."""

import numpy as np
import pandas as pd

from tallgrass.report.page import Bullets, Column, Section, Table, Text, rows
from tallgrass.report.words import counted, listed, trimmed
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.groups import PARTIES, end_of
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report.plane import PLANE
from tallgrass.rollcalls.report.words import groups_words, plural
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
