"""The runs of one experiment as its results table, and their traces, opened when they are used."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tallgrass.errors import TrackingError, nearest
from tallgrass.tracking.reading.comparison import compare, markdown
from tallgrass.tracking.reading.records import load_trace
from tallgrass.tracking.reading.searching import FULL_ID, equals, find_run, search

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import DataTree

    from tallgrass.inference.diagnostics import Thresholds


class Traces(Mapping[str, "DataTree"]):
    """The draws of several runs by run id; each is read from the store when it is asked for.

    Nothing is kept: a loop over ``items()`` holds one trace at a time.
    """

    def __init__(self, run_ids: Sequence[str]) -> None:
        self._ids = tuple(dict.fromkeys(str(find_run(one).info.run_id) for one in run_ids))

    def __getitem__(self, run_id: str) -> "DataTree":
        """The trace of a run, by its id or the beginning of it."""
        found = [one for one in self._ids if one.startswith(run_id)]
        if len(found) != 1:
            raise KeyError(run_id)
        return load_trace(found[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


def load_many(run_ids: "Sequence[str] | DataFrame") -> Traces:
    """The traces of several runs, each opened when it is used.

    Parameters
    ----------
    run_ids : sequence of str or DataFrame
        Ids or their beginnings, or a table of runs with a column ``run_id``, as ``runs`` gives.

    Raises
    ------
    TrackingError
        When a run is unknown. A run without a trace is found out when it is used.
    """
    from pandas import DataFrame

    ids = run_ids["run_id"] if isinstance(run_ids, DataFrame) else run_ids
    return Traces([str(one) for one in ids])


def table(
    experiment: str, thresholds: "Thresholds | None" = None, *, as_markdown: bool = False
) -> "DataFrame | str":
    """The results table of an experiment: what its runs measured, against the thresholds.

    Parameters
    ----------
    experiment : str
        Name of an experiment (its newest attempt counts), or id of its parent run.
    thresholds : Thresholds, optional
        The defaults without it.
    as_markdown : bool
        Give the table as markdown, passing values in bold.

    Raises
    ------
    TrackingError
        When there is no such experiment or it has no finished run.
    """
    parent = parent_of(experiment)
    conditions = [
        equals("tags.`mlflow.parentRunId`", parent),
        "attributes.status = 'FINISHED'",
    ]
    finished = [str(run.info.run_id) for run in search(conditions)]
    if not finished:
        raise TrackingError("an experiment without a finished run", experiment)
    compared = compare(finished[::-1], thresholds)
    return markdown(compared) if as_markdown else compared


def parent_of(experiment: str) -> str:
    """Id of the parent run of an experiment, by its name, the run's id or the beginning of it.

    Raises
    ------
    TrackingError
        When there is none.
    """
    is_parent = "tags.`experiment.role` = 'parent'"
    named = search([is_parent, equals("tags.`experiment.name`", experiment)])
    newest = next(named, None)
    if newest is not None:
        return str(newest.info.run_id)
    if FULL_ID.fullmatch(experiment):
        return str(find_run(experiment).info.run_id)
    known = sorted({run.data.tags["experiment.name"] for run in search([is_parent])})
    raise TrackingError("unknown experiment", experiment, nearest(experiment, known))
