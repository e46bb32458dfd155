"""Read earlier runs on roll calls: their specs and tables, and which to compare with."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tallgrass.errors import SpecError, TrackingError
from tallgrass.rollcalls.anchor_text import EARLIER
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.study.model_file import from_store
from tallgrass.tracking.reading import searching, unmatched
from tallgrass.tracking.reading.listing import listed, records
from tallgrass.tracking.reading.records import SPEC, artifact, stored_table
from tallgrass.tracking.reading.searching import equals, search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pandas import DataFrame

    from tallgrass.rollcalls.identity import Identity


def rerun_spec(run_id: str) -> RunSpec:
    """The RunSpec of a run, with which ``fit`` repeats it.

    Raises
    ------
    TrackingError
        When the run is unknown or has no spec.
    SpecError
        When the spec is from another version of tallgrass and not valid now, or the run is a link.

    Examples
    --------
    >>> run_id = tg.runs(chamber="senate", limit=1)["run_id"].iloc[0]
    >>> tg.rerun_spec(run_id).chamber
    'senate'
    """
    from tallgrass.rollcalls.memory import SESSION, STORED

    run = searching.find_run(run_id)
    if run.data.tags.get("model") == "link":
        reference, target = (run.data.params[name] for name in ("reference", "target"))
        raise SpecError(
            "a link of two runs samples nothing that could be run again",
            run.info.run_id,
            f"make it anew with: tallgrass link {reference} {target}",
        )
    with artifact(run_id, SPEC) as (_, path):
        spec = stored_spec(path.read_text("utf-8"))
    if spec.session == SESSION:  # its votes are kept with it
        return spec.model_copy(update={"session": f"{STORED}{run.info.run_id}"})
    return spec


def stored_spec(text: str) -> RunSpec:
    """The spec of a stored run, with the filters and anchors of its version.

    The name of a model in a file is marked, so that its code does not run.

    Raises
    ------
    SpecError
        When it is not valid now.
    """
    fields = json.loads(text)
    if isinstance(fields, dict):
        # Version 0.1 filtered once, knew no roll calls of committees, and chose its anchors.
        fields = {"filters": "once", "committee": True, "anchors": EARLIER, **fields}
    spec = RunSpec.from_json(json.dumps(fields))
    return spec.model_copy(update={"model": from_store(spec.model)})


def ideal_points(run_id: str) -> "DataFrame":
    """The stored table of ideal points of a run, one row per legislator.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    return stored_table(run_id, "tables/ideal_points.json")


def rollcalls_table(run_id: str) -> "DataFrame":
    """The stored table of roll calls of a run, one row per roll call.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    return stored_table(run_id, "tables/rollcalls.json")


def find_baseline(data: "Identity", spec: RunSpec) -> str | None:
    """The run with which a new run of ``spec`` on this data is compared, or None.

    This is the newest promoted run on the same data, else the newest run on it that passed its
    verdict with another sampler or model and as many dimensions, else the newest that passed with
    other dimensions. Only finished runs count.
    """
    promoted = next(_on(data, "tags.baseline = 'true'"), None)
    if promoted is not None:
        return str(promoted.info.run_id)
    other_dims = None
    for run in _on(data, "tags.verdict = 'pass'"):
        params = run.data.params
        dims = params.get("dims", "1")  # runs before there were two have no param
        if dims != str(spec.dims):
            other_dims = other_dims or str(run.info.run_id)
        elif (params.get("sampler"), params.get("model")) != (spec.sampler, spec.model):
            return str(run.info.run_id)
    return other_dims


def find_flat(data: "Identity") -> str | None:
    """The newest finished run of the flat model on this data that passed its verdict, or None."""
    return find_passed(data, "flat")


def find_passed(data: "Identity", model: str) -> str | None:
    """The newest finished run of a model on this data that passed its verdict, or None.

    Only runs in one dimension count, because positions are compared.
    """
    for run in _on(data, "tags.verdict = 'pass'", equals("params.model", model)):
        if run.data.params.get("dims", "1") == "1":  # runs before there were two have no param
            return str(run.info.run_id)
    return None


def _on(data: "Identity", *conditions: str) -> "Iterator[Any]":
    """Finished runs on this data, newest first; then those of version 0.1, with equal parties."""
    finished = ["attributes.status = 'FINISHED'", *conditions]
    yield from search([equals("tags.`data.sha256`", data.fingerprint), *finished])
    if not data.former:
        return
    for run in search([equals("tags.`data.sha256`", data.former), *finished]):
        try:
            table = ideal_points(run.info.run_id)
        except TrackingError:  # its files are gone, so nothing says which parties it saw
            continue
        parties = table["party"].fillna("").astype(str)
        if data.same_parties(dict(zip(table["slug"].astype(str), parties, strict=True))):
            yield run


def run_records(**filters: Any) -> list[dict[str, Any]]:
    """The rows of :func:`runs` as plain values, without pandas; the filters are the same."""
    return records(_fields(), **filters)


def why_none(filters: dict[str, Any]) -> list[str]:
    """What no run has of the filters of :func:`runs` that none matched, with the nearest."""
    return unmatched.reasons(_fields(), filters)


def runs(  # noqa: PLR0913 - all are filters, passed by name
    *,
    experiment: str | None = None,
    session: str | None = None,
    verdict: str | None = None,
    status: str | None = None,
    filter: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    parent: str | None = None,
    limit: int | None = None,
    **parameters: object,
) -> "DataFrame":
    """The runs of the store as a table, newest first, from all experiments.

    Parameters
    ----------
    experiment : str, optional
        Name or id of an experiment.
    session : str, optional
        The session as the run was started with, or as the data names it.
    verdict : str, optional
        pass, fail or unresolved.
    status : str, optional
        MLflow's status: FINISHED, FAILED, KILLED or RUNNING.
    filter : str, optional
        An MLflow filter string, such as ``metrics.rhat_max < 1.01``.
    since, until : datetime or str, optional
        Only runs that started at or after ``since``, and at or before ``until``; a text is a time
        in UTC (``2026-03-01``, ``2026-03-01T12:00``).
    parent : str, optional
        Only the runs under this parent run of an experiment; its id or the beginning of it.
    limit : int, optional
        The most rows to return.
    **parameters : str or number
        Any parameter of a run by its name: ``chamber="senate"``, ``sampler="pymc"``.

    Returns
    -------
    DataFrame
        One row per run, without the parent runs of experiments: id, name, status, times (UTC),
        every run parameter with its type, verdict, fit, the headline metrics, ``promoted`` (bool),
        fingerprints. Values that a run does not have are missing.

    Raises
    ------
    TrackingError
        On an unknown parameter, status or experiment, or when MLflow refuses the filter.

    Examples
    --------
    All runs on a senate that started at the first principal component, newest first:

    >>> table = tg.runs(chamber="senate", init="pca")
    >>> bool(table["start_time"].is_monotonic_decreasing)
    True
    """
    return listed(
        _fields(),
        experiment=experiment,
        session=session,
        verdict=verdict,
        status=status,
        filter=filter,
        since=since,
        until=until,
        parent=parent,
        limit=limit,
        **parameters,
    )


def _fields() -> dict[str, Any]:
    return {name: field.annotation for name, field in RunSpec.model_fields.items()}
