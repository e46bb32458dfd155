"""What a run on roll calls is part of, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xarray import DataTree

    from tallgrass.inference.diagnostics import Diagnostics, Verdict
    from tallgrass.rollcalls.compare import Comparison
    from tallgrass.tracking.progress import Display


@dataclass(frozen=True, eq=False)
class FitResult:
    """What one run gave.

    Parameters
    ----------
    run_id, experiment_id, ui_url, results_url : str
        Where it is in MLflow, and where the table of all runs is.
    verdict : Verdict
        Pass, fail or unresolved, with every check.
    diagnostics : Diagnostics
        Convergence diagnostics.
    trace : DataTree
        The draws.
    comparison : Comparison or None
        Agreement with the baseline, where there is one.
    timings : dict of str to float
        Seconds by step.
    report_path : str
        Where the HTML report was stored.
    """

    run_id: str
    experiment_id: str
    ui_url: str
    results_url: str
    verdict: "Verdict"
    diagnostics: "Diagnostics"
    trace: "DataTree"
    comparison: "Comparison | None"
    timings: dict[str, float]
    report_path: str


def _never() -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Context:
    """What a run is part of: how it is called, tags from its start, and who watches it.

    Parameters
    ----------
    name : str or None
        Name of the MLflow run; made from the spec without it.
    tags : mapping of str to str
        Tags that the run has from its first moment.
    observer : callable or None
        Called with the progress of all chains, in place of a progress display.
    stopped : callable
        Asked a few times a second; once it is true, sampling ends as on Ctrl-C.
    """

    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    observer: "Display | None" = None
    stopped: Callable[[], bool] = _never
