"""Run an experiment, from its declaration to the comparison of its runs."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from tallgrass.errors import SpecError
from tallgrass.escaping import markdown as escaped
from tallgrass.escaping import masked
from tallgrass.experiment import attempts, cluster
from tallgrass.experiment.declaration import Experiment
from tallgrass.experiment.dispatch import LOST, make_runs
from tallgrass.experiment.expansion import PlannedRun, expand
from tallgrass.experiment.expectations import Answer
from tallgrass.experiment.live import Board, board
from tallgrass.experiment.results import Results, gather, record
from tallgrass.experiment.worker import TOPIC, Order, Outcome
from tallgrass.settings import Settings
from tallgrass.study.surroundings import Place, close_orphans, place
from tallgrass.tracking import lifecycle, pages, reading, store, writing
from tallgrass.tracking.writing import ActiveRun

PARENT = {"experiment.role": "parent"}
NAME_TAG = "experiment.name"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How an experiment is run.

    Parameters
    ----------
    scheduler : str or None
        Address of a Dask scheduler; by default workers on this machine.
    workers : int or None
        Number of local workers; by default it depends on the machine.
    resume : bool
        Continue the newest parent run of this experiment: FINISHED runs are not repeated.
    allow_many : bool
        Whether to allow more than 10,000 runs.
    force : bool
        Continue an attempt even where it cannot be seen from here whether it has ended.
    """

    scheduler: str | None = None
    workers: int | None = None
    resume: bool = False
    allow_many: bool = False
    force: bool = False


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """The result of an experiment: its parent run, the answers, and the table of runs."""

    run_id: str
    experiment_id: str
    ui_url: str
    results_url: str
    report_path: str
    answers: Sequence[Answer]
    results: Results
    errors: Mapping[str, str]  # label of a run without result -> reason


def run_experiment(
    experiment: Experiment, settings: Settings, options: Options | None = None
) -> ExperimentResult:
    """Make all runs of an experiment under one parent run, and compare them.

    Raises
    ------
    TallgrassError
        When the experiment, the store, the scheduler or a worker cannot be used.
    KeyboardInterrupt
        After Ctrl-C. Finished runs stay, running ones are KILLED and keep their draws, and the
        parent run has the comparison of the finished runs.
    """
    options = options or Options()
    settings = settings.model_copy(update=dict(experiment.thresholds))
    planned = expand(experiment, settings.data_dir, options.allow_many)
    with place(settings) as run_place:
        store.connect(settings.tracking_uri)
        close_orphans(run_place.state)
        return _run(experiment, settings, options, planned, run_place)


def _run(
    experiment: Experiment,
    settings: Settings,
    options: Options,
    planned: Sequence[PlannedRun],
    run_place: Place,
) -> ExperimentResult:
    name = reading.experiment_in_use(settings.experiment) or experiment.name
    earlier = None
    if options.resume:
        earlier = attempts.earlier(experiment.name, name, run_place.state, options.force)
    with writing.start_run(
        None if store.inside_project() else name,
        experiment.name,
        {**PARENT, NAME_TAG: experiment.name},
        description=_description(experiment),
        resume=earlier,
        state=run_place.state,
    ) as parent:
        run_place.slot.note_run(parent.run_id)
        _declare(parent, experiment, planned)
        outcomes = attempts.finished(parent.run_id, planned)
        try:
            with board(planned, settings.progress) as live:
                for key in outcomes:
                    live.ended(key, "done before")
                missing = [run for run in planned if run.key not in outcomes]
                if missing:
                    _make(missing, outcomes, parent, settings, options, live)
        except BaseException:
            _close_running(parent.run_id, "KILLED", "the experiment was stopped", run_place.state)
            if any(outcome.run_id for outcome in outcomes.values()):
                record(parent, gather(experiment, planned, outcomes, settings.thresholds))
            raise
        _close_running(parent.run_id, "FAILED", LOST, run_place.state)
        if not any(outcome.run_id for outcome in outcomes.values()):
            first = next(iter(outcomes.values()))
            raise SpecError(f"no run of the experiment could be made. The first: {first.error}")
        results = gather(experiment, planned, outcomes, settings.thresholds)
        report_path = record(parent, results)
        labels = {run.key: run.label for run in planned}
        return ExperimentResult(
            run_id=parent.run_id,
            experiment_id=parent.experiment_id,
            ui_url=parent.ui_url,
            results_url=pages.results_page(parent.experiment_id),
            report_path=report_path,
            answers=results.answers,
            results=results,
            errors={labels[o.key]: o.error for o in outcomes.values() if o.error is not None},
        )


def _make(
    missing: Sequence[PlannedRun],
    outcomes: dict[str, Outcome],
    parent: ActiveRun,
    settings: Settings,
    options: Options,
    live: Board,
) -> None:
    """Make every missing run on the workers, and record the outcomes."""
    uri = store.absolute_uri()
    with cluster.workers(options.scheduler, options.workers, len(missing)) as client:
        hosts = cluster.inspect(client, uri, parent.run_id)
        client.subscribe_topic(TOPIC, live.progress)
        orders = _orders(missing, parent, settings, uri, hosts)
        make_runs(client, orders, outcomes, live)


def _orders(
    missing: Sequence[PlannedRun],
    parent: ActiveRun,
    settings: Settings,
    uri: str,
    hosts: Mapping[str, int],
) -> list[tuple[PlannedRun, Order]]:
    """The orders of all runs for the workers."""
    worker_settings = _chosen_settings(settings) | {
        "tracking_uri": uri,
        "experiment": reading.experiment_name(parent.experiment_id),
        "progress": "none",
        "max_concurrent": 0,  # the experiment already occupies a slot
    }
    attempt = uuid4().hex
    return [
        (
            run,
            Order(
                key=run.key,
                label=run.label,
                spec=run.spec.to_json(),
                settings=worker_settings,
                parent=parent.run_id,
                attempt=attempt,
                tallgrass=version("tallgrass"),
                neighbours=hosts,
            ),
        )
        for run in missing
    ]


def _chosen_settings(settings: Settings) -> dict[str, Any]:
    """The settings that differ from their defaults; the worker's environment sets the others."""
    defaults = Settings.model_fields
    chosen = {name: value for name, value in settings if value != defaults[name].default}
    if "data_dir" in chosen:
        chosen["data_dir"] = str(settings.data_dir.absolute())
    return chosen


def _close_running(parent: str, status: Any, reason: str, state: Path) -> None:
    """Close the runs of this attempt whose workers are gone; one that still lives closes its own.

    Workers on other machines cannot be seen, but Dask, whose they were, has lost or ended them.
    """
    for child in writing.children(parent, status="RUNNING"):
        fate, _ = lifecycle.fate_of_tags(child.tags, lifecycle.run_folder(state, child.run_id))
        if fate is not lifecycle.Fate.ALIVE:
            writing.close_dead(child.run_id, status, reason)


def _declare(parent: ActiveRun, experiment: Experiment, planned: Sequence[PlannedRun]) -> None:
    parent.log_params({"experiment": experiment.name, "n_runs": len(planned)})
    # A session may be the address of a database, with a password.
    vary = {name: [_shown(value) for value in values] for name, values in experiment.vary.items()}
    parent.log_params({f"vary.{name}": values for name, values in vary.items()})
    parent.log_params({f"hold.{name}": _shown(v) for name, v in experiment.hold.items()})
    parent.set_tags({"mlflow.note.content": _description(experiment)})
    parent.log_text(masked(experiment.text), "spec/experiment.toml")


def _shown(value: object) -> object:
    return masked(value) if isinstance(value, str) else value


def _description(experiment: Experiment) -> str:
    lines = [f"**{experiment.question}**", "", experiment.hypothesis, ""]
    lines += [f"- {escaped(expectation.words)}" for expectation in experiment.expect]
    return "\n".join(lines).strip() + "\n"
