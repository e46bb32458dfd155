"""The command ``score``: abilities of new persons by the items of a calibration."""

import time
from pathlib import Path

from tallgrass.cli.output import as_json, say, stdout_for_answer
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.settings import load_settings

OPTIONS = (
    Option("responses", "a CSV, Parquet or JSON file, or a database URL, long or wide", "SOURCE"),
    Option("output", "the file to write (default: scores.csv)", "FILE"),
    Option("methods", "eap, map, wle, with commas (default: eap)", "LIST"),
    Option("prior_mean", "mean of the persons' abilities (default: that of the run)", "X"),
    Option("prior_sd", "their standard deviation (default: that of the run)", "X"),
    Option("table", "table of the database with the responses (default: responses)", "NAME"),
    Option("query", "SQL instead of a table, ordered by person", "SQL"),
    Option("user_column", "column of the persons (default: user)", "NAME"),
    Option("item_column", "column of the items (default: item)", "NAME"),
    Option("response_column", "column of the answers (default: response)", "NAME"),
    Option("ignore", "columns or items to leave out: names or patterns, with commas", "LIST"),
    Option("missing", "texts that stand for no answer: -9,99,.", "LIST"),
)


def score(arguments: Arguments) -> int:
    """Score the persons of some responses and write one row a person."""
    began = time.perf_counter()
    flags = arguments.options
    if not flags.get("responses"):
        raise SpecError("score needs responses", None, "tallgrass score RUN --responses new.csv")
    settings = load_settings(arguments.settings)
    mean, sd = _number(flags, "prior_mean"), _number(flags, "prior_sd")
    if sd is not None and sd <= 0:
        raise SpecError("bad value for prior_sd", sd, "use a number above 0")
    with stdout_for_answer(arguments.json):
        from tallgrass.items import scoring
        from tallgrass.items.sources import ResponseRequest
        from tallgrass.tracking import store
        from tallgrass.tracking.progress import counting

        methods = scoring.methods_of(flags.get("methods", "eap"))
        output = Path(flags.get("output", "scores.csv"))
        request = ResponseRequest(
            location=flags["responses"],
            table=flags.get("table", "responses"),
            query=flags.get("query", ""),
            user=flags.get("user_column", "user"),
            item=flags.get("item_column", "item"),
            response=flags.get("response_column", "response"),
            ignore=_parts(flags.get("ignore", "")),
            missing=_parts(flags.get("missing", "")),
        )
        scoring.require_source(request)
        store.connect(settings.tracking_uri)
        bank = scoring.bank_of_run(arguments.operands[0], mean, sd)
        with counting(settings.progress, "scoring persons") as show:
            scored = scoring.score(bank, request, output, methods, settings.limits, show)
    seconds = time.perf_counter() - began
    population = {"mean": bank.items.mean, "sd": bank.items.sd}
    if arguments.json:
        print(
            as_json(
                {
                    "persons": scored.persons,
                    "answers": scored.answers,
                    "methods": methods,
                    "prior": population,
                    "output": str(scored.output),
                    "seconds": seconds,
                }
            )
        )
        return 0
    say(
        f"Scored {scored.persons:,} persons by {scored.answers:,} answers in {seconds:.1f} s "
        f"({', '.join(methods)}; prior N({population['mean']:.3g}, {population['sd']:.3g}))",
        f"Scores:  {scored.output}",
    )
    return 0


def _parts(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _number(flags: dict[str, str], name: str) -> float | None:
    if name not in flags:
        return None
    try:
        value = float(flags[name])
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e6:
        raise SpecError(f"bad value for {name}", flags[name], "use a number such as 0.5")
    return value
