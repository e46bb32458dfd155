"""The fit beside the verdict: its word, and its findings."""

from tallgrass.inference.fit_verdict import FitStatus, FitVerdict
from tallgrass.report.html import Beside
from tallgrass.report.words import listed

_TONES = {"fits": "pass", "questioned": "open", "not checked": "open"}


def fit_beside(fit: FitVerdict, data: str) -> Beside:
    """The word of the fit with its meaning, in the verdict's box; ``data`` names what is fitted."""
    return Beside(fit.status, _TONES[fit.status], _meaning(fit, data))


def fit_findings(fit: FitVerdict) -> tuple[str, ...]:
    """What questions the fit, a finding each, with its name in front."""
    return tuple(
        f"{check.name.capitalize()}: {check.words}"
        for check in fit.checks
        if check.status == "questioned"
    )


def _meaning(fit: FitVerdict, data: str) -> str:
    if fit.status == "questioned":
        names = _named(fit, "questioned")
        return f"The fit to the {data} is in doubt: {names}. The key findings say why."
    if fit.status == "not checked":
        names = _named(fit, "not checked") or "nothing was looked at"
        return f"The fit to the {data} was not checked: {names}."
    return f"The {data} give no reason to doubt the fit. Looked at: {_named(fit, 'fits')}."


def _named(fit: FitVerdict, status: FitStatus) -> str:
    return listed([check.name for check in fit.checks if check.status == status])
