"""``tallgrass example``: write data to play with."""

from pathlib import Path
from shlex import quote

from tallgrass.cli.output import as_json, say
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError

OPTIONS = (
    Option("folder", "where to write (default: data/NAME)", "FOLDER"),
    Option("seed", "seed of the draw (default: 0)", "N"),
)


def example(arguments: Arguments) -> int:
    """Write the data of an example into a folder, and say what to try; without a name, list them.

    Raises
    ------
    SpecError
        When the example is unknown, or the folder cannot be written.
    """
    from tallgrass.lab.examples import EXAMPLES, write_example

    if not arguments.operands:
        if unused := [name for name in ("folder", "seed") if name in arguments.options]:
            raise SpecError(
                f"{unused[0]} without an example", None, f"name one: {', '.join(EXAMPLES)}"
            )
        if arguments.json:
            print(as_json({"examples": {name: e.summary for name, e in EXAMPLES.items()}}))
        else:
            say(*(f"{name:<12}{e.summary}" for name, e in EXAMPLES.items()))
        return 0
    name = arguments.operands[0]
    folder = Path(arguments.options.get("folder", Path("data", name)))
    seed = arguments.number("seed", 0, least=0)
    written = write_example(name, folder, seed)
    commands = [command.format(folder=quote(str(folder))) for command in EXAMPLES[name].commands]
    if arguments.json:
        print(as_json({"example": name, "folder": folder, "files": written, "try": commands}))
    else:
        say(f"{EXAMPLES[name].summary}, in {folder}", "try:", *(f"  {line}" for line in commands))
    return 0
