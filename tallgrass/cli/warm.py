"""``tallgrass warm``: compile the common models before they are needed."""

from tallgrass.cli.output import as_json, say
from tallgrass.cli.parser import Arguments


def warm(arguments: Arguments) -> int:
    """Compile the models named, or all of them.

    Raises
    ------
    SpecError
        When a name is unknown.
    """
    from tallgrass.lab import warm as lab

    def report(name: str, seconds: float) -> None:
        if not arguments.json:
            say(f"{name:<13}{seconds:5.1f} s")

    took = lab.warm(arguments.operands, report)
    if arguments.json:
        print(as_json({"seconds": took}))
    else:
        say("Compiled: runs of these models start at once on this machine, whatever the data.")
    return 0
