"""``tallgrass doctor``: look at what a run needs, one line each."""

from tallgrass.cli.output import as_json, say
from tallgrass.cli.parser import Arguments, Option
from tallgrass.settings import load_settings

OPTIONS = (Option("quick", "leave out the short run"),)
_MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def doctor(arguments: Arguments) -> int:
    """Print what is found as it is found; the status is 2 if something is wrong."""
    from tallgrass.lab.doctor import examine

    settings = load_settings(arguments.settings)
    findings = []
    for finding in examine(settings, sampling=arguments.options.get("quick") != "true"):
        findings.append(finding)
        if not arguments.json:
            mend = f". {finding.mend}" if finding.mend else ""
            say(f"{_MARKS[finding.status]}  {finding.about:<10}{finding.found}{mend}")
    wrong = sum(finding.status == "wrong" for finding in findings)
    if arguments.json:
        print(as_json({"findings": [f._asdict() for f in findings], "wrong": wrong}))
    else:
        say("", f"{wrong} to mend" if wrong else "Runs will work here.")
    return 2 if wrong else 0
