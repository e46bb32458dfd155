"""``tallgrass log``: draws in a NetCDF file, or in CmdStan's CSV files, become a run."""

from pathlib import Path

from tallgrass.cli.output import as_json, say
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.settings import load_settings

OPTIONS = (
    Option("name", "name of the run and its model (default: the file's name)", "TEXT"),
    Option("baseline", "run to compare with: an id, auto (promoted, same name) or none", "RUN"),
    Option("compare", "variable whose |r| with the baseline is part of the verdict", "NAME"),
)


def log(arguments: Arguments) -> int:
    """Store the draws of a file with diagnostics, verdict and report.

    Raises
    ------
    TallgrassError
        When the file cannot be read as draws, or the store cannot be used.
    """
    from tallgrass.own.cmdstan import is_cmdstan
    from tallgrass.own.inference_data import as_trace
    from tallgrass.own.track import check_compared, track
    from tallgrass.tracking import reading, store

    paths, options = [Path(operand) for operand in arguments.operands], arguments.options
    if not paths or (len(paths) > 1 and not all(map(is_cmdstan, paths))):
        raise SpecError(
            "log takes one file of draws, or CmdStan's CSV files of one run",
            ", ".join(arguments.operands) or None,
            "tallgrass log idata.nc, or tallgrass log chain_1.csv chain_2.csv",
        )
    baseline, compare = options.get("baseline", "auto"), options.get("compare", "")
    settings = load_settings(arguments.settings)
    # What can be refused is refused before a run exists.
    trace = as_trace(paths)
    check_compared(compare, trace)
    if baseline not in ("auto", "none"):
        store.connect(settings.tracking_uri)
        baseline = reading.find_run(baseline)
    with track(options.get("name") or paths[0].stem, settings=settings) as run:
        result = run.log_inference_data(trace, baseline=baseline, compare=compare)
    verdict = result.verdict
    if arguments.json:
        answer = {
            "run_id": result.run_id,
            "verdict": verdict.status,
            "reasons": list(verdict.reasons),
            "report_path": result.report_path,
            "ui_url": result.ui_url,
        }
        print(as_json(answer))
    else:
        say(f"Verdict: {verdict.status}", *(f"  {reason}" for reason in verdict.reasons))
        say("", f"Report:  {result.report_path}", f"MLflow:  {result.ui_url}")
    return 0
