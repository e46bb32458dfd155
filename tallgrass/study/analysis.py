"""What a run is before it is sampled (Declaration), and what its draws say (Analysis)."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from tallgrass.inference.diagnostics import Diagnostics
from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict import Verdict
from tallgrass.machine import Finding

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class DataSet:
    """The data of a run, as MLflow's dataset column shows them.

    Parameters
    ----------
    name : str
        What people call them.
    fingerprint : str
        SHA-256 (64 hex digits) of all that the model looks at.
    profile : mapping of str to int
        Counts that say how large they are.
    source : str
        Where they are from.
    """

    name: str
    fingerprint: str
    profile: Mapping[str, int]
    source: str


@dataclass(frozen=True)
class Declaration:
    """What is recorded of a run before anything is sampled.

    Parameters
    ----------
    params, tags : mapping of str to value
        Every parameter as it was resolved, and what the run is found by.
    metrics : mapping of str to float
        The numbers among them that people filter and draw by.
    data : DataSet or None
        The data; None for a run that has none of its own.
    texts : mapping of str to str
        Text files by artifact path.
    tables : mapping of str to DataFrame
        Tables by artifact path without its ending.
    """

    params: Mapping[str, object]
    tags: Mapping[str, object]
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: DataSet | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    tables: "Mapping[str, DataFrame]" = field(default_factory=dict)


def environment() -> dict[str, str]:
    """Versions that a report names."""
    return {"Python": platform.python_version(), "tallgrass": version("tallgrass")}


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """What one run says. It is made once: the record, the report, the command and Python read it.

    A wing adds its trace, tables and comparisons, and extends ``tags``, ``metrics``, ``tables``.

    Parameters
    ----------
    run_id : str
        MLflow id of the run.
    diagnostics : Diagnostics or None
        Convergence diagnostics; None where nothing was sampled.
    verdict : Verdict or None
        The verdict with its checks; None for a run that is not judged.
    thresholds : Thresholds
        What the verdict was judged by.
    findings : tuple of Finding
        What was found about the machine before sampling.
    timings : mapping of str to float
        Seconds by step, until the report.
    environment : mapping of str to str
        Versions worth knowing.
    """

    run_id: str
    diagnostics: Diagnostics | None = None
    verdict: Verdict | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    findings: tuple[Finding, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=environment)

    def recorded_tags(self) -> dict[str, object]:
        """Tags that say what came out."""
        if self.verdict is None:
            return {}
        reasons = "; ".join(self.verdict.reasons)
        return {"verdict": self.verdict.status, "verdict.reasons": reasons}

    def recorded_metrics(self) -> dict[str, float]:
        """Every figure under its metric name."""
        if self.diagnostics is None:
            return {}
        return self.diagnostics.metrics(self.thresholds.rhat)

    def recorded_tables(self) -> "dict[str, DataFrame]":
        """Tables by artifact path without its ending, in the order in which they are stored."""
        if self.diagnostics is None:
            return {}
        return {"tables/diagnostics": self.diagnostics.table}

    def recorded_long_tables(self) -> "dict[str, DataFrame]":
        """Tables with tens of thousands of rows, by artifact path without its ending.

        They are stored as Parquet alone, where the others are CSV and JSON.
        """
        return {}

    def recorded_files(self) -> dict[str, bytes]:
        """Other files by artifact path."""
        return {}
