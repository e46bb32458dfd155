"""The last section of every page: parameters, seconds by step, the machine, versions."""

from collections.abc import Mapping, Sequence

from tallgrass.machine import Finding
from tallgrass.report.page import Section, two_columns
from tallgrass.report.words import number

# Of a step whose name does not say what it is.
_NAMES = {"ahead_s": "Of sampling, beside other steps"}


def environment_section(
    parameters: Sequence[tuple[str, str]],
    timings: Mapping[str, float],
    environment: Mapping[str, str],
    findings: Sequence[Finding] = (),
) -> Section:
    """Parameters of the run, its timings, what was found about the machine, and versions.

    Parameters
    ----------
    parameters : sequence of (name, value)
        Without passwords.
    timings : mapping of str to float
        Seconds by step, named ``<step>_s``.
    environment : mapping of str to str
        Versions.
    findings : sequence of Finding
        For a page that has no section of its own for them.
    """
    blocks = [two_columns("Parameters of the run", ("Parameter", "Value"), parameters)]
    if timings:
        steps = [(_step(name), number(seconds, 1)) for name, seconds in timings.items()]
        blocks.append(two_columns("Time taken", ("Step", "Seconds"), steps))
    if findings:
        pairs = [(finding.level.capitalize(), finding.message) for finding in findings]
        blocks.append(two_columns("The machine", ("Level", "What was found"), pairs))
    if environment:
        versions = [(name, str(value)) for name, value in environment.items()]
        blocks.append(two_columns("Environment", ("Name", "Value"), versions, fold="Environment"))
    return Section("environment", "Parameters and environment", tuple(blocks))


def _step(name: str) -> str:
    """The step of a timing: ``save_trace_s`` is "Save trace"."""
    return _NAMES.get(name) or name.removesuffix("_s").replace("_", " ").capitalize()
