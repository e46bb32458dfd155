"""A card for every legislator: position, votes, surprising votes, neighbours."""

import numpy as np
import pandas as pd

from tallgrass.report.page import Section, Text
from tallgrass.report.people import Card, Cards, Statement, last_name_first, person_id
from tallgrass.report.words import chance, counted, number, percent, shortened, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.fit_checks import SURPRISE
from tallgrass.rollcalls.people import person, rollcall_name
from tallgrass.rollcalls.report.overview import estimated
from tallgrass.rollcalls.votes import NAY, YEA, RollCall

MOST = 1000  # legislators with a card: a megabyte on the page
BESIDE = 2  # neighbours on either side
SURPRISES = 5


def cards_section(run: RollCallAnalysis) -> Section | None:
    """The cards, in the order of the last names."""
    ideal = run.tables.ideal_points
    if len(ideal) > MOST:
        return None
    neighbours, surprises = _neighbours(run), _surprises(run)
    casts = _casts(run)
    people = sorted(
        (
            Card(
                person_id(row["slug"]),
                person(row),
                row["party"],
                str(row["district"]),
                (*_position(row), *casts[row["slug"]]),
                (*neighbours.get(row["slug"], ()), *surprises.get(row["slug"], ())),
            )
            for _, row in ideal.iterrows()
        ),
        key=lambda card: last_name_first(card.name).casefold(),
    )
    text = Text(
        "What this page knows of each legislator: the position and its rank with 95 % intervals, "
        "the votes that were used, the neighbours with the probability of standing to the right of "
        "them, and the votes that surprise the model most. A click on a name opens one card."
    )
    fold = f"The cards of all {counted(len(people), 'legislator')}"
    return Section("legislators", "Every legislator", (text, Cards(fold, tuple(people))))


def _position(row: "pd.Series[str]") -> list[tuple[str, str]]:
    held = bool(row["anchor"])
    facts = [("Party", row["party"] or "none"), ("District", str(row["district"]) or "none")]
    facts += [("Ideal point", number(float(row["mean"])))]
    if held:
        return [*facts, ("95 % interval", "held fixed, an anchor")]
    return [
        *facts,
        ("95 % interval", span(float(row["hdi_low"]), float(row["hdi_high"]))),
        ("Rank from the right", str(row["rank"])),
        ("Rank, 95 %", f"{row['rank_low']} to {row['rank_high']}"),
    ]


def _casts(run: RollCallAnalysis) -> dict[str, list[tuple[str, str]]]:
    """Votes cast by slug, and the share in which the party's majority voted alike."""
    cells, groups = run.votes.cells, run.votes.party_index
    sums = {g: np.sign(cells[groups == g].sum(axis=0, dtype=int)) for g in np.unique(groups)}
    facts = {}
    for slug, row, g in zip(run.votes.slugs, cells, groups, strict=True):
        yeas, nays = int((row == YEA).sum()), int((row == NAY).sum())
        missed = len(row) - yeas - nays
        found = [("Votes cast", f"{yeas} yea, {nays} nay of {counted(len(row), 'roll call')}")]
        found.append(("Not voting", str(missed)))
        both = (row != 0) & (sums[g] != 0)
        if g >= 0 and both.any():
            found.append(("With own party", percent(float((row == sums[g])[both].mean()))))
        facts[slug] = found
    return facts


def _neighbours(run: RollCallAnalysis) -> dict[str, list[tuple[str, tuple[Statement, ...]]]]:
    ideal = estimated(run.tables.ideal_points).sort_values("rank", kind="stable")
    slugs = ideal["slug"].tolist()
    names = {row["slug"]: person(row) for _, row in ideal.iterrows()}
    probability = run.right_of.loc[slugs, slugs].to_numpy()
    found = {}
    for i, slug in enumerate(slugs):
        beside = [j for j in range(i - BESIDE, i + BESIDE + 1) if j != i and 0 <= j < len(slugs)]
        lines = tuple(
            Statement(
                f"{names[slugs[j]]} is to the {'right' if j < i else 'left'} with a probability "
                f"of {chance(probability[min(i, j), max(i, j)])}",
                person_id(slugs[j]),
            )
            for j in beside
        )
        if lines:
            found[slug] = [("Neighbours, from right to left", lines)]
    return found


def _surprises(run: RollCallAnalysis) -> dict[str, list[tuple[str, tuple[Statement, ...]]]]:
    """The least likely votes of each legislator, of those that surprise at all."""
    if run.checks is None:
        return {}
    rollcalls = {rollcall.vote_id: rollcall for rollcall in run.votes.rollcalls}
    table = run.checks.votes
    unlikely = table[table["probability"] < SURPRISE].sort_values("probability", kind="stable")
    found = {}
    for slug, votes in unlikely.groupby("legislator", sort=False):
        lines = tuple(
            Statement(_surprise(rollcalls[row["rollcall"]], row["vote"], row["probability"]))
            for _, row in votes.head(SURPRISES).iterrows()
        )
        title = f"Surprising votes: {len(votes)} with a probability below {percent(SURPRISE)}"
        found[str(slug)] = [(title, lines)]
    return found


def _surprise(rollcall: RollCall, vote: int, probability: float) -> str:
    names = {"bill": rollcall.bill, "motion": rollcall.motion, "vote_id": rollcall.vote_id}
    title = f", {shortened(rollcall.title, 90)}" if rollcall.title else ""
    word = "yea" if vote == YEA else "nay"
    return f"{rollcall_name(names)}{title}: {word}, probability {percent(probability, 1)}"
