"""What the report of a calibration is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from tallgrass.inference.diagnostics import Diagnostics, Thresholds, Verdict
from tallgrass.items.agreement import Agreement
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.sources import ResponseLog
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.tables import Calibrated
from tallgrass.machine import Finding

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, eq=False)
class CalibrationInput:
    """One calibration, as the report needs it.

    Parameters
    ----------
    spec : CalibrationSpec
        The parameters.
    responses : Responses
        The responses as modelled.
    log : ResponseLog
        What was read and dropped.
    location : str
        Where they are from, without a password.
    found : Calibrated
        Tables of items and users.
    trace : DataTree
        The draws, or the point estimates.
    diagnostics : Diagnostics, optional
        Convergence diagnostics of draws.
    verdict : Verdict
        The verdict with its checks.
    run_id : str
        MLflow id of the run.
    anchors : Anchors, optional
        Items of known parameters.
    purified : tuple of str
        Anchors dropped because they drifted.
    drift : DataFrame, optional
        The anchors against what they were.
    agreement : Agreement, optional
        This calibration beside other methods.
    notes : sequence of str
        What the engine has to say.
    findings : sequence of Finding
        What was found about the machine.
    thresholds : Thresholds
        What the verdict was judged by.
    timings, environment : mapping
        Seconds by step; versions.
    """

    spec: CalibrationSpec
    responses: Responses
    log: ResponseLog
    location: str
    found: Calibrated
    trace: "DataTree"
    diagnostics: Diagnostics | None
    verdict: Verdict
    run_id: str
    anchors: Anchors | None = None
    purified: tuple[str, ...] = ()
    drift: pd.DataFrame | None = None
    agreement: Agreement | None = None
    notes: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    timings: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
