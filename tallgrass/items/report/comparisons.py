# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""The sections that compare: anchors with what they were, methods with each other."""

from typing import Protocol

import pandas as pd

from tallgrass.items.agreement import Agreement
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.spec import CalibrationSpec
from tallgrass.report.page import Cell, Column, Picture, Section, Table, Text, numeric, rows
from tallgrass.report.words import chance, counted, listed, number, signed

SHOWN = 200


class Compared(Protocol):
    """What a comparison of methods needs of a run."""

    @property
    def spec(self) -> CalibrationSpec:
        """The parameters."""

    @property
    def agreement(self) -> Agreement | None:
        """The methods pair by pair."""


def drift_section(run: CalibrationAnalysis) -> Section | None:
    """The anchors: what they were, what they are, and how surely they moved."""
    drift, spec = run.drift, run.spec
    if drift is None or drift.empty:
        return None
    moved = drift[drift["drifted"] | drift["suspect"]]
    words = (
        f"An anchor drifted when its b moved by more than {spec.drift_b:g} or its a by more than "
        f"{spec.drift_a:g} (grey band), and by more than two standard errors. "
    )
    if spec.engine == "mml":
        words += "A filled mark is the estimate"
    else:
        words += (
            "A filled mark is the estimate, which the anchor's tight prior holds near its old value"
        )
    words += (
        "; an open diamond is what the responses alone say (lines are 95 % intervals). Where that "
        "disagrees with the old value by more than chance allows (conflict beyond 3), the anchor "
        "is marked as well, though its estimate may not have moved far. The probabilities that it "
        "drifted are those of the responses, without the anchor's own prior."
    )
    if weaker := int(drift["weaker"].sum()):
        words += (
            f" {counted(weaker, 'anchor')} lost more than {100 * spec.drift_information:g} % of "
            "the information about this cohort."
        )
    names = listed([str(name) for name in moved["item"].head(5)]) or "none"
    alt = (
        f"Change of {len(drift)} anchors in b and a with 95 % intervals; {len(moved)} drifted or "
        f"in conflict: {names}."
    )
    prior_alt = (
        f"Anchors before and now: correlation of b {number(drift['b_before'].corr(drift['b']), 3)}"
    )
    if spec.item_model == "1pl":
        words += " All items share one a, so that only b can drift."
        prior_alt += "."
    else:
        prior_alt += f", of a {number(drift['a_before'].corr(drift['a']), 3)}."
    if spec.item_model == "graded":
        words += " b is the mean of an item's thresholds."
    cells = rows(
        [Cell(str(name)) for name in drift["item"]],
        *(
            [numeric(v) for v in drift[name]]
            for name in ("b_before", "b", "b_alone", "a_before", "a", "a_alone")
        ),
        [Cell(chance(v), v) for v in drift["p_b"]],
        [Cell(chance(v), v) for v in drift["p_a"]],
        [numeric(v, 1) for v in drift["conflict"]],
        [
            Cell(f"{signed(100 * v, 0)} %", v, "failed" if weak else "")
            for v, weak in zip(drift["information_change"], drift["weaker"], strict=True)
        ],
        [
            Cell("drifted" if d else "conflict" if s else "", style="failed" if d or s else "")
            for d, s in zip(drift["drifted"], drift["suspect"], strict=True)
        ],
    )
    columns = (
        Column("Anchor"),
        Column("b before", numeric=True),
        Column("b", numeric=True),
        Column("b alone", numeric=True, hint="by the responses alone, without the prior"),
        Column("a before", numeric=True),
        Column("a", numeric=True),
        Column("a alone", numeric=True, hint="by the responses alone, without the prior"),
        Column("P(b drifted)", numeric=True, hint="probability of a change beyond the threshold"),
        Column("P(a drifted)", numeric=True, hint="probability of a change beyond the threshold"),
        Column(
            "Conflict", numeric=True, hint="of prior and responses; beyond 3 is more than chance"
        ),
        Column("Information", numeric=True, hint="change of the mean over this cohort"),
        Column("Moved"),
    )
    fold = f"Table of all {counted(len(drift), 'anchor')}"
    table = Table("Anchors, the farthest moved first", columns, cells, "Find an anchor", True, fold)
    blocks = (
        Text(words),
        Picture("drift", alt, "How far the anchors moved (the forty that moved most)"),
        Text("The same anchors with their priors across and their posteriors up."),
        Picture("anchor_priors", prior_alt, "Anchors: prior against posterior"),
        table,
    )
    return Section("drift", "Anchors and their drift", blocks)


def agreement_section(run: Compared) -> Section | None:
    """Other methods beside this calibration."""
    compared = run.agreement
    if compared is None:
        return None
    methods = list(dict.fromkeys([*compared.summary["first"], *compared.summary["second"]]))
    words = (
        f"{listed(methods)} side by side. An item is marked where two methods differ by more than "
        f"{run.spec.agreement:g} in a or b (outside the grey band)."
    )
    note = Text(
        "A difference is not an error. Maximum likelihood without item priors (mml, mirt) differs "
        "by more than 0.1 on most items with a few hundred responses merely because nothing pulls "
        "them to the middle; look at the difference in standard deviations, where one below 1 is "
        "within what the responses leave open.",
        tone="aside",
    )
    summary = compared.summary
    cells = rows(
        [f"{x} and {y}" for x, y in zip(summary["first"], summary["second"], strict=True)],
        [f"{v:,}" for v in summary["n"]],
        [number(v, 4) for v in summary["r_a"]],
        [number(v, 4) for v in summary["r_b"]],
        [number(v, 3) for v in summary["a_rms"]],
        [number(v, 3) for v in summary["b_rms"]],
        [str(v) for v in summary["n_flagged"]],
    )
    columns = (
        Column("Methods"),
        Column("Items", numeric=True),
        Column("r of a", numeric=True),
        Column("r of b", numeric=True),
        Column("RMS in a", numeric=True),
        Column("RMS in b", numeric=True),
        Column("Differ", numeric=True),
    )
    alt = "Scatter of a and b by pairs of methods. " + "; ".join(
        f"{row['first']} and {row['second']}: {int(row['n_flagged'])} of {int(row['n'])} differ"
        for _, row in summary.iterrows()
    )
    blocks = (
        Text(words),
        note,
        Table("Agreement of methods", columns, cells),
        Picture("agreement", alt + ".", "Methods against each other"),
        _flags(compared.pairs),
    )
    return Section("agreement", "Agreement of methods", blocks)


def _flags(pairs: pd.DataFrame) -> Table:
    size = pairs[["a_difference", "b_difference"]].abs().max(axis=1)
    order = size.sort_values(ascending=False, kind="stable").index
    listed_pairs = pairs.loc[order].head(SHOWN)
    cells = rows(
        [Cell(str(name)) for name in listed_pairs["item"]],
        [f"{x} – {y}" for x, y in zip(listed_pairs["first"], listed_pairs["second"], strict=True)],
        *(
            [numeric(v, 3, signed) for v in listed_pairs[name]]
            for name in ("a_difference", "a_sds", "b_difference", "b_sds")
        ),
        [Cell("differ" if v else "", style="failed" if v else "") for v in listed_pairs["flagged"]],
    )
    columns = (
        Column("Item"),
        Column("Methods"),
        Column("in a", numeric=True, hint="second less first"),
        Column("in SDs", numeric=True),
        Column("in b", numeric=True, hint="second less first"),
        Column("in SDs", numeric=True),
        Column("Marked"),
    )
    caption = "Differences, the largest first"
    fold = f"Table of the {counted(len(listed_pairs), 'largest difference')}"
    return Table(caption, columns, cells, "Find an item", True, fold)
