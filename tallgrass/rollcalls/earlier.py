"""Earlier runs on roll calls, read back: their specs and tables, and which to compare with."""

from datetime import datetime
from typing import TYPE_CHECKING

from tallgrass.errors import SpecError
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.tracking.reading import searching
from tallgrass.tracking.reading.listing import listed
from tallgrass.tracking.reading.records import SPEC, artifact, stored_table
from tallgrass.tracking.reading.searching import equals, search

if TYPE_CHECKING:
    from pandas import DataFrame


def rerun_spec(run_id: str) -> RunSpec:
    """The RunSpec of a run, for ``fit`` to run the same again.

    Raises
    ------
    TrackingError
        When the run is unknown or holds no spec.
    SpecError
        When the spec is of another version of tallgrass and no longer valid, or the run is a link.
    """
    found = searching.find_run(run_id)
    if found.data.tags.get("model") == "link":
        reference, target = (found.data.params[name] for name in ("reference", "target"))
        raise SpecError(
            "a link of two runs samples nothing that could be run again",
            found.info.run_id,
            f"make it anew with: tallgrass link {reference} {target}",
        )
    with artifact(run_id, SPEC) as (_, path):
        return RunSpec.from_json(path.read_text("utf-8"))


def ideal_points(run_id: str) -> "DataFrame":
    """The table of ideal points of a run, one row a legislator, as the run stored it.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    return stored_table(run_id, "tables/ideal_points.json")


def rollcalls_table(run_id: str) -> "DataFrame":
    """The table of roll calls of a run, one row a roll call, as the run stored it.

    Raises
    ------
    TrackingError
        When the run is unknown or has no such table.
    """
    return stored_table(run_id, "tables/rollcalls.json")


def find_baseline(data_sha256: str, spec: RunSpec) -> str | None:
    """The run that a new run of ``spec`` on this data is compared with, or None.

    The newest promoted run on the same data; without one, the newest run on it that passed its
    verdict with another sampler or model. Only finished runs count, so never a run in progress.
    """
    same = [equals("tags.`data.sha256`", data_sha256), "attributes.status = 'FINISHED'"]
    promoted = next(search([*same, "tags.baseline = 'true'"]), None)
    if promoted is not None:
        return str(promoted.info.run_id)
    for run in search([*same, "tags.verdict = 'pass'"]):
        method = run.data.params.get("sampler"), run.data.params.get("model")
        if method != (spec.sampler, spec.model):
            return str(run.info.run_id)
    return None


def find_flat(data_sha256: str) -> str | None:
    """The newest finished run of the flat model on this data that passed its verdict, or None."""
    return find_passed(data_sha256, "flat")


def find_passed(data_sha256: str, model: str) -> str | None:
    """The newest finished run of a model on this data that passed its verdict, or None."""
    passed = search(
        [
            equals("tags.`data.sha256`", data_sha256),
            "attributes.status = 'FINISHED'",
            "tags.verdict = 'pass'",
            equals("params.model", model),
        ]
    )
    return next((str(run.info.run_id) for run in passed), None)


def runs(  # noqa: PLR0913 - every one is a filter, and is named
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
    """The runs of the store as a table, the newest first, whichever experiment they are in.

    Parameters
    ----------
    experiment : str, optional
        Name or id of an experiment.
    session : str, optional
        As it was given to the run, or as the data calls itself.
    verdict : str, optional
        pass, fail or unresolved.
    status : str, optional
        MLflow's status: FINISHED, FAILED, KILLED or RUNNING.
    filter : str, optional
        An MLflow filter string, such as ``metrics.rhat_max < 1.01``.
    since, until : datetime or str, optional
        Only runs that started then or later, then or earlier; a text is read as a time in UTC
        (``2026-03-01``, ``2026-03-01T12:00``).
    parent : str, optional
        Id of the parent run of an experiment, or its beginning: only the runs under it.
    limit : int, optional
        The most rows to return.
    **parameters : str or number
        Any parameter of a run by its name: ``chamber="senate"``, ``sampler="pymc"``.

    Returns
    -------
    DataFrame
        One row a run (the parent runs of experiments are none): id, name, status, times (UTC),
        every run parameter with its type, verdict, the headline metrics, ``promoted`` (bool),
        fingerprints. What a run lacks is missing.

    Raises
    ------
    TrackingError
        On an unknown parameter, status or experiment, or when MLflow refuses the filter.
    """
    fields = {name: field.annotation for name, field in RunSpec.model_fields.items()}
    return listed(
        fields,
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
