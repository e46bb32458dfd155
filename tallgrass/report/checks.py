"""The verdict at the head of a page: its words and its checks."""

from collections.abc import Sequence

from tallgrass.inference.verdict import Check, Verdict
from tallgrass.report.html import Beside, Head
from tallgrass.report.page import Cell, Column, Table, rows
from tallgrass.report.words import counted, measured


def verdict_head(
    verdict: Verdict,
    maker: str,
    title: str,
    model: str,
    facts: Sequence[tuple[str, str]],
    beside: Beside | None = None,
    tables: Sequence[Table] = (),
) -> Head:
    """The head of the page of a run that is judged; parameters as those of :class:`Head`."""
    return Head(
        maker=maker,
        title=title,
        model=model,
        status=verdict.status,
        status_words=status_words(verdict),
        reasons=verdict.reasons,
        checks=checks_table(verdict),
        facts=facts,
        beside=beside,
        tables=tables,
    )


def status_words(verdict: Verdict) -> str:
    """How many checks passed, in words."""
    checks = verdict.checks
    failed = sum(check.passed is False for check in checks)
    open_ = sum(check.passed is None for check in checks)
    if failed:
        return f"{failed} of {counted(len(checks), 'check')} did not pass"
    if open_:
        return f"Every check that could be made passed; {open_} could not be made"
    return "Every check passed"


def checks_table(verdict: Verdict) -> Table:
    """The checks of a verdict with their values and thresholds."""
    words = {True: ("pass", "passed"), False: ("fail", "failed"), None: ("not checked", "open")}
    cells = rows(
        [Cell(CHECK_NAMES.get(check.name, check.name)) for check in verdict.checks],
        [
            "not available" if check.value is None else measured(check.value, check.threshold)
            for check in verdict.checks
        ],
        [_must_be(check) for check in verdict.checks],
        [Cell(words[check.passed][0], style=words[check.passed][1]) for check in verdict.checks],
    )
    columns = (
        Column("Check"),
        Column("Value", numeric=True),
        Column("Must be"),
        Column("Result"),
    )
    return Table("Checks behind the verdict", columns, cells)


CHECK_NAMES = {
    "R-hat max": "Highest R-hat",
    "bulk ESS min": "Fewest effective draws (bulk)",
    "tail ESS min": "Fewest effective draws (tail)",
    "divergences": "Divergences",
    "E-BFMI min": "Lowest E-BFMI of a chain",
    "entries that are not finite": "Parameters with draws that are not finite",
    "reflected chains": "Chains that run the other way round",
    "R-hat max of the abilities": "Highest R-hat of the abilities",
    "unfinished maximisations": "Maximisations that stopped before they converged",
    "parameters without a standard error": "Parameters without a standard error",
    "|r| with the baseline": "Correlation with the baseline, |r|",
}


def _must_be(check: Check) -> str:
    words = {"<": "below", ">": "above", "=": "at most" if check.threshold else "exactly"}
    return f"{words[check.relation]} {check.threshold:g}"
