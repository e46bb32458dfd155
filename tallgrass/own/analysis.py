"""What the draws of a user's own model say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from tallgrass.inference.convergence import convergence_table, worst_parameters
from tallgrass.inference.diagnostics import Diagnostics
from tallgrass.inference.spec import AUTO
from tallgrass.inference.summary import posterior_summary
from tallgrass.inference.verdict import Verdict
from tallgrass.own.baseline import BaselineComparison
from tallgrass.own.description import Description
from tallgrass.own.extras import Extra
from tallgrass.study.analysis import Analysis

if TYPE_CHECKING:
    from xarray import DataTree

MOST_ROWS = 20_000  # of a table that people read; longer ones are Parquet


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnAnalysis(Analysis):
    """What the draws of one run of a user's own model say.

    Parameters
    ----------
    name : str
        What the model is called.
    trace : DataTree
        The draws.
    description : Description
        What the model is made of.
    parameters : mapping of str to str
        How it was sampled, for the report.
    comparison : BaselineComparison or None
        The run beside its baseline.
    extra : Extra
        Log-likelihood and predictive draws, where they were asked for.
    """

    diagnostics: Diagnostics
    verdict: Verdict
    name: str
    trace: "DataTree"
    description: Description
    parameters: Mapping[str, Any] = field(default_factory=dict)
    comparison: BaselineComparison | None = None
    extra: Extra = field(default_factory=Extra)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Mean, standard deviation and narrowest 95 % interval of every entry."""
        return posterior_summary(self.trace)

    @cached_property
    def convergence(self) -> pd.DataFrame:
        """Diagnostics by variable."""
        return convergence_table(self.diagnostics, self.thresholds)

    @cached_property
    def worst(self) -> pd.DataFrame:
        """The five entries that did worst."""
        return worst_parameters(self.diagnostics)

    def recorded_metrics(self) -> dict[str, float]:
        """Every figure under its metric name."""
        metrics = super().recorded_metrics()
        if self.parameters.get("draws") == AUTO:
            metrics["sampler/draws"] = self.trace["posterior"].sizes["draw"]
        compared = {} if self.comparison is None else self.comparison.metrics
        return {**metrics, **compared, **self.extra.metrics}

    def recorded_tables(self) -> dict[str, pd.DataFrame]:
        """Tables by artifact path."""
        tables = {"tables/convergence": self.convergence}
        if not self._is_long:
            tables |= {"tables/diagnostics": self.diagnostics.table, "tables/summary": self.summary}
        if self.comparison is not None:
            tables["tables/baseline"] = self.comparison.table
        return tables

    def recorded_long_tables(self) -> dict[str, pd.DataFrame]:
        """The long ones among them."""
        if not self._is_long:
            return {}
        return {
            "tables/diagnostics": self.diagnostics.table.reset_index(drop=True),
            "tables/summary": self.summary,
        }

    def recorded_files(self) -> dict[str, bytes]:
        """Predictive draws and the log-likelihood."""
        return {} if self.extra.file is None else {"trace/predictive.nc": self.extra.file}

    @property
    def _is_long(self) -> bool:
        return len(self.summary) > MOST_ROWS
