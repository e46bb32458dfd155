"""What a run of a user's own model gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tallgrass.inference.diagnostics import Diagnostics
    from tallgrass.inference.verdict import Verdict
    from tallgrass.own.analysis import OwnAnalysis
    from tallgrass.own.baseline import BaselineComparison


@dataclass(frozen=True, eq=False)
class ModelResult:
    """What one run gave.

    Parameters
    ----------
    run_id, experiment_id, ui_url, results_url : str
        Where it is in MLflow, and where the table of all runs is.
    timings : dict of str to float
        Seconds by step.
    report_path : str
        Where the HTML report was stored.
    analysis : OwnAnalysis
        What the record and the report read.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 5)
    ...     _ = pm.Normal("y", mu, 1, observed=[1.1, 0.7, 1.4])
    >>> result = tg.sample(model, draws=500)
    >>> list(result.summary["label"])
    ['mu']
    """

    run_id: str
    experiment_id: str
    ui_url: str
    results_url: str
    timings: dict[str, float]
    report_path: str
    analysis: "OwnAnalysis"

    def __repr__(self) -> str:
        return f"ModelResult({self.analysis.name!r}, {self.verdict.status}, run {self.run_id[:8]})"

    @property
    def verdict(self) -> "Verdict":
        """Pass, fail or unresolved, with every check. It says nothing about the model's fit."""
        return self.analysis.verdict

    @property
    def diagnostics(self) -> "Diagnostics":
        """Convergence diagnostics."""
        return self.analysis.diagnostics

    @property
    def trace(self) -> "xr.DataTree":
        """The draws."""
        return self.analysis.trace

    @property
    def summary(self) -> "pd.DataFrame":
        """Mean, standard deviation and narrowest 95 % interval of every entry."""
        return self.analysis.summary

    @property
    def comparison(self) -> "BaselineComparison | None":
        """The run beside its baseline, where it has one."""
        return self.analysis.comparison
