# ruff: noqa: RUF001 - Greek letters and the signs of printed arithmetic are meant
"""The section on groups: items that are harder for one group than for another as able."""

import numpy as np

from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.report.page import Cell, Column, Section, Table, Text, numeric, rows
from tallgrass.report.words import counted, number, percent

SHOWN = 40
_MARKS = {"A": "passed", "B": "open", "C": "failed"}


def dif_section(run: CalibrationAnalysis) -> Section | None:
    """Differential item functioning by group; None where it was not asked for."""
    dif = run.dif
    if dif is None:
        return None
    shown = dif.head(SHOWN)
    cells = rows(
        [f"{row['covariate']}:\N{NO-BREAK SPACE}{row['group']}" for _, row in shown.iterrows()],
        list(shown["item"].astype(str)),
        [Cell(f"{x:,} / {y:,}", x) for x, y in zip(shown["n"], shown["n_reference"], strict=True)],
        *(
            [
                Cell(f"{number(x)} ± {number(sd)}" if np.isfinite(sd) else "-", x)
                for x, sd in zip(shown[name], shown[f"{name}_sd"], strict=True)
            ]
            for name in ("b_difference", "a_difference")
        ),
        [_percent(v) for v in shown["p_b"]],
        [_percent(v) for v in shown["p_a"]],
        [Cell(v or "-", style=_MARKS.get(v, "")) for v in shown["severity"]],
        [numeric(v) for v in shown["mh_delta"]],
        [Cell(v or "-", style=_MARKS.get(v, "")) for v in shown["mh_severity"]],
    )
    columns = (
        Column("Group"),
        Column("Item"),
        Column("Answers", numeric=True, hint="of the group / of the reference"),
        Column("Δb", numeric=True, hint="± its standard deviation; above 0: harder for the group"),
        Column("Δa", numeric=True, hint="± its standard deviation"),
        Column("P(|Δb| > 0.3)", numeric=True),
        Column("P(|Δa| > 0.3)", numeric=True),
        Column("Severity", hint="by the model: A negligible, B moderate, C large"),
        Column("MH delta", numeric=True, hint="below 0: harder for the group"),
        Column("MH severity"),
    )
    references = ", ".join(
        f"{name}: {group}"
        for name, group in dif[["covariate", "reference"]].drop_duplicates().itertuples(index=False)
    )
    large = int((dif["severity"] == "C").sum())
    some = int((dif["severity"] == "B").sum())
    left_out = int((~dif["matching"]).sum())
    matched = f"{counted(left_out, 'item')} that differ were" if left_out else "No item was"
    text = Text(
        "Each group is compared with the largest one, users of equal ability with each other "
        f"(reference: {references}). Of {counted(len(dif), 'comparison')} {large} have a large "
        f"difference (C) and {some} a moderate one (B); by chance some B are to be expected. "
        f"{matched} left out of the abilities that users are matched by, for differing (p < 0.01). "
        "Severities are those of ETS, in units of delta = −2.35 a Δb, and by Mantel "
        "and Haenszel beside it."
    )
    more = f", the first {SHOWN} of {len(dif):,}" if len(dif) > SHOWN else ""
    table = Table(
        f"Items by group, the largest differences first{more}",
        columns,
        cells,
        find="Find an item",
        sortable=True,
    )
    return Section("dif", "Groups compared item by item", (text, table))


def _percent(value: float) -> Cell:
    return Cell(percent(value) if np.isfinite(value) else "-", value)
