"""Which run goes to the workers when: one for each of them, the next as soon as one has ended.

Given all runs at once, Dask places them before it can know how long any takes (it learns that by
names of tasks, and no two runs have one in common); a worker was seen idle while runs waited for
another one.
"""

import logging
from collections.abc import Mapping, MutableMapping, Sequence

from distributed import Client, Future, wait

from tallgrass.experiment.expansion import PlannedRun
from tallgrass.experiment.live import Board
from tallgrass.experiment.worker import Order, Outcome, carry_out, stop_runs
from tallgrass.tracking import reading

LOST = "its worker was lost, and so were those that repeated it"
_POLL_SECONDS = 0.5
_STOP_SECONDS = 60.0  # a run that compiles or reports when it is stopped ends that first

logger = logging.getLogger(__name__)


def make_runs(
    client: Client,
    orders: Sequence[tuple[PlannedRun, Order]],
    outcomes: MutableMapping[str, Outcome],
    shown: Board,
) -> None:
    """Have all runs made; outcomes are noted as they come.

    A run that is compared with another waits for it, and receives its id.

    Parameters
    ----------
    client : distributed.Client
        Of the workers.
    orders : sequence of (PlannedRun, Order)
        Each run, and what a worker is told of it; those that others are compared with first.
    outcomes : mapping of str to Outcome
        What became of every run by its key; holds those that were made before.
    shown : Board
        Told of every run that has ended.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when the runs under way have ended with the draws they had.
    """
    left = list(orders)
    under_way: dict[Future[Outcome], str] = {}
    try:
        while left or under_way:
            if left:
                _submit(client, left, under_way, outcomes)
            for future in _ended(under_way):
                key = under_way.pop(future)
                outcomes[key] = _outcome(future, key)
                shown.ended(key, _word(outcomes[key]))
    except BaseException:
        _stop(client, under_way, outcomes, orders[0][1].parent)
        raise


def _submit(
    client: Client,
    left: list[tuple[PlannedRun, Order]],
    under_way: dict[Future[Outcome], str],
    outcomes: Mapping[str, Outcome],
) -> None:
    """Submit as many runs as there are idle workers; workers may come and go."""
    free = max(1, len(client.nthreads())) - len(under_way)
    ready = [one for one in left if one[0].baseline is None or one[0].baseline in outcomes]
    for run, order in ready[: max(0, free)]:
        baseline = outcomes[run.baseline] if run.baseline else None
        key = f"{run.key}-{order.parent}"
        under_way[client.submit(carry_out, order, baseline, key=key)] = run.key
        left.remove((run, order))


def _ended(under_way: Mapping[Future[Outcome], str]) -> set[Future[Outcome]]:
    try:
        done = wait(list(under_way), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return set()
    return set(done)


def _stop(
    client: Client,
    under_way: Mapping[Future[Outcome], str],
    outcomes: MutableMapping[str, Outcome],
    parent: str,
) -> None:
    """Have the workers end their runs with the draws they have; a second Ctrl-C does not wait."""
    logger.warning("stopping: the draws of runs under way are being kept (Ctrl-C: leave them)")
    try:
        client.run(stop_runs, parent)
        wait(list(under_way), timeout=_STOP_SECONDS)
    except (Exception, KeyboardInterrupt):
        logger.warning("some runs under way could not be asked to keep their draws")
    for future, key in under_way.items():
        if future.status == "finished":
            outcomes.setdefault(key, _outcome(future, key))
    client.cancel(list(under_way), force=True)


def _outcome(future: Future[Outcome], key: str) -> Outcome:
    if future.status == "finished":
        found: Outcome = future.result()
        return found
    error = future.exception() if future.status == "error" else None
    return Outcome(key, error=LOST if error is None else f"{LOST} ({type(error).__name__})")


def _word(outcome: Outcome) -> str:
    if outcome.run_id is None:
        return f"error: {outcome.error}"
    return str(reading.details(outcome.run_id)["tags"].get("verdict", "finished"))
