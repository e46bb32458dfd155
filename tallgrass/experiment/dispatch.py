"""Submit one run per worker, and the next one as soon as a worker is idle.

If all runs were submitted at once, Dask would assign them to workers before it knows how long they
take (it learns that by task name, and every run has its own). We have seen a worker idle while runs
waited for another worker.
"""

import logging
from collections.abc import Mapping, MutableMapping, Sequence

from distributed import Client, Future, wait

from tallgrass.errors import TallgrassError
from tallgrass.experiment.expansion import PlannedRun
from tallgrass.experiment.live import Board
from tallgrass.experiment.worker import Order, Outcome, carry_out, stop_runs
from tallgrass.tracking import reading

LOST = "its worker was lost, and so were the workers that repeated it"
_POLL_SECONDS = 0.5
_STOP_SECONDS = 60.0  # a stopped run first ends its compilation or report

logger = logging.getLogger(__name__)


def make_runs(
    client: Client,
    orders: Sequence[tuple[PlannedRun, Order]],
    outcomes: MutableMapping[str, Outcome],
    board: Board,
) -> None:
    """Make all runs on the workers, and record their outcomes.

    A run that is compared with another run waits for it, and receives its id.

    Parameters
    ----------
    client : distributed.Client
        A client of the workers.
    orders : sequence of (PlannedRun, Order)
        Each run and its order for a worker; baselines come first.
    outcomes : mapping of str to Outcome
        Outcome of every run by its key; at first those of earlier attempts.
    board : Board
        Shows the runs; it is updated when a run ends.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when the runs in progress have ended and kept their draws.
    """
    waiting = list(orders)
    running: dict[Future[Outcome], str] = {}
    try:
        while waiting or running:
            if waiting:
                _submit(client, waiting, running, outcomes)
            for future in _ended(running):
                key = running.pop(future)
                outcomes[key] = _outcome(future, key)
                board.ended(key, _word(outcomes[key]))
    except BaseException:
        _stop(client, running, outcomes, orders[0][1].attempt)
        raise


def _submit(
    client: Client,
    waiting: list[tuple[PlannedRun, Order]],
    running: dict[Future[Outcome], str],
    outcomes: Mapping[str, Outcome],
) -> None:
    """Submit a run to every idle worker; workers may come and go."""
    free = max(1, len(client.nthreads())) - len(running)
    ready = [pair for pair in waiting if pair[0].baseline is None or pair[0].baseline in outcomes]
    for run, order in ready[: max(0, free)]:
        baseline = outcomes[run.baseline] if run.baseline else None
        key = f"{run.key}-{order.attempt}"
        running[client.submit(carry_out, order, baseline, key=key)] = run.key
        waiting.remove((run, order))


def _ended(running: Mapping[Future[Outcome], str]) -> set[Future[Outcome]]:
    try:
        done = wait(list(running), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return set()
    return set(done)


def _stop(
    client: Client,
    running: Mapping[Future[Outcome], str],
    outcomes: MutableMapping[str, Outcome],
    attempt: str,
) -> None:
    """Make the workers end their runs and keep the draws; a second Ctrl-C does not wait."""
    logger.warning("stopping: runs in progress store their draws (Ctrl-C: do not wait)")
    try:
        client.run(stop_runs, attempt)
        wait(list(running), timeout=_STOP_SECONDS)
    except (Exception, KeyboardInterrupt):
        logger.warning("some runs in progress could not be told to store their draws")
    for future, key in running.items():
        if future.status == "finished":
            outcomes.setdefault(key, _outcome(future, key))
    client.cancel(list(running), force=True)


def _outcome(future: Future[Outcome], key: str) -> Outcome:
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    error = future.exception() if future.status == "error" else None
    return Outcome(key, error=LOST if error is None else f"{LOST} ({type(error).__name__})")


def _word(outcome: Outcome) -> str:
    if outcome.run_id is None:
        return f"error: {outcome.error}"
    try:
        return str(reading.details(outcome.run_id)["tags"].get("verdict", "finished"))
    except TallgrassError as error:  # a word to show is not worth an experiment
        logger.debug("cannot read the verdict of run %s: %s", outcome.run_id, error)
        return "finished"
