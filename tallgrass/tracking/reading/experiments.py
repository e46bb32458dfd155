"""The results table of an experiment, and the traces of its runs, read on demand."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tallgrass.errors import TrackingError, nearest
from tallgrass.tracking.reading.comparison import compare, markdown
from tallgrass.tracking.reading.database import Wanted, database_uri, stored_runs
from tallgrass.tracking.reading.records import load_trace
from tallgrass.tracking.reading.searching import FULL_ID, equals, find_run, search

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import DataTree

    from tallgrass.inference.thresholds import Thresholds

_PARENT = "mlflow.parentRunId"


class Traces(Mapping[str, "DataTree"]):
    """The draws of several runs by run id; each is read from the store on access.

    Traces are not kept, so a loop over ``items()`` has only one trace in memory.
    """

    def __init__(self, run_ids: Sequence[str]) -> None:
        self._ids = tuple(dict.fromkeys(str(find_run(run_id).info.run_id) for run_id in run_ids))

    def __getitem__(self, run_id: str) -> "DataTree":
        """The trace of a run, by its id or the beginning of it."""
        matches = [full_id for full_id in self._ids if full_id.startswith(run_id)]
        if len(matches) != 1:
            raise KeyError(run_id)
        return load_trace(matches[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"Traces({', '.join(run_id[:8] for run_id in self._ids)}: each read on access)"


def load_many(run_ids: "Sequence[str] | DataFrame") -> Traces:
    """The traces of several runs, each read on access.

    Parameters
    ----------
    run_ids : sequence of str or DataFrame
        Ids or their beginnings, or a table of runs with a column ``run_id``, as from ``runs``.

    Raises
    ------
    TrackingError
        When a run is unknown. A run without a trace raises on access.

    Examples
    --------
    >>> ids = tg.runs(chamber="senate", limit=2)["run_id"]
    >>> traces = tg.load_many(ids)
    >>> [traces[run_id]["posterior"].sizes["chain"] for run_id in ids]
    [4, 4]
    """
    from pandas import DataFrame

    ids = run_ids["run_id"] if isinstance(run_ids, DataFrame) else run_ids
    return Traces([str(run_id) for run_id in ids])


def table(
    experiment: str, thresholds: "Thresholds | None" = None, *, as_markdown: bool = False
) -> "DataFrame | str":
    """The results table of an experiment: the metrics of its runs, against the thresholds.

    Parameters
    ----------
    experiment : str
        Name of an experiment (its newest attempt counts), or id of its parent run.
    thresholds : Thresholds, optional
        Thresholds of the verdict; by default the usual ones.
    as_markdown : bool
        Return the table as markdown, passing values in bold.

    Raises
    ------
    TrackingError
        When the experiment is unknown or has no finished run.

    Examples
    --------
    >>> table = tg.table("two-starts")  # the experiment in a folder of this name
    >>> "R-hat max" in table.to_string()
    True
    """
    parent = parent_of(experiment)
    conditions = [
        equals(f"tags.`{_PARENT}`", parent),
        "attributes.status = 'FINISHED'",
    ]
    finished = [str(run.info.run_id) for run in search(conditions)]
    if not finished:
        raise TrackingError("an experiment without a finished run", experiment)
    comparison = compare(finished[::-1], thresholds)
    return markdown(comparison) if as_markdown else comparison


def finished_children(parent: str, tags: Collection[str]) -> list[tuple[str, Mapping[str, str]]]:
    """Ids of the finished runs under a parent run, newest first, each with some of its tags.

    Parameters
    ----------
    tags : collection of str
        The tags to read, of a database without everything else.

    Raises
    ------
    TrackingError
        When the store cannot be read or the parent is unknown.
    """
    experiment = str(find_run(parent).info.experiment_id)
    uri = database_uri()
    if uri is None:
        conditions = [equals(f"tags.`{_PARENT}`", parent), "attributes.status = 'FINISHED'"]
        return [(run.info.run_id, run.data.tags) for run in search(conditions, experiment)]
    wanted = Wanted(tags={_PARENT: parent}, status="FINISHED")
    keys = {"params": (), "metrics": (), "tags": tags}
    return [(run.run_id, run.tags) for run in stored_runs(uri, [experiment], keys, wanted)]


def parent_of(experiment: str) -> str:
    """Id of the parent run of an experiment, by the experiment's name or the run's id.

    Raises
    ------
    TrackingError
        When the experiment is unknown.
    """
    is_parent = "tags.`experiment.role` = 'parent'"
    named = [is_parent, equals("tags.`experiment.name`", experiment)]
    newest = next(search(named, page_size=1), None)
    if newest is not None:
        return str(newest.info.run_id)
    if FULL_ID.fullmatch(experiment):
        return str(find_run(experiment).info.run_id)
    known = sorted({run.data.tags["experiment.name"] for run in search([is_parent])})
    raise TrackingError("unknown experiment", experiment, nearest(experiment, known))
