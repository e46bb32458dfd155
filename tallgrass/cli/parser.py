"""Parse flags, which are made from the fields of RunSpec and Settings; errors are one line."""

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tallgrass.cli.used import unused
from tallgrass.errors import SpecError, nearest
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

_METAVARS: dict[Any, str] = {int: "N", float: "X", bool: "{true,false}", Path: "PATH"}
_OPERANDS = {
    "RUN": "id of a run, or its first characters (at least 4)",
    "PROJECT": "a folder with an experiment.toml, or such a file",
    "EXAMPLE": "kansas-like or item-bank (default: a list of them)",
    "FOLDER": "a new folder to write into",
    "FILE": "a NetCDF file with a group posterior, as ArviZ writes it",
    "MODEL": "flat, hierarchical, joint, nuts, gibbs, map or mml (default: all)",
    "SHELL": "bash, zsh or fish",
    "WHAT": "calibration: the engines of item calibration; run: the steps of a run",
}
# The most used flags come first in the help.
FIRST = (
    "responses",
    "engine",
    "session",
    "chamber",
    "model",
    "init",
    "anchors",
    "sampler",
    "draws",
    "tune",
    "chains",
    "seed",
)
_ALL_SETTINGS = (
    "Only settings that this command uses are listed; it takes all: tallgrass run --help."
)
_MOST_DIGITS = 18  # of a whole number; for thousands of digits Python raises its own error


class Option(NamedTuple):
    """A flag of one command that is neither a run parameter nor a setting.

    Without a metavar it is a switch, which is true if present.
    """

    name: str
    help: str
    metavar: str | None = None


class Command(NamedTuple):
    """A command: its function, its line in the help, and its arguments."""

    function: "Callable[[Arguments], int]"
    summary: str
    operands: str = ""  # RUN, [RUN] (optional), RUN... (any number); or none
    takes_run: bool = False  # whether the parameters of a run are flags
    options: tuple[Option, ...] = ()
    spec: type[BaseModel] = RunSpec  # the model of these parameters
    also: type[BaseModel] | None = None  # another, whose parameters are taken and not listed


@dataclass(frozen=True)
class Arguments:
    """The arguments of a command, by name. Values are text as typed; models check them."""

    operands: tuple[str, ...] = ()
    run: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    json: bool = False

    def number(self, name: str, default: int, least: int = 1) -> int:
        """The value of an option as a whole number of at least ``least``.

        Raises
        ------
        SpecError
            When it is not such a number.
        """
        text = self.options.get(name)
        if text is None:
            return default
        if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) < least:
            raise SpecError(f"bad value for {name}", text, f"use a whole number from {least}")
        return int(text)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises a SpecError instead of printing and exiting."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.flags = ["--help"]  # the long flags, in the order of the help
        self.flag_actions: list[argparse.Action] = []

    def flag_added(self, action: argparse.Action) -> None:
        """Note a flag that was added, for suggestions and completion."""
        self.flags += action.option_strings
        self.flag_actions.append(action)

    def error(self, message: str) -> NoReturn:
        """Raise the error of argparse."""
        raise SpecError(message, None, f"{self.prog} --help lists the flags")


def parser_of(name: str, command: Command, values: Mapping[str, str] | None = None) -> Parser:
    """The parser of one command, whose help lists its flags with their defaults and choices.

    Parameters
    ----------
    name : str
        The command, as it is typed.
    command : Command
        What it takes.
    values : mapping, optional
        What the parameters of a run are unless a flag replaces them, if not their defaults: those
        of the run that is repeated.
    """
    hidden = unused(name)
    parser = Parser(
        prog=f"tallgrass {name}",
        usage=" ".join(["tallgrass", name, *([command.operands] if command.operands else [])])
        + " [flags]",
        description=command.summary,
        epilog=_ALL_SETTINGS if hidden else None,
        allow_abbrev=False,
        formatter_class=_formatter,
    )
    if command.operands:
        metavar = command.operands.strip("[].")
        parser.add_argument("operands", nargs="*", metavar=metavar, help=_OPERANDS[metavar])
    if command.takes_run:
        _add_fields(parser, "parameters of the run", command.spec, "run.", hidden, values)
        if command.also is not None:
            known = command.spec.model_fields
            other = {n: f for n, f in command.also.model_fields.items() if n not in known}
            _add_flags(parser, "of the other kind", other, "run.", hidden=other)
    for option in command.options:
        action = parser.add_argument(
            "--" + option.name.replace("_", "-"),
            dest="option." + option.name,
            metavar=option.metavar or "{true,false}",
            help=option.help,
        )
        parser.flag_added(action)
    _add_fields(parser, "settings", Settings, "settings.", hidden)
    action = parser.add_argument(
        "--json", dest="json", action="store_true", help="print one JSON object"
    )
    parser.flag_added(action)
    return parser


def parse(parser: Parser, argv: Sequence[str], switches: Sequence[str]) -> Arguments:
    """Read the flags of one command.

    Names may have ``-`` or ``_``, and values follow after ``=`` or as the next word. A flag that is
    true or false may stand alone (``--strict``).

    Raises
    ------
    SpecError
        On an unknown flag (with the nearest known one), or a flag without its value.
    """
    words = [_spelled(word, argv[i + 1 : i + 2], switches) for i, word in enumerate(argv)]
    known, unknown = parser.parse_known_args(words)
    for word in unknown:
        if word.startswith("-"):
            raise SpecError("unknown flag", word.partition("=")[0], nearest(word, parser.flags))
    if unknown:
        raise SpecError("unexpected argument", unknown[0], f"see {parser.prog} --help")
    values = {name: value for name, value in vars(known).items() if value is not None}
    groups: dict[str, dict[str, str]] = {"run": {}, "settings": {}, "option": {}}
    for name, value in values.items():
        group, dot, rest = name.partition(".")
        if dot:
            groups[group][rest] = value
    return Arguments(
        tuple(values.get("operands", ())),
        groups["run"],
        groups["settings"],
        groups["option"],
        values["json"],
    )


def switches_of(command: Command) -> list[str]:
    """The flags of a command that need no value."""
    names = [option.name for option in command.options if option.metavar is None]
    for spec in (command.spec, command.also) if command.takes_run else ():
        fields = {} if spec is None else spec.model_fields
        names += [name for name, field in fields.items() if field.annotation is bool]
    return ["--" + name.replace("_", "-") for name in names]


def _spelled(word: str, following: Sequence[str], switches: Sequence[str]) -> str:
    """The word with dashes in the name of its flag, and ``=true`` after a lone switch."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    name = name.replace("_", "-")
    alone = not following or following[0].lower() not in ("true", "false")
    if name in switches and not equals and alone:
        return f"{name}=true"
    return name + equals + value


def _add_fields(
    parser: Parser,
    title: str,
    model: type[BaseModel],
    prefix: str,
    hidden: Collection[str],
    values: Mapping[str, str] | None = None,
) -> None:
    fields = model.model_fields
    ordered = [*(n for n in FIRST if n in fields), *(n for n in fields if n not in FIRST)]
    _add_flags(parser, title, {name: fields[name] for name in ordered}, prefix, hidden, values)


def _add_flags(
    parser: Parser,
    title: str,
    fields: Mapping[str, FieldInfo],
    prefix: str,
    hidden: Collection[str],
    values: Mapping[str, str] | None = None,
) -> None:
    group = parser.add_argument_group(title)
    for name, declared in fields.items():
        shown = argparse.SUPPRESS if name in hidden else _described(name, declared, values)
        action = group.add_argument(
            "--" + name.replace("_", "-"),
            dest=prefix + name,
            metavar=_metavar(declared.annotation),
            help=shown.replace("%", "%%"),
        )
        parser.flag_added(action)


def _described(name: str, declared: FieldInfo, values: Mapping[str, str] | None) -> str:
    """The description of a field, with what it is unless the flag is given."""
    default = declared.default
    text = declared.description or ""
    if values is not None and name in values:
        return f"{text} (this run: {values[name] or 'none'})"
    if default in (None, ""):
        return text
    return f"{text} (default: {str(default).lower() if isinstance(default, bool) else default})"


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=36)


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "{" + ",".join(map(str, get_args(annotation))) + "}"
    if get_origin(annotation) in (Union, UnionType):
        annotation = get_args(annotation)[0]
    return _METAVARS.get(annotation, "TEXT")
