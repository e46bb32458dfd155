"""Flags that say how a run is called: its name, tags and note."""

from typing import TYPE_CHECKING

from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError

if TYPE_CHECKING:
    from tallgrass.study.study import Context

OPTIONS = (
    Option("name", "name of the run (default: made from its parameters)", "TEXT"),
    Option("tag", "tags of the run, as key=value, more of them after commas", "TAGS"),
    Option("note", "a description, shown on the page of the run", "TEXT"),
)
_NOTE = "mlflow.note.content"  # MLflow shows this tag as the description


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
    return Context(name=options.get("name") or None, tags=tags)
