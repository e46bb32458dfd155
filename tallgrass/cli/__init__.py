"""The command line: parse, call, exit code.

A command is a function of the parsed arguments that returns the exit status, and an entry in
``COMMANDS``. Exit status: 0, 2 for an error the user can fix, 3 for ``--strict`` with a failed
verdict and for a rejected calibration check, 130 after Ctrl-C, 143 when terminated, 1 for an
unexpected error (with its traceback).
"""

import atexit
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from io import TextIOWrapper
from types import FrameType

from tallgrass.cli import completion, output, places
from tallgrass.cli.command_table import COMMANDS, parser_for
from tallgrass.cli.parser import parse, switches_of
from tallgrass.cli.run import print_rerun_help
from tallgrass.errors import SpecError, TallgrassError, nearest
from tallgrass.escaping import masked
from tallgrass.items.spec import CalibrationSpec
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import warn_of_unknown_variables


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The command and its flags; by default those of the process.
    """
    if argv is None and completion.asked():
        completion.answer({name: one.summary for name, one in COMMANDS.items()}, parser_for)
    words = list(sys.argv[1:] if argv is None else argv)
    signals: list[int] = []
    if argv is None:
        sys.excepthook = output.print_traceback
        _collect_rarely()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # not if a test or notebook replaced it
            # A name with letters that the terminal cannot show must not end the program.
            stream.reconfigure(errors="backslashreplace")
    try:
        with _logging_to_stderr(), _termination_raises(signals):
            return _dispatch(words)
    except TallgrassError as error:
        output.say(f"tallgrass: error: {error}", to=sys.stderr)
        if "--json" in words:
            print(output.as_json({"error": str(error)}))
        places.note_refusal(str(error))
        return 2
    except KeyboardInterrupt:
        output.say("tallgrass: interrupted", to=sys.stderr)
        return 128 + (signals or [signal.SIGINT])[0]
    except BrokenPipeError:
        # The reader of the output is gone (tallgrass runs | head), so Python must not flush to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _collect_rarely() -> None:
    """Look for cycles of garbage now and then only, and no more when the process ends.

    Nearly all that is imported lives as long as the process: looking through it again and again,
    and once more at the end, took half of the time of a command's imports.
    """
    gc.set_threshold(1_000_000, 20, 100)
    atexit.register(gc.freeze)


def _dispatch(words: Sequence[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _print_overview()
        return 0
    name, *rest = words
    if name == "--version":
        print(f"tallgrass {version('tallgrass')}")
        return 0
    if name not in COMMANDS:
        raise SpecError("unknown command", name, nearest(name, list(COMMANDS)))
    command = COMMANDS[name]
    parser = parser_for(name)
    if any(word in ("-h", "--help") for word in rest):
        if name == "rerun":
            print_rerun_help(command, rest)
        else:
            parser.print_help()
        return 0
    arguments = parse(parser, rest, switches_of(command))
    _check_operands(name, command.operands, arguments.operands)
    warn_of_unknown_variables([*RunSpec.model_fields, *CalibrationSpec.model_fields])
    return command.function(arguments)


def _check_operands(name: str, declared: str, operands: Sequence[str]) -> None:
    least = 0 if not declared or declared.startswith("[") else 1
    if not declared.strip("[]").endswith("...") and not least <= len(operands) <= 1:
        operand = "run id" if "RUN" in declared else declared.strip("[]").lower()
        raise SpecError(f"{name} takes one {operand}", " ".join(operands) or None)


def _print_overview() -> None:
    print("usage: tallgrass COMMAND [flags]\n")
    print("Where legislators stand: Bayesian ideal points, every run kept in MLflow.\n")
    for name, command in COMMANDS.items():
        print(f"  {name:<11}{command.summary}")
    print("\ntallgrass COMMAND --help lists its flags. Every flag can also be a variable: --draws")
    print("is TALLGRASS_DRAWS, in the environment or in .env. --json prints one JSON object.")


@contextmanager
def _logging_to_stderr() -> Iterator[None]:
    """Print log messages to standard error; standard output is only for results."""
    logger = logging.getLogger("tallgrass")
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    earlier = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = earlier


class _Lines(logging.Formatter):
    """Plain, escaped lines; levels above info are named."""

    def format(self, record: logging.LogRecord) -> str:
        text = output.printable(masked(record.getMessage()))
        if record.levelno > logging.INFO:
            return f"tallgrass: {record.levelname.lower()}: {text}"
        return text


@contextmanager
def _termination_raises(received: list[int]) -> Iterator[None]:
    """Treat SIGTERM and a closed terminal like Ctrl-C, so that runs are closed; note the signal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt(signal.Signals(number).name)

    handlers = {
        number: signal.signal(number, terminate)
        for name in ("SIGTERM", "SIGHUP")
        if (number := getattr(signal, name, None)) is not None
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
