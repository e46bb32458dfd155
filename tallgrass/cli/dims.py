"""``tallgrass dims``: how many dimensions a chamber has."""

import math

from tallgrass.cli.output import as_json, records, say, stdout_for_answer, table
from tallgrass.cli.parser import Arguments
from tallgrass.rollcalls.spec import load_run_spec
from tallgrass.settings import load_settings

_DIGITS = 4


def dims(arguments: Arguments) -> int:
    """Sample one chamber with one and with two dimensions, and say which the votes ask for."""
    from tallgrass.rollcalls.dimensions import compare_dimensions

    settings = load_settings(arguments.settings)
    spec = load_run_spec(arguments.run)
    with stdout_for_answer(arguments.json):
        found = compare_dimensions(spec, settings)
    figures = found.table
    if arguments.json:
        runs = {"one": found.one.run_id, "two": found.two.run_id}
        elpd = {"difference": found.difference, "se": found.se}
        print(as_json({**runs, "elpd": elpd, "table": records(figures), "answer": found.answer}))
        return 0
    say("")
    cells = [
        [what, *("" if math.isnan(x) else f"{x:,.{_DIGITS}g}" for x in (one, two))]
        for what, one, two in figures.to_numpy()
    ]
    table(["what", "one dimension", "two dimensions"], cells)
    say(found.answer, f"Runs: {found.one.run_id} and {found.two.run_id}")
    return 0
