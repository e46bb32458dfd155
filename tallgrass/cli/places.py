"""Where runs are: a store that is not there, and the experiment of a run by ``mlflow run``."""

import logging
import os

from tallgrass.cli.parser import Arguments
from tallgrass.errors import TrackingError
from tallgrass.settings import Settings, load_settings

_BY_MLFLOW = "Default"  # where MLflow puts what is told no experiment
logger = logging.getLogger(__name__)


def connected(arguments: Arguments) -> Settings:
    """The settings, after a connection to their store."""
    from tallgrass.tracking import store

    settings = load_settings(arguments.settings)
    store.connect(settings.tracking_uri)
    return settings


def readable(arguments: Arguments) -> Settings:
    """The settings, after a connection to their store for reading alone, which is quicker."""
    from tallgrass.tracking import store

    settings = load_settings(arguments.settings)
    if words := no_store(settings):
        raise TrackingError(words[0], None, " ".join(word.strip() for word in words[1:]))
    store.connect_to_read(settings.tracking_uri)
    return settings


def no_store(settings: Settings) -> list[str]:
    """What is said where the chosen store is not there: MLflow would make an empty one."""
    from tallgrass.tracking import store

    file = store.absent_database(settings.tracking_uri)
    if file is None:
        return []
    words = [f"there is no store {file}"]
    from tallgrass.tracking import lifecycle

    if seen := lifecycle.seen_stores(lifecycle.state_dir(settings.state_dir)):
        words.append("runs of yours are in other stores:")
        words += [f"  --tracking-uri {uri}" for uri in seen]
    return words


def place_of_project(experiment_id: str) -> list[str]:
    """Where mlflow run put a run that was told no experiment, and how it comes to the others.

    MLflow makes the run before this program starts, and can move none to another experiment.
    """
    from tallgrass.tracking import pages
    from tallgrass.tracking.reading import searching
    from tallgrass.tracking.writing import EXPERIMENT

    known = searching.experiments()
    if known.get(experiment_id) != _BY_MLFLOW:
        return []
    words = [
        "",
        f"mlflow run put this into the experiment {_BY_MLFLOW}. To have its runs beside those of "
        "tallgrass run:",
        f"  mlflow run . --experiment-name {EXPERIMENT}",
    ]
    if ours := [key for key, name in known.items() if name == EXPERIMENT]:
        words.append(f"Both now: {pages.pages_together([experiment_id, *ours])}")
    return words


def note_refusal(reason: str) -> None:
    """Say on the run that ``mlflow run`` made why nothing came of it; what fails is a warning.

    A run that this program opened says so by itself, and is no longer in the environment.
    """
    from tallgrass.tracking import store

    if not store.inside_project():
        return
    run_id = os.environ["MLFLOW_RUN_ID"]
    try:
        mlflow_client = store.client()
        mlflow_client.set_tag(run_id, "error", reason[:1000])
        mlflow_client.set_tag(run_id, "mlflow.note.content", f"**Not started:** {reason[:1000]}")
    except Exception as error:
        logger.warning("cannot say it on run %s: %s", run_id[:8], error)
