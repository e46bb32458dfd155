"""The sections on fit: how well the model predicts the votes, and whose it does not."""

import math

import pandas as pd

from tallgrass.report.page import (
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    numeric,
    person_cell,
    rows,
)
from tallgrass.report.people import person_id
from tallgrass.report.words import NOTHING, counted, number, percent, shortened, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.misfit import farthest_pairs, misfit_words
from tallgrass.rollcalls.people import person, rollcall_name
from tallgrass.rollcalls.plots import CHECKS
from tallgrass.rollcalls.report.words import party_cell, person_cells

SHOWN_PAIRS, SHOWN_VOTES = 15, 25
# Name of a fit measure -> its words and its explanation.
FIT = {
    "fit/accuracy": ("Votes called right", "yeas and nays on the side of 50 % that the model gave"),
    "fit/apre": ("APRE", "share of the errors of always guessing the winning side that is removed"),
    "fit/gmp": (
        "GMP",
        "geometric mean of the probabilities given to what happened; a coin has 0.5",
    ),
    "fit/elpd_loo": ("ELPD, leave-one-out", "expected log predictive density; higher is better"),
    "fit/elpd_loo_se": ("Standard error of the ELPD", ""),
    "fit/p_loo": ("Effective parameters", "estimated by leave-one-out"),
    "fit/pareto_k_above_good": ("Unreliable votes", "votes whose Pareto k exceeds the limit below"),
    "fit/pareto_k_good": ("Limit of Pareto k", "for this number of draws"),
    "fit/pareto_k_above_0.7": ("Votes with a Pareto k above 0.7", ""),
    "fit/n_draws": ("Draws used", ""),
    "fit/reff": ("Efficiency of the draws", "effective draws over draws, for the likelihoods"),
    "fit/surprising_votes": ("Votes with a probability below 5 %", ""),
    "fit/surprising_votes_expected": ("As many if the probabilities are right", ""),
    "fit/misfit_legislators": (
        "Legislators outside their prediction",
        "share of yeas outside the 95 % interval that the model predicts",
    ),
    "fit/misfit_legislators_expected": ("As many by chance", ""),
    "fit/misfit_legislators_limit": ("At most, by chance, in 99 %", ""),
    "fit/misfit_party_margins": (
        "Margins within a party outside their prediction",
        "yeas minus nays of one party's members on a roll call",
    ),
    "fit/misfit_party_margins_expected": ("As many by chance", ""),
    "fit/misfit_pairs": (
        "Pairs outside their prediction",
        "share of common votes in which two legislators agree",
    ),
    "fit/misfit_pairs_expected": ("As many by chance", ""),
    "fit/misfit_pairs_limit": ("At most, by chance, in 99 %", ""),
}
SHARES = {"fit/accuracy", "fit/apre"}
THREE_DECIMALS = {"fit/gmp", "fit/pareto_k_good"}


def misfit_section(run: RollCallAnalysis) -> Section | None:
    """The legislators, pairs and votes that the model does not describe."""
    table, checks = run.fit_tables.legislators, run.checks
    if table is None or checks is None or table.empty:
        return None
    blocks: list[Text | Picture | Table] = [
        Text(misfit_words(checks, table) or misfit_words(checks, table, by_chance=True)),
        Text(
            "A model may give everybody a position and still not describe how some of them voted: "
            "because they vote with neither side, or because a second line divides the chamber. "
            "The table lists those whose share of yeas is outside its prediction. “With own "
            "party” is the share of common votes in which a legislator agrees with a fellow "
            "member. Beside each value stands what the model predicts with 95 % probability.",
            tone="aside",
        ),
    ]
    if table["misfit"].any():
        blocks.append(_misfits(table[table["misfit"]]))
    blocks += [*_pairs(run), *_surprises(run)]
    title = "Legislators and votes that the model does not describe"
    return Section("misfit", title, tuple(blocks))


def _misfits(table: pd.DataFrame) -> Table:
    cells = rows(
        [
            person_cell(person(row) + (", anchor" if row["anchor"] else ""), person_id(row["slug"]))
            for _, row in table.iterrows()
        ],
        [party_cell(party) for party in table["party"]],
        [Cell(f"{n:,}", float(n)) for n in table["n_votes"]],
        *(
            cells_of_check
            for name in ("yea_rate", "own_party", "other_party")
            for cells_of_check in (_observed(table, name), _predicted(table, name))
        ),
    )
    columns = [Column("Legislator"), Column("Party"), Column("Votes", numeric=True)]
    for title in ("Yeas", "With own party", "With other party"):
        columns += [Column(title, numeric=True), Column("Predicted", numeric=True)]
    caption = f"{counted(len(table), 'legislator')} outside the prediction, the farthest off first"
    return Table(caption, tuple(columns), cells, sortable=True)


def _observed(table: pd.DataFrame, name: str) -> list[Cell]:
    values = zip(*(table[f"{name}_{part}"] for part in ("observed", "low", "high")), strict=True)
    return [
        Cell(
            percent(value),
            float(value) if math.isfinite(value) else None,
            "failed" if value < low or value > high else "",
        )
        for value, low, high in values
    ]


def _predicted(table: pd.DataFrame, name: str) -> list[str]:
    ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return [share_span(low, high) for low, high in ends]


def share_span(low: float, high: float) -> str:
    """An interval of shares in percent."""
    if not math.isfinite(low):
        return NOTHING
    return f"{number(100 * low, 0)} to {percent(high)}"


def anchors_section(run: RollCallAnalysis) -> Section | None:
    """Where the anchors are held, and where their own votes put them."""
    anchors = run.fit_tables.anchors
    if anchors is None:
        return None
    off = int(anchors["off"].sum())
    text = Text(
        f"{off} of {counted(len(anchors), 'anchor')} {'is' if off == 1 else 'are'} held where "
        f"{'its' if off == 1 else 'their'} own votes do not put {'it' if off == 1 else 'them'}. "
        "The position by the votes is what the model would give a member with these votes, the "
        "roll calls as they were estimated. A scale that pulls away from "
        "its anchors describes them, and the roll calls on which they voted, wrongly.",
        tone="warning" if off else "",
    )
    cells = rows(
        person_cells(anchors),
        [numeric(v) for v in anchors["position"]],
        [numeric(v) for v in anchors["by_votes"]],
        [
            span(a, b)
            for a, b in zip(anchors["by_votes_low"], anchors["by_votes_high"], strict=True)
        ],
        [
            Cell("outside" if off else "inside", style="failed" if off else "passed")
            for off in anchors["off"]
        ],
    )
    columns = (
        Column("Anchor"),
        Column("Held at", numeric=True),
        Column("By the votes", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Held"),
    )
    table = Table("Anchors, and where their own votes put them", columns, cells)
    return Section("anchors", "The anchors", (text, table))


def _pairs(run: RollCallAnalysis) -> list[Text | Table]:
    """What the agreement of pairs and the margins within the parties say."""
    if run.checks is None or run.checks.pairs.empty:
        return []
    metrics, pairs = run.checks.metrics, run.checks.pairs
    margins = run.checks.predictive
    n_margins = int((margins["check"] == "party_margin").sum())
    text = (
        f"Of {counted(len(pairs), 'pair')} of legislators, "
        f"{metrics['fit/misfit_pairs']:,.0f} agree more or less often than the model predicts; "
        f"about {metrics['fit/misfit_pairs_expected']:,.0f} would by chance."
    )
    if n_margins:
        text += (
            f" Of {counted(n_margins, 'margin')} of a roll call within a party, "
            f"{metrics['fit/misfit_party_margins']:,.0f} are outside the prediction; about "
            f"{metrics['fit/misfit_party_margins_expected']:,.0f} would be by chance."
        )
    text += (
        " No parameter is fitted to a pair, so pairs show what one line leaves out; the margins of "
        "two parties that stand apart are fitted by the two parameters of a roll call."
    )
    shown = farthest_pairs(pairs, SHOWN_PAIRS)
    people = {row["slug"]: person(row) for _, row in run.tables.ideal_points.iterrows()}
    cells = rows(
        [person_cell(people[slug], person_id(slug)) for slug in shown["first"]],
        [person_cell(people[slug], person_id(slug)) for slug in shown["second"]],
        [Cell(f"{n:,}", float(n)) for n in shown["n_common"]],
        [Cell(percent(v), float(v)) for v in shown["observed"]],
        [share_span(a, b) for a, b in zip(shown["low"], shown["high"], strict=True)],
    )
    columns = (
        Column("Legislator"),
        Column("and"),
        Column("Common votes", numeric=True),
        Column("Agree", numeric=True),
        Column("Predicted", numeric=True),
    )
    caption = "Pairs whose agreement is farthest from the prediction"
    fold = f"Table of {counted(len(shown), 'pair')} farthest from the prediction"
    return [Text(text), Table(caption, columns, cells, sortable=True, fold=fold)]


def _surprises(run: RollCallAnalysis) -> list[Text | Table]:
    table, metrics = run.fit_tables.surprising_votes, run.fit or {}
    if table is None or table.empty or "fit/surprising_votes" not in metrics:
        return []
    text = Text(
        f"{metrics['fit/surprising_votes']:,.0f} single votes had a probability below 5 % in the "
        "fitted model; if its probabilities were right, there would be about "
        f"{metrics['fit/surprising_votes_expected']:,.0f}. The table has the most surprising ones; "
        "tables/votes.parquet has every single vote."
    )
    shown = table.head(SHOWN_VOTES)
    cells = rows(
        person_cells(shown.rename(columns={"legislator": "slug"})),
        [Cell(rollcall_name(row)) for _, row in shown.rename(columns=_VOTE_ID).iterrows()],
        [Cell(shortened(title, 70), style="wide") for title in shown["title"]],
        [Cell(vote.capitalize()) for vote in shown["vote"]],
        [numeric(v, 4) for v in shown["probability"]],
    )
    columns = (
        Column("Legislator"),
        Column("Roll call"),
        Column("Title"),
        Column("Vote"),
        Column("Probability", numeric=True, hint="of the vote that was cast"),
    )
    caption = "The most surprising votes"
    return [text, Table(caption, columns, cells, find="Find a vote", sortable=True)]


_VOTE_ID = {"rollcall": "vote_id"}


def fit_section(run: RollCallAnalysis, drawn: set[str]) -> Section | None:
    """How well the model's probabilities match the votes."""
    blocks: list[Text | Picture | Table] = []
    if run.fit:
        labels = [FIT.get(name, (name.removeprefix("fit/"), "")) for name in run.fit]
        values = [_fit_value(name, value) for name, value in run.fit.items()]
        cells = rows([a for a, _ in labels], values, [b for _, b in labels])
        columns = (Column("Measure"), Column("Value", numeric=True), Column("What it is"))
        blocks.append(Text("How well the model's probabilities match the votes that were cast."))
        blocks.append(Table("Fit to the recorded votes", columns, cells))
    if "predictive" in drawn and run.predictive is not None:
        blocks.append(
            Text(
                "The fitted model was asked to cast all votes again, many times. A mark compares "
                "what happened with what the model would expect; the lines are 95 % intervals. "
                "Marks on the dashed line are predicted exactly, and about one in twenty may lie "
                "outside its interval by chance."
            )
        )
        parts = []
        for check in CHECKS:
            part = run.predictive[run.predictive["check"] == check]
            outside = (part["observed"] < part["low"]) | (part["observed"] > part["high"])
            if len(part):
                parts.append(f"{CHECKS[check]}: {outside.sum()} of {len(part)} outside")
        alt = f"Observed against predicted values with 95 % intervals. {'; '.join(parts)}."
        blocks.append(Picture("predictive", alt, "Posterior predictive checks"))
    return Section("fit", "Fit checks", tuple(blocks)) if blocks else None


def _fit_value(name: str, value: float) -> str:
    if name in SHARES:
        return percent(value, 1)
    if name in THREE_DECIMALS:
        return number(value, 3)
    whole = math.isfinite(value) and value == round(value)
    return number(value, 0 if whole else 1)
