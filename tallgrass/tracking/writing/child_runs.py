"""List the runs under a parent run, and close those whose process is gone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from tallgrass.tracking.store import client, translated

# The end of the note that a run gets whose process is gone.
WITHOUT_A_WORD = "ended without a word (killed, or the machine went down)"


class Child(NamedTuple):
    """A run under a parent: its id, MLflow's status, and its tags."""

    run_id: str
    status: str
    tags: Mapping[str, str]


def children(
    parent: str, tags: Mapping[str, str] | None = None, status: str | None = None
) -> list[Child]:
    """The runs under a parent that have the given tags and status, newest first.

    MLflow reads all of what each of them holds: ask for few.

    Raises
    ------
    TrackingError
        When the store cannot be read or the parent is unknown.
    """
    conditions = {"mlflow.parentRunId": parent, **(tags or {})}
    terms = [f"tags.`{name}` = '{value}'" for name, value in conditions.items()]
    condition = " and ".join([*terms, *([f"attributes.status = '{status}'"] if status else [])])
    runs: list[Child] = []
    token: str | None = None
    with translated(f"list the runs under {parent}"):
        experiment = client().get_run(parent).info.experiment_id
        while True:
            page = client().search_runs(
                [experiment], condition, order_by=["start_time DESC"], page_token=token
            )
            runs += [Child(r.info.run_id, r.info.status, r.data.tags) for r in page]
            token = page.token
            if not token:
                return runs


def close_dead(run_id: str, status: Literal["FAILED", "KILLED"], reason: str) -> None:
    """Close a run whose process is gone, with the reason in its tags.

    Raises
    ------
    TrackingError
        When the store cannot be written.
    """
    with translated(f"close run {run_id}"):
        client().set_terminated(run_id, status)
        client().set_tag(run_id, "error", reason)
        if status == "KILLED":
            client().set_tag(run_id, "interrupted_at", datetime.now(UTC).isoformat("T", "seconds"))
