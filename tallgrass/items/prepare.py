"""All that can be refused of a calibration is refused here, before a run exists."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError, SpecError
from tallgrass.inference.precision import require_double
from tallgrass.items.covariates import doubtful_items
from tallgrass.items.dif import groups_of
from tallgrass.items.earlier import item_table
from tallgrass.items.engines.family import family_of
from tallgrass.items.publication import check
from tallgrass.items.publish_target import target_of
from tallgrass.items.responses import Anchors
from tallgrass.items.sources import LoadedResponses, ResponseRequest, load_anchors, load_responses
from tallgrass.items.sources.anchors import AnchorColumns, queried_anchors, read_parameters
from tallgrass.items.spec import CalibrationSpec
from tallgrass.machine import Finding, inspect_machine
from tallgrass.settings import Settings
from tallgrass.tracking import reading
from tallgrass.tracking.progress import counting
from tallgrass.tracking.reading.records import artifact

logger = logging.getLogger(__name__)

MEMORY = "memory"  # where responses are that were given
STORED = "run:"  # how a location begins that is the responses of a run
COPY = "data/responses.csv"

MIN_COMMON = 3  # items shared with another method, for a comparison to mean something


@dataclass(frozen=True, eq=False)
class PreparedCalibration:
    """A calibration that is ready to be run."""

    spec: CalibrationSpec
    data: LoadedResponses
    anchors: Anchors | None
    thin_anchors: tuple[str, ...]
    findings: tuple[Finding, ...]


def read(spec: CalibrationSpec, settings: Settings) -> LoadedResponses:
    """Read the responses, with progress.

    Raises
    ------
    DataError
        When they cannot be read, or too few are left.
    """
    if spec.responses.startswith(STORED):
        return with_warnings(responses_of_run(spec, settings), spec)
    with counting(settings.progress, "reading responses") as show:
        return with_warnings(load_responses(request_of(spec), show, settings.limits), spec)


def responses_of_run(spec: CalibrationSpec, settings: Settings) -> LoadedResponses:
    """The responses that an earlier run was given in memory.

    Raises
    ------
    TrackingError
        When there is no such run, or its responses were not given in memory.
    """
    with artifact(spec.responses.removeprefix(STORED), COPY) as (_, path):
        request = replace(request_of(spec), location=str(path))
        loaded = load_responses(request, limits=settings.limits)
        return replace(loaded, location=spec.responses, given=path.read_text("utf-8"))


def with_warnings(loaded: LoadedResponses, spec: CalibrationSpec) -> LoadedResponses:
    """The responses, after saying what may be wrong with them."""
    if loaded.log.n_duplicates:
        logger.warning(
            "%s further answers to the same item left out: the %s one of a user counts",
            f"{loaded.log.n_duplicates:,}",
            spec.duplicates,
        )
    for words in doubtful_items(loaded.responses):
        logger.warning("%s", words)
    return loaded


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
        items=_parts(spec.items),
        ignore=_parts(spec.ignore),
        covariates=(*_parts(spec.covariates), *spec.dif_covariates),
        missing=_parts(spec.missing),
        graded=spec.item_model == "graded",
    )


def _parts(text: str) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def prepare(
    spec: CalibrationSpec,
    data: LoadedResponses,
    known: tuple[Finding, ...] = (),
    inspect: bool = True,
) -> PreparedCalibration:
    """Read the anchors and look at the machine.

    Parameters
    ----------
    known : tuple of Finding
        Findings about the machine that were made before.
    inspect : bool
        Whether to look at the machine; not for draws that are there already.

    Raises
    ------
    TallgrassError
        When an anchor cannot be used, or the machine cannot carry the run.
    """
    if spec.engine == "nuts":
        require_double()
    anchors = _anchors(spec) if spec.has_anchors else None
    if spec.publish:
        check(target_of(spec))
    thin: tuple[str, ...] = ()
    if anchors is not None:
        anchors, thin = _usable_anchors(anchors, data)
    findings = known
    for name in spec.dif_covariates:
        groups_of(groups_by_user(data, name), name)
    if spec.item_model != "2pl":
        family = family_of(spec.item_model, data.responses, None)
        if spec.item_model == "graded" and anchors is not None:
            _require_thresholds(anchors, data.responses.items, family.thresholds)
    if spec.bayesian and inspect:
        n = 2 * len(data.responses.items) + len(data.responses.users)
        findings += inspect_machine(spec.chains, n, spec.most_draws + spec.tune, Path.cwd())
        for finding in findings:
            if finding.level == "fatal":
                raise SpecError(finding.message)
    return PreparedCalibration(spec, data, anchors, thin, findings)


def _require_thresholds(
    anchors: Anchors, items: tuple[str, ...], thresholds: NDArray[np.int64]
) -> None:
    """The anchors must have as many thresholds as their items have now."""
    now = dict(zip(items, thresholds, strict=True))
    for name, before in zip(anchors.items, np.isfinite(anchors.thresholds).sum(1), strict=True):
        if before != now[name]:
            raise DataError(
                f"anchor {name} has {before} thresholds, and its answers need {now[name]}",
                None,
                "an answer that nobody gave now, or new ones: leave it out of the anchors",
            )


def groups_by_user(data: LoadedResponses, name: str) -> "pd.Series[str]":
    """The group of every user by a covariate, in the order of the responses' users.

    Raises
    ------
    DataError
        When there is no such covariate.
    """
    table = data.covariates
    if table is None or name not in table:
        known = [] if table is None else [column for column in table if column != "user"]
        raise DataError(
            f"dif: no covariate {name}", ", ".join(map(str, known)) or None,
            "name a column about the users that is in the responses",
        )  # fmt: skip
    values: pd.Series[str] = table[name]
    return values


def _anchors(spec: CalibrationSpec) -> Anchors:
    columns = AnchorColumns(spec.anchor_item_column, spec.anchor_a_column, spec.anchor_b_column)
    if not spec.anchor_query:
        return load_anchors(spec.anchors, spec.responses, columns, spec.item_model)
    limits = {name: getattr(spec, name) or None for name in ("window", "since", "until")}
    return queried_anchors(
        spec.anchor_query, spec.responses, columns, limits, model=spec.item_model
    )


def other_methods(spec: CalibrationSpec, items: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """The estimates to compare with, by name: files, tables of the database, or runs.

    Raises
    ------
    TallgrassError
        When one cannot be read, or shares too few items with these responses.
    """
    methods = {}
    for name, source in spec.comparisons.items():
        if reading.looks_like_a_run(source) and not Path(source).exists():
            table = item_table(source)
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
        methods[name] = table
    return methods


def _usable_anchors(anchors: Anchors, data: LoadedResponses) -> tuple[Anchors, tuple[str, ...]]:
    """The anchors that are among the items, and those that were dropped with too few responses."""
    present = set(data.responses.items)
    few = {item.item: item.n for item in data.log.dropped}
    absent = [name for name in anchors.items if name not in present and name not in few]
    if absent:
        raise DataError(
            f"{len(absent)} anchors without a response, the first of them",
            absent[0],
            "leave them out of the anchors, or read their responses",
        )
    thin = tuple(name for name in anchors.items if name in few)
    if not thin:
        return anchors, ()
    if len(thin) == len(anchors.items):
        most = max(thin, key=lambda name: few[name])
        raise DataError(
            "every anchor was dropped for too few responses",
            f"{most} with {few[most]} of min_responses={data.log.min_responses}",
            "lower min_responses, or widen the window",
        )
    logger.warning(
        "%d of %d anchors left out, fewer than %d responses: %s",
        len(thin), len(anchors.items), data.log.min_responses, ", ".join(thin[:10]),
    )  # fmt: skip
    kept = [k for k, name in enumerate(anchors.items) if name not in few]
    return anchors.chosen(kept), thin
