"""Flags that say how a run is called: its name, tags and note."""

import logging
from typing import TYPE_CHECKING

from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError, TallgrassError

if TYPE_CHECKING:
    from tallgrass.study.study import Context

OPTIONS = (
    Option("name", "name of the run (default: made from its parameters)", "TEXT"),
    Option("tag", "tags of the run, as key=value, more of them after commas", "TAGS"),
    Option("note", "a description, shown on the page of the run", "TEXT"),
    Option("log-model", "also store the posterior as an MLflow model, which predicts"),
)
logger = logging.getLogger(__name__)
_NOTE = "mlflow.note.content"  # MLflow shows this tag as the description


def store_model(arguments: Arguments, run_id: str) -> None:
    """Store the posterior of a finished run as an MLflow model, where that was asked for.

    What cannot be stored is a warning: the run is there.
    """
    if arguments.options.get("log-model") != "true":
        return
    from tallgrass.serving import log_model

    try:
        log_model(run_id)
    except TallgrassError as error:
        logger.warning("%s", error)


def context_of(arguments: Arguments) -> "Context":
    """Name and tags of the run.

    Raises
    ------
    SpecError
        When a tag is not written as key=value.
    """
    from tallgrass.study.study import Context

    options = arguments.options
    tags = {}
    for pair in filter(None, options.get("tag", "").split(",")):
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise SpecError("a tag without its value", pair, "write it as key=value")
        tags[key.strip()] = value.strip()
    if note := options.get("note"):
        tags[_NOTE] = note
    return Context(name=options.get("name") or None, tags=tags, last=True)
