"""All that can be refused of a calibration is refused here, before a run exists."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tallgrass import history
from tallgrass.calibration_spec import CalibrationSpec
from tallgrass.errors import DataError, SpecError
from tallgrass.machine import Finding, inspect_machine
from tallgrass.progress import counting
from tallgrass.responses import Anchors
from tallgrass.settings import Settings
from tallgrass.sources.responses import (
    LoadedResponses,
    ResponseRequest,
    load_anchors,
    load_responses,
)
from tallgrass.sources.responses.anchors import read_parameters

MIN_COMMON = 3  # items shared with another method, for a comparison to mean something


@dataclass(frozen=True, eq=False)
class ReadyCalibration:
    """A calibration that is ready to be run."""

    spec: CalibrationSpec
    data: LoadedResponses
    anchors: Anchors | None
    findings: tuple[Finding, ...]


def read(spec: CalibrationSpec, settings: Settings) -> LoadedResponses:
    """Read the responses, with progress.

    Raises
    ------
    DataError
        When they cannot be read, or too few are left.
    """
    with counting(settings.progress, "reading responses") as show:
        return load_responses(request_of(spec), show, settings.limits)


def request_of(spec: CalibrationSpec) -> ResponseRequest:
    """The part of the spec that is about reading."""
    return ResponseRequest(
        location=spec.responses,
        table=spec.table,
        query=spec.query,
        window=spec.window,
        since=spec.since,
        until=spec.until,
        user=spec.user_column,
        item=spec.item_column,
        response=spec.response_column,
        time=spec.time_column,
        window_column=spec.window_column,
        duplicates=spec.duplicates,
        min_responses=spec.min_responses,
    )


def prepare(spec: CalibrationSpec, data: LoadedResponses) -> ReadyCalibration:
    """Read the anchors and look at the machine.

    Raises
    ------
    TallgrassError
        When an anchor cannot be used, or the machine cannot carry the run.
    """
    anchors = load_anchors(spec.anchors, spec.responses) if spec.anchors else None
    if anchors is not None:
        _check_anchors(anchors, data)
    findings: tuple[Finding, ...] = ()
    if spec.bayesian:
        n = 2 * len(data.responses.items) + len(data.responses.users)
        findings = inspect_machine(spec.chains, n, spec.draws + spec.tune, Path.cwd())
        for finding in findings:
            if finding.level == "fatal":
                raise SpecError(finding.message)
    return ReadyCalibration(spec, data, anchors, findings)


def other_methods(spec: CalibrationSpec, items: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """The estimates to compare with, by name: files, tables of the database, or runs.

    Raises
    ------
    TallgrassError
        When one cannot be read, or shares too few items with these responses.
    """
    found = {}
    for name, source in spec.comparisons.items():
        if history.looks_like_a_run(source) and not Path(source).exists():
            table = history.item_table(source)
        else:
            table = read_parameters(source, spec.responses)
        table = table.assign(item=table["item"].astype(str))
        twice = table["item"].duplicated()
        if twice.any():
            raise DataError(f"{name}: an item occurs twice", str(table["item"][twice].iloc[0]))
        common = int(table["item"].isin(items).sum())
        if common < MIN_COMMON:
            raise DataError(
                f"{name} shares too few items with these responses",
                f"{common} of {len(items)}",
                "are they the same items under other names?",
            )
        found[name] = table
    return found


def _check_anchors(anchors: Anchors, data: LoadedResponses) -> None:
    there = set(data.responses.items)
    absent = [name for name in anchors.items if name not in there]
    if not absent:
        return
    thin = {one.item: one.n for one in data.log.dropped}
    if absent[0] in thin:
        raise DataError(
            f"anchor {absent[0]} was dropped for too few responses ({len(absent)} anchors in all)",
            f"{thin[absent[0]]} of min_responses={data.log.min_responses}",
            "lower min_responses, or leave it out of the anchors",
        )
    raise DataError(
        f"{len(absent)} anchors without a response, the first of them",
        absent[0],
        "leave them out of the anchors, or read their responses",
    )
