"""The section on pairs of items that depend on each other beyond the ability."""

from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.local_dependence import BY_CHANCE, FEWEST, LIMIT
from tallgrass.report.page import Cell, Column, Section, Table, Text, numeric, rows
from tallgrass.report.words import counted, number, percent

SHOWN = 20


def dependence_section(run: CalibrationAnalysis) -> Section | None:
    """Yen's Q3 of the pairs that are farthest from expectation; None without any pair."""
    found = run.dependence
    if found is None or found.pairs.empty:
        return None
    n = found.n_flagged
    text = Text(
        "Q3 is the correlation of what the answers to two items have beyond the ability (Yen, "
        "1984). It is somewhat below 0 where the model holds, because the ability comes from the "
        f"same answers; z is its distance from that. Of {counted(found.n_pairs, 'pair')} "
        f"{'none is' if not n else f'{n:,} are' if n > 1 else 'one is'} flagged: by {LIMIT:g} or "
        f"more from expectation, and by more than chance gives in {percent(BY_CHANCE)} of "
        "calibrations. Such items share a text, a figure, or an answer that gives another away; "
        "they tell less together than their information says."
        + (f" Not looked at: {found.left_out}." if found.left_out else "")
    )
    shown = found.pairs.head(SHOWN)
    cells = rows(
        list(shown["item"].astype(str)),
        list(shown["other"].astype(str)),
        [numeric(v) for v in shown["q3"]],
        [numeric(v) for v in shown["expected"]],
        [numeric(v, 1) for v in shown["z"]],
        [Cell(f"{v:,}", v) for v in shown["n"]],
        [Cell("yes" if v else "-", style="failed" if v else "") for v in shown["flagged"]],
    )
    columns = (
        Column("Item"),
        Column("With"),
        Column("Q3", numeric=True),
        Column("Expected", numeric=True, hint="where the model holds"),
        Column("z", numeric=True, hint="standard deviations from expectation"),
        Column("Users", numeric=True, hint=f"who answered both; at least {FEWEST}"),
        Column("Flagged"),
    )
    more = f" of {number(found.n_pairs, 0)}" if found.n_pairs > SHOWN else ""
    caption = f"The {counted(len(shown), 'pair')}{more} farthest from expectation"
    table = Table(caption, columns, cells, find="Find an item", sortable=True)
    return Section("dependence", "Items that depend on each other", (text, table))
