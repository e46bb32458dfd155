"""The convergence of every variable as the page shows it."""

from typing import TYPE_CHECKING

from tallgrass.report.page import Column, Table, rows
from tallgrass.report.words import number

if TYPE_CHECKING:
    from pandas import DataFrame


def convergence_by_variable(table: "DataFrame") -> Table:
    """The table of :mod:`tallgrass.inference.convergence` as the page shows it."""
    cells = rows(
        list(table["variable"]),
        [f"{v:,}" for v in table["n"]],
        [number(v, 4) for v in table["rhat_max"]],
        list(table["worst"]),
        [number(v, 0) for v in table["ess_bulk_min"]],
        [number(v, 0) for v in table["ess_tail_min"]],
        [number(v, 0) for v in table["ess_per_chain_min"]],
        [str(v) for v in table["n_over"]],
    )
    columns = (
        Column("Variable"),
        Column("Entries", numeric=True),
        Column("Highest R-hat", numeric=True),
        Column("Worst entry"),
        Column("Bulk ESS, lowest", numeric=True),
        Column("Tail ESS, lowest", numeric=True),
        Column("ESS of one chain, lowest", numeric=True),
        Column("Not passing", numeric=True),
    )
    return Table("Convergence by variable", columns, cells)
