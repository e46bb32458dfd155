"""The sections on the calibration itself: fit, convergence, data, environment."""

from tallgrass.inference.convergence import convergence_table
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.misfit import MISFIT_BY_CHANCE, misfits
from tallgrass.report.convergence import convergence_by_variable
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
from tallgrass.report.words import counted, listed, measured, number, shortened

SHOWN = 200
DROPPED_SHOWN = 2000


def fit_section(run: CalibrationAnalysis) -> Section:
    """Item and person fit."""
    items, users = run.calibrated.items, run.calibrated.users
    misfit, odd = items[misfits(items)], users[misfits(users)]
    text = Text(
        "Infit and outfit compare answers with what the model expects; above 1 answers are more "
        "erratic, below 1 less. Estimated abilities lie near the answers they come from, so both "
        "lie below 1 where the model holds, by more the fewer answers a user gave"
        + (
            f": the deviates (z) are places among answers drawn from the model and estimated "
            f"again. {counted(len(misfit), 'item is', 'items are')} beyond 3 standard deviations "
            f"(by chance about {number(MISFIT_BY_CHANCE * len(items), 1)}), and "
            f"{counted(len(odd), 'user is', 'users are')} (by chance about "
            f"{number(MISFIT_BY_CHANCE * len(users), 0)})."
            if run.fit_is_placed
            else f". Which are farther off than chance allows was not looked at ({_why_not(run)})."
        )
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
            [numeric(v, 1) for v in shown["outfit_z"]],
            [Cell(f"{v:,}", v) for v in shown["n"]],
        )
        columns = (
            Column("User"),
            Column("Ability", numeric=True),
            Column("Infit", numeric=True),
            Column("Outfit", numeric=True),
            Column("Outfit z", numeric=True),
            Column("Responses", numeric=True),
        )
        fold = f"Table of {counted(len(shown), 'user')} whose answers do not fit"
        caption = "Users whose answers fit the model least"
        blocks.append(Table(caption, columns, cells, "Find a user", True, fold))
    return Section("fit", "Fit of items and users", tuple(blocks))


def _why_not(run: CalibrationAnalysis) -> str:
    """Why fit was not placed among what chance gives."""
    return "a draw or an estimate is not finite" if run.spec.places_fit else "fit_checks=false"


def convergence_section(run: CalibrationAnalysis, drawn: set[str]) -> Section | None:
    """R-hat and effective draws, energy, and the worst parameters."""
    if run.diagnostics is None:
        return None
    table = convergence_table(run.diagnostics, run.thresholds)
    over = int(table["n_over"].sum())
    text = Text(
        f"Every dot is one of {counted(int(table['n'].sum()), 'parameter')}; "
        f"{'all pass' if not over else f'{over} do not pass'}. Dots beyond the dashed lines belong "
        "to parameters on which the chains disagree, or with too few effective draws."
    )
    alt = (
        f"R-hat up to {measured(table['rhat_max'].max(), run.thresholds.rhat)}, effective draws "
        f"from {measured(table['ess_bulk_min'].min(), run.thresholds.ess)}."
    )
    blocks: list[Text | Picture | Table] = [
        text,
        Picture("convergence", alt, "Convergence of every parameter"),
        convergence_by_variable(table, run.thresholds),
    ]
    if "energy" in drawn:
        ebfmi = listed([measured(v, run.thresholds.ebfmi) for v in run.diagnostics.ebfmi])
        blocks.append(Picture("energy", f"E-BFMI by chain: {ebfmi}.", "Energy of the draws"))
    blocks.append(
        Picture("traces", "Traces and ranks of the five parameters that did worst.", "Worst traces")
    )
    return Section("convergence", "Convergence diagnostics", tuple(blocks))


def data_section(run: CalibrationAnalysis) -> Section:
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
            [Cell(item.item) for item in log.dropped[:DROPPED_SHOWN]],
            [Cell(f"{item.n:,}", item.n) for item in log.dropped[:DROPPED_SHOWN]],
        )
        columns = (Column("Item"), Column("Responses", numeric=True))
        fold = f"The full list ({len(log.dropped):,})"
        blocks.append(Table("Items with too few responses", columns, cells, "Find", True, fold))
    words = f"Fingerprint of the responses (SHA-256): {responses.fingerprint}"
    blocks.append(Text(words, tone="aside"))
    return Section("data", "Data and what was left out", tuple(blocks))
