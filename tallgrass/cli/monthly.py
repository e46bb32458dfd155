"""The command ``monthly``: the job of a month on an item bank, for a scheduler.

Exit statuses: 0 done (and published, where asked), 2 the job is set up wrongly (to repeat it is of
no use), 3 the month did not pass or was not published (a person must look), others may be tried
again.
"""

from tallgrass.cli.output import as_json, in_browser, records, say, stdout_for_answer, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.items.specs import changed_calibration, load_calibration_spec
from tallgrass.settings import load_settings

OPTIONS = (
    Option(
        "engines",
        "engines, the one whose items count first (default: gibbs,nuts,mml; models other than "
        "2pl: nuts,mml)",
        "LIST",
    ),
    Option("month", "a month such as 2026-10, or last: sets since and until", "MONTH"),
)
NOT_GOOD = 3
_SHOWN = 10


def monthly(arguments: Arguments) -> int:
    """Carry out the job of a month."""
    settings, spec = load_settings(arguments.settings), load_calibration_spec(arguments.run)
    flags = arguments.options
    with stdout_for_answer(arguments.json):
        from tallgrass.items.monthly import engines_of, of_month, run_month

        if month := flags.get("month"):
            if spec.since or spec.until:
                raise SpecError("month sets since and until", month, "leave them out")
            spec = changed_calibration(spec, of_month(month))
        given = flags.get("engines") or ",".join(engines_of(spec))
        engines = [part.strip() for part in given.split(",")]
        done = run_month(spec, settings, engines)
    changed = None if done.changes is None else done.changes[done.changes["change"] != ""]
    if arguments.json:
        answer = {
            "run_id": done.run_id,
            "verdict": done.status,
            "published": done.published,
            "refused": done.reason,
            "changes": None if changed is None else records(changed),
            "engines": {name: r.run_id for name, r in done.compared.results.items()},
            "report_path": done.report_path,
        }
        print(as_json(answer))
        return 0 if done.good else NOT_GOOD
    say("", f"Run {done.run_id}", f"Verdict: {done.status}")
    if spec.publish:
        say(
            f"Not published: {done.reason}"
            if done.reason
            else f"Published {done.published:,} items"
        )
    if changed is None:
        say("This is the first month: nothing to compare with")
    elif changed.empty:
        say("No item changed since the month before")
    else:
        say(f"{len(changed):,} items changed since the month before:")
        names = ("item", "change", "b_before", "b", "a_before", "a")
        rows = [
            [f"{row[n]:.3f}" if isinstance(row[n], float) else row[n] or "-" for n in names]
            for row in records(changed.head(_SHOWN))
        ]
        table([name.replace("_", " ") for name in names], rows)
    url = in_browser(next(iter(done.compared.results.values())).ui_url)
    say(f"Report:  {done.report_path}", f"MLflow:  {url}")
    return 0 if done.good else NOT_GOOD
