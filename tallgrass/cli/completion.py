"""The command ``completion``: commands, flags and values that a shell completes at TAB.

The shell calls the program itself, with ``_ARGCOMPLETE`` in the environment, and argcomplete
answers from the same parsers that read the words of a command.
"""

import argparse
import os
from collections.abc import Callable, Mapping

import argcomplete
from argcomplete.shell_integration import shellcode

from tallgrass.cli.parser import Arguments, Parser
from tallgrass.errors import SpecError, nearest

SHELLS = ("bash", "zsh", "fish")
_LINES = {
    "bash": 'eval "$(tallgrass completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(tallgrass completion zsh)" in ~/.zshrc, after compinit',
    "fish": "tallgrass completion fish > ~/.config/fish/completions/tallgrass.fish",
}


def completion(arguments: Arguments) -> int:
    """Print the lines that make a shell complete the words of ``tallgrass``."""
    shell = arguments.operands[0]
    if shell not in SHELLS:
        raise SpecError("unknown shell", shell, nearest(shell, list(SHELLS)))
    print(shellcode(["tallgrass"], shell=shell))
    return 0


def asked() -> bool:
    """Whether a shell asks what a word may be completed to."""
    return "_ARGCOMPLETE" in os.environ


def answer(summaries: Mapping[str, str], parser_for: Callable[[str], Parser]) -> None:
    """Answer the shell, and end the process.

    Parameters
    ----------
    summaries : mapping of str to str
        The commands with what they do.
    parser_for : callable
        The parser of a command; only that of the command on the line is made.
    """
    typed = os.environ.get("COMP_LINE", "").split()[1:2]
    parser = argparse.ArgumentParser("tallgrass", allow_abbrev=False)
    commands = parser.add_subparsers()
    for name, summary in summaries.items():
        parents = [_completed(parser_for(name))] if [name] == typed else []
        commands.add_parser(name, help=summary, parents=parents, add_help=False)
    argcomplete.autocomplete(parser, always_complete_options="long")


def _completed(parser: Parser) -> Parser:
    """The parser, whose flags with choices say them."""
    for action in parser.flag_actions:
        choices = str(action.metavar or "")
        if choices.startswith("{"):
            values = choices.strip("{}").split(",")
            # The documented way to give argcomplete the values of a flag.
            action.completer = lambda values=values, **_: values  # type: ignore[attr-defined]
    return parser
