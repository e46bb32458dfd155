"""A run's draws beside those of an earlier run of the same variables."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.inference.labels import entry_names, metric_name
from tallgrass.inference.ranks import rank_diagnostics

if TYPE_CHECKING:
    import xarray as xr

LEAST_FOR_R = 3  # entries; a correlation of two is always 1


@dataclass(frozen=True, eq=False)
class BaselineComparison:
    """How far a run is from its baseline.

    Parameters
    ----------
    run_id : str
        The baseline.
    table : DataFrame
        One row a variable that both have: ``variable``, ``n`` (entries in common), ``abs_r`` (of
        the posterior means; NaN for fewer than three entries), ``diff_sd`` (largest difference of
        means in posterior standard deviations), ``diff_mcse`` (the same in Monte Carlo standard
        errors of the difference).
    """

    run_id: str
    table: pd.DataFrame

    def abs_r(self, variable: str) -> float:
        """|r| of the posterior means of one variable; NaN where it has none."""
        rows = self.table[self.table["variable"] == variable]
        return float(rows["abs_r"].iloc[0]) if len(rows) else np.nan

    @property
    def metrics(self) -> dict[str, float]:
        """The figures by metric name."""
        values = {}
        for row in self.table.to_dict("records"):
            name = metric_name(row["variable"])
            values[f"baseline/{name}_abs_r"] = row["abs_r"]
            values[f"baseline/{name}_diff_sd"] = row["diff_sd"]
            values[f"baseline/{name}_diff_mcse"] = row["diff_mcse"]
        return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def compare(trace: "xr.DataTree", baseline: "xr.DataTree", run_id: str) -> BaselineComparison:
    """Compare the posterior means of every variable that both runs have.

    Entries are matched by their names. The Monte Carlo standard error of a mean is the posterior
    standard deviation over the root of the bulk ESS; that of a difference has both.

    Parameters
    ----------
    trace, baseline : DataTree
        Draws of the run and of its baseline.
    run_id : str
        The baseline's id.
    """
    rows = []
    ours, theirs = trace["posterior"].to_dataset(), baseline["posterior"].to_dataset()
    for name in map(str, ours.data_vars):
        if name not in theirs:
            continue
        joined = _moments(ours[name]).merge(
            _moments(theirs[name]), left_index=True, right_index=True, suffixes=("", "_base")
        )
        joined = joined[(joined["sd"] > 0) & (joined["sd_base"] > 0)]
        if not len(joined):
            continue
        difference = (joined["mean"] - joined["mean_base"]).abs()
        r = np.nan
        if len(joined) >= LEAST_FOR_R:
            r = abs(float(np.corrcoef(joined["mean"], joined["mean_base"])[0, 1]))
        rows.append(
            {
                "variable": name,
                "n": len(joined),
                "abs_r": r,
                "diff_sd": float((difference / joined["sd_base"]).max()),
                "diff_mcse": float(
                    (difference / np.hypot(joined["mcse"], joined["mcse_base"])).max()
                ),
            }
        )
    columns = ["variable", "n", "abs_r", "diff_sd", "diff_mcse"]
    return BaselineComparison(run_id, pd.DataFrame(rows, columns=columns))


def _moments(array: "xr.DataArray") -> pd.DataFrame:
    """Mean, standard deviation and Monte Carlo error of every entry, by its name."""
    draws = array.transpose("chain", "draw", ...)
    flat = draws.to_numpy().astype(float).reshape(*draws.shape[:2], -1)
    sd = flat.std(axis=(0, 1), ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mcse = sd / np.sqrt(rank_diagnostics(flat).ess_bulk)
    columns = {"mean": flat.mean(axis=(0, 1)), "sd": sd, "mcse": mcse}
    return pd.DataFrame(columns, index=entry_names(draws))
