"""The fit beside the verdict: its word, and its findings."""

from tallgrass.report.html import Beside
from tallgrass.report.words import listed
from tallgrass.rollcalls.fit_verdict import FitStatus, FitVerdict

_TONES = {"fits": "pass", "questioned": "open", "not checked": "open"}


def fit_beside(fit: FitVerdict) -> Beside:
    """The word of the fit with what it means, in the verdict's box."""
    return Beside(fit.status, _TONES[fit.status], _meaning(fit))


def fit_findings(fit: FitVerdict) -> tuple[str, ...]:
    """What questions the fit, a finding each, with its name in front."""
    return tuple(
        f"{check.name.capitalize()}: {check.words}"
        for check in fit.checks
        if check.status == "questioned"
    )


def _meaning(fit: FitVerdict) -> str:
    if fit.status == "questioned":
        names = _named(fit, "questioned")
        return f"The fit to the votes is in doubt: {names}. The key findings say why."
    if fit.status == "not checked":
        names = _named(fit, "not checked") or "nothing was looked at"
        return f"The fit to the votes was not checked: {names}."
    return f"The votes give no reason to doubt the fit. Looked at: {_named(fit, 'fits')}."


def _named(fit: FitVerdict, status: FitStatus) -> str:
    return listed([check.name for check in fit.checks if check.status == status])
