"""Calibrations whose process is gone, prepared again to be finished."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tallgrass.errors import DataError
from tallgrass.inference.summary import names_of
from tallgrass.inputs.paths import as_given_from
from tallgrass.items.declaration import ANCHORS_TAG
from tallgrass.items.drift import undrifted
from tallgrass.items.earlier import calibration_spec
from tallgrass.items.prepare import STORED, other_methods, prepare, read
from tallgrass.items.run import CalibrationStudy
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.specs import changed_calibration, load_calibration_spec
from tallgrass.machine import Finding
from tallgrass.settings import Settings
from tallgrass.tracking.reading import searching
from tallgrass.tracking.store import masked

if TYPE_CHECKING:
    from xarray import DataTree

logger = logging.getLogger(__name__)


def recovered_calibration(
    trace: "DataTree | None",
    run_id: str,
    settings: Settings,
    working_dir: Path,
    findings: tuple[Finding, ...],
    data_sha256: str,
) -> CalibrationStudy:
    """The study of a calibration, its responses and anchors read again.

    Parameters
    ----------
    trace : DataTree or None
        The draws; None for a point estimate, which is made again.
    run_id : str
        The run, which holds the spec.
    working_dir : Path
        Where the run was started: paths of its spec are relative to it.
    findings : tuple of Finding
        What was found about the machine when the run was made.
    data_sha256 : str
        Fingerprint of the run's responses.

    Raises
    ------
    TallgrassError
        When the run holds no spec, the responses cannot be read, or they or the anchors are no
        longer those of the run.
    """
    spec = calibration_spec(run_id)
    if spec is None:
        raise DataError("the run holds no spec of a calibration", run_id)
    located = _located(spec, working_dir)
    data = read(located, settings)
    if data.responses.fingerprint != data_sha256:
        raise DataError("the responses are no longer those of the run", data.location)
    prepared = prepare(located, data, findings, inspect=False)
    held = searching.find_run(run_id).data.tags.get(ANCHORS_TAG)  # of earlier versions nothing
    if held and prepared.anchors is not None and prepared.anchors.fingerprint != held:
        raise DataError(
            "the anchors are no longer those of the run, so that nobody knows what drifted",
            located.anchors or located.anchor_query,
            "calibrate again, or put the earlier anchors back and recover then",
        )
    others = other_methods(located, data.responses.items)
    # The report shows the spec as it was given, and publishing needs the whole address.
    shown = spec.model_copy(update={"responses": located.responses})
    prepared = replace(prepared, spec=shown if "***" in spec.responses else spec)
    anchors = prepared.anchors
    purified: tuple[str, ...] = ()
    if trace is not None and anchors is not None:
        flags = trace["constant_data"]["anchor"].to_numpy().astype(bool)
        in_fit = set(np.asarray(names_of(trace, "item"))[flags])
        purified = tuple(name for name in anchors.items if name not in in_fit)
        anchors = undrifted(anchors, purified) if purified else anchors
        if spec.purify and not purified:
            logger.warning("the run ended before anchors that drifted could be left out")
    return CalibrationStudy(prepared, anchors, others, purified, recovered=trace is not None)


def _located(spec: CalibrationSpec, working_dir: Path) -> CalibrationSpec:
    """The spec with the paths and the address that it had where it was given.

    Raises
    ------
    DataError
        When the address holds a password, which no run stores.
    """
    responses = spec.responses
    if not responses.startswith(STORED):
        responses = as_given_from(working_dir, responses)
    if "***" in responses:
        known = load_calibration_spec().responses
        if masked(known) != responses:
            raise DataError(
                "the password of the responses' database is not stored with a run",
                responses,
                "set TALLGRASS_RESPONSES to the address with its password",
            )
        responses = known
    compared = ",".join(
        f"{name}={as_given_from(working_dir, source)}" for name, source in spec.comparisons.items()
    )
    changes = {
        "responses": responses,
        "anchors": as_given_from(working_dir, spec.anchors),
        "compare": compared,
    }
    return changed_calibration(spec, changes)
