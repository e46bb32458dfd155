"""Diagnostics by variable, and the parameters with the worst values."""

import pandas as pd

from tallgrass.inference.diagnostics import Diagnostics
from tallgrass.inference.thresholds import Thresholds


def convergence_table(diagnostics: Diagnostics, thresholds: Thresholds) -> pd.DataFrame:
    """One row for each variable, with the values of its worst entry.

    Columns: variable, n (entries that are not constant), rhat_max, worst (label of that entry),
    n_over (entries that fail one of the R-hat and ESS thresholds), ess_bulk_min, ess_tail_min,
    ess_per_chain_min. R-hat is NaN for a run of one chain; the worst entry is then the one with
    the lowest bulk ESS.
    """
    table = diagnostics.table
    low_ess = table[["ess_bulk", "ess_tail"]].min(axis=1) <= thresholds.ess
    table = table.assign(over=(table["rhat"] >= thresholds.rhat) | low_ess)
    rows = []
    for variable, group in table.groupby("variable", sort=False):
        rows.append(
            {
                "variable": str(variable),
                "n": len(group),
                "rhat_max": group["rhat"].max(),
                "worst": str(_worst_first(group).index[0]),
                "n_over": int(group["over"].sum()),
                "ess_bulk_min": group["ess_bulk"].min(),
                "ess_tail_min": group["ess_tail"].min(),
                "ess_per_chain_min": group["ess_per_chain"].min(),
            }
        )
    return pd.DataFrame(rows)


def worst_parameters(diagnostics: Diagnostics, n: int = 5) -> pd.DataFrame:
    """The ``n`` entries with the highest R-hat, or without one those with the lowest bulk ESS."""
    return _worst_first(diagnostics.table).head(n)


def _worst_first(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["rhat", "ess_bulk"], ascending=[False, True], kind="stable")
