# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""The sections that check a calibration: drift, methods, fit, convergence, data, environment."""

from typing import Protocol

import pandas as pd

from tallgrass import summaries
from tallgrass.calibration import Agreement
from tallgrass.calibration_spec import CalibrationSpec
from tallgrass.report.calibration_inputs import CalibrationInput
from tallgrass.report.page import (
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    numeric,
    rows,
    two_columns,
)
from tallgrass.report.words import chance, counted, listed, number, shortened, signed
from tallgrass.store import masked


class Compared(Protocol):
    """What a comparison of methods needs of a run."""

    @property
    def spec(self) -> CalibrationSpec:
        """The parameters."""

    @property
    def agreement(self) -> Agreement | None:
        """The methods pair by pair."""


MISFIT_Z = 3.0
SHOWN = 200
DROPPED_SHOWN = 2000


def drift_section(run: CalibrationInput) -> Section | None:
    """The anchors: what they were, what they are, and how surely they moved."""
    drift, spec = run.drift, run.spec
    if drift is None or drift.empty:
        return None
    moved = drift[drift["drifted"] | drift["suspect"]]
    held = spec.engine != "mml"
    words = (
        f"An anchor drifted when its b moved by more than {spec.drift_b:g} or its a by more than "
        f"{spec.drift_a:g} (grey band). "
    )
    if held:
        words += (
            "A filled mark is the estimate, which the anchor's tight prior holds near its old "
            "value; an open diamond is what the responses alone say. Where the two disagree by "
            "more than chance allows (conflict beyond 3), the anchor is marked as well, though "
            "its estimate may not have moved far."
        )
    else:
        words += (
            "This engine does not use the anchors: a change of the whole population's ability "
            "moves all of them together, and is not drift of an item."
        )
    names = listed([str(name) for name in moved["item"].head(5)]) or "none"
    alt = (
        f"Change of {len(drift)} anchors in b and a with 95 % intervals; {len(moved)} moved: "
        f"{names}."
    )
    prior_alt = (
        "Anchors before and now: correlation of b "
        f"{number(drift['b_before'].corr(drift['b']), 3)}, "
        f"of a {number(drift['a_before'].corr(drift['a']), 3)}."
    )
    cells = rows(
        [Cell(str(name)) for name in drift["item"]],
        *(
            [numeric(v) for v in drift[name]]
            for name in ("b_before", "b", "b_alone", "a_before", "a", "a_alone")
        ),
        [Cell(chance(v), v) for v in drift["p_b"]],
        [Cell(chance(v), v) for v in drift["p_a"]],
        [numeric(v, 1, signed) for v in _conflict(drift)],
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


def _conflict(drift: pd.DataFrame) -> "pd.Series[float]":
    a, b = drift["conflict_a"], drift["conflict_b"]
    return a.where(b.isna() | (a.abs() > b.abs()), b)


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


def fit_section(run: CalibrationInput) -> Section:
    """Item and person fit."""
    items, users = run.found.items, run.found.users
    misfit = items[(items["infit_z"].abs() > MISFIT_Z) | (items["outfit_z"].abs() > MISFIT_Z)]
    odd = users[(users["outfit_z"].abs() > MISFIT_Z) | (users["infit_z"].abs() > MISFIT_Z)]
    text = Text(
        f"Infit and outfit compare answers with what the model expects; both are about 1 where it "
        f"holds, above 1 answers are more erratic, below 1 less. Estimated abilities lie near the "
        f"answers they come from, so with few responses a user the statistics lie a little below "
        f"1. {counted(len(misfit), 'item is', 'items are')} farther off than chance allows (beyond "
        f"3 standard deviations), and {counted(len(odd), 'user is', 'users are')}."
    )
    names = listed([str(name) for name in misfit["item"].head(5)]) or "none"
    alt = (
        f"Infit from {number(items['infit'].min())} to {number(items['infit'].max())}, outfit from "
        f"{number(items['outfit'].min())} to {number(items['outfit'].max())}. Misfitting: {names}."
    )
    blocks: list[Text | Picture | Table] = [
        text,
        Picture("fit_statistics", alt, "Fit of the items"),
    ]
    if len(odd):
        far = odd["outfit_z"].abs().sort_values(ascending=False, kind="stable").index
        shown = odd.loc[far].head(SHOWN)
        cells = rows(
            [Cell(str(name)) for name in shown["user"]],
            *([numeric(v) for v in shown[name]] for name in ("theta", "infit", "outfit")),
            [Cell(f"{v:,}", v) for v in shown["n"]],
        )
        columns = (
            Column("User"),
            Column("Ability", numeric=True),
            Column("Infit", numeric=True),
            Column("Outfit", numeric=True),
            Column("Responses", numeric=True),
        )
        fold = f"Table of {counted(len(shown), 'user')} whose answers do not fit"
        caption = "Users whose answers fit the model least"
        blocks.append(Table(caption, columns, cells, "Find a user", True, fold))
    return Section("fit", "Fit of items and users", tuple(blocks))


def convergence_section(run: CalibrationInput, drawn: set[str]) -> Section | None:
    """R-hat and effective draws, energy, and the worst parameters."""
    if run.diagnostics is None:
        return None
    table = summaries.convergence_table(run.diagnostics, run.thresholds)
    over = int(table["n_over"].sum())
    text = Text(
        f"Every dot is one of {counted(int(table['n'].sum()), 'parameter')}; "
        f"{'all pass' if not over else f'{over} do not pass'}. Dots beyond the dashed lines belong "
        "to parameters on which the chains disagree, or with too few effective draws."
    )
    alt = (
        f"R-hat up to {number(table['rhat_max'].max(), 4)}, effective draws from "
        f"{number(table['ess_bulk_min'].min(), 0)}."
    )
    cells = rows(
        list(table["variable"]),
        [f"{v:,}" for v in table["n"]],
        [number(v, 4) for v in table["rhat_max"]],
        list(table["worst"]),
        [number(v, 0) for v in table["ess_bulk_min"]],
        [number(v, 0) for v in table["ess_tail_min"]],
        [str(v) for v in table["n_over"]],
    )
    columns = (
        Column("Variable"),
        Column("Entries", numeric=True),
        Column("Highest R-hat", numeric=True),
        Column("Worst entry"),
        Column("Bulk ESS, lowest", numeric=True),
        Column("Tail ESS, lowest", numeric=True),
        Column("Not passing", numeric=True),
    )
    blocks: list[Text | Picture | Table] = [
        text,
        Picture("convergence", alt, "Convergence of every parameter"),
        Table("Convergence by variable", columns, cells),
    ]
    if "energy" in drawn:
        ebfmi = listed([number(v) for v in run.diagnostics.ebfmi])
        blocks.append(Picture("energy", f"E-BFMI by chain: {ebfmi}.", "Energy of the draws"))
    blocks.append(
        Picture("traces", "Traces and ranks of the five parameters that did worst.", "Worst traces")
    )
    return Section("convergence", "Convergence diagnostics", tuple(blocks))


def data_section(run: CalibrationInput) -> Section:
    """Which responses went in, and what was dropped."""
    log, responses = run.log, run.responses
    text = Text(
        f"{counted(log.n_rows, 'row')} were read from {shortened(run.location)}; "
        f"{counted(len(responses), 'response')} of {counted(len(responses.users), 'user')} to "
        f"{counted(len(responses.items), 'item')} remain. An item stays with at least "
        f"{counted(log.min_responses, 'response')}."
    )
    pairs = [
        ("Rows without an answer", f"{log.n_missing:,}"),
        (f"Further answers to the same item (kept: {log.duplicates})", f"{log.n_duplicates:,}"),
        ("Items with too few responses", f"{len(log.dropped):,}"),
        ("Users who answered dropped items only", f"{log.n_users_dropped:,}"),
    ]
    blocks: list[Text | Table] = [text, two_columns("Left out", ("Reason", "Left out"), pairs)]
    if log.dropped:
        cells = rows(
            [Cell(one.item) for one in log.dropped[:DROPPED_SHOWN]],
            [Cell(f"{one.n:,}", one.n) for one in log.dropped[:DROPPED_SHOWN]],
        )
        columns = (Column("Item"), Column("Responses", numeric=True))
        fold = f"The full list ({len(log.dropped):,})"
        blocks.append(Table("Items with too few responses", columns, cells, "Find", True, fold))
    words = f"Fingerprint of the responses (SHA-256): {responses.fingerprint}"
    blocks.append(Text(words, tone="aside"))
    return Section("data", "Data and what was left out", tuple(blocks))


def environment_section(run: CalibrationInput) -> Section:
    """The calibration's parameters, its timings and the environment."""
    spec = [(name, masked(str(value))) for name, value in run.spec.model_dump(mode="json").items()]
    blocks = [two_columns("Parameters of the run", ("Parameter", "Value"), spec)]
    if run.timings:
        steps = [
            (name.removesuffix("_s").replace("_", " ").capitalize(), number(value, 1))
            for name, value in run.timings.items()
        ]
        blocks.append(two_columns("Time taken", ("Step", "Seconds"), steps))
    found = [(f.level.capitalize(), f.message) for f in run.findings]
    if found:
        blocks.append(two_columns("The machine", ("Level", "What was found"), found))
    if run.environment:
        blocks.append(two_columns("Environment", ("Name", "Value"), list(run.environment.items())))
    return Section("environment", "Parameters and environment", tuple(blocks))
