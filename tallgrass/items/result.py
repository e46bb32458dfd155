"""What a calibration gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import DataTree

    from tallgrass.inference.diagnostics import Diagnostics
    from tallgrass.inference.verdict import Verdict
    from tallgrass.items.agreement import Agreement
    from tallgrass.items.analysis import CalibrationAnalysis


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """What one calibration gave.

    Parameters
    ----------
    run_id, experiment_id, ui_url : str
        Where it is in MLflow.
    verdict : Verdict
        Pass, fail or unresolved, with every check; of a point estimate, whether it converged.
    items, users : DataFrame
        One row an item, one row a user (see :class:`tallgrass.items.tables.Calibrated`).
    diagnostics : Diagnostics or None
        Convergence diagnostics of draws; None for point estimates.
    trace : DataTree
        The draws; of a point estimate, the estimates.
    drift : DataFrame or None
        The anchors against what they were; None without anchors.
    agreement : Agreement or None
        This calibration beside other methods; None when it was compared with none.
    purified : tuple of str
        Anchors that were dropped because they drifted.
    published : int
        Items written to the database.
    metrics, timings : dict of str to float
        Every figure under its metric name, and seconds by step.
    report_path : str
        Where the HTML report was stored.
    analysis : CalibrationAnalysis
        Every table, as the record and the report read it.

    Examples
    --------
    >>> result = tg.calibrate(tg.CalibrationSpec(engine="map"))  # of simulated answers
    >>> result.verdict.status
    'pass'
    >>> list(result.items.columns[:3])
    ['item', 'a', 'a_sd']
    """

    run_id: str
    experiment_id: str
    ui_url: str
    verdict: "Verdict"
    items: "DataFrame"
    users: "DataFrame"
    diagnostics: "Diagnostics | None"
    trace: "DataTree"
    drift: "DataFrame | None"
    agreement: "Agreement | None"
    purified: tuple[str, ...]
    published: int
    metrics: dict[str, float]
    timings: dict[str, float]
    report_path: str
    analysis: "CalibrationAnalysis"
