"""The convergence of every variable as the page shows it."""

from typing import TYPE_CHECKING

from tallgrass.inference.thresholds import Thresholds
from tallgrass.report.page import Column, Table, rows
from tallgrass.report.words import measured

if TYPE_CHECKING:
    from pandas import DataFrame


def convergence_by_variable(table: "DataFrame", limits: Thresholds) -> Table:
    """The table of :mod:`tallgrass.inference.convergence` as the page shows it."""
    cells = rows(
        list(table["variable"]),
        [f"{v:,}" for v in table["n"]],
        [measured(v, limits.rhat) for v in table["rhat_max"]],
        list(table["worst"]),
        [measured(v, limits.ess) for v in table["ess_bulk_min"]],
        [measured(v, limits.ess) for v in table["ess_tail_min"]],
        [measured(v) for v in table["ess_per_chain_min"]],
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
