"""Did the chains converge: Diagnostics -> Verdict, with its reasons."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tallgrass.inference.diagnostics import Diagnostics
from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict_box import verdict_box
from tallgrass.rounding import diagnostic

MOST_NAMED = 5  # entries in a reason of the verdict


@dataclass(frozen=True)
class Check:
    """One row of the verdict; ``passed`` is None where the value is not defined."""

    name: str
    value: float | None
    threshold: float
    relation: Literal["<", ">", "="]
    passed: bool | None

    @property
    def text(self) -> str:
        """The value as it is shown everywhere; ``-`` where it is not defined."""
        return "-" if self.value is None else diagnostic(self.value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """Whether a run may be used, and the reasons where it may not."""

    status: Literal["pass", "fail", "unresolved"]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for every check that has not passed, then the notes."""
        sentences = []
        for check in self.checks:
            if check.passed is None:
                sentences.append(f"{check.name} could not be computed")
            elif not check.passed:
                must = {"<": "below", ">": "above", "=": "exactly"}[check.relation]
                sentences.append(
                    f"{check.name} is {check.text}, must be {must} {check.threshold:g}"
                )
        return (*sentences, *self.notes)

    def __repr__(self) -> str:
        because = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"Verdict({self.status}{because})"

    def _repr_html_(self) -> str:
        words = {True: "pass", False: "fail", None: "unresolved"}
        rows = [
            (c.name, c.text, f"{c.relation} {c.threshold:g}", words[c.passed]) for c in self.checks
        ]
        return verdict_box(self.status, rows, self.reasons)


def judge(
    diagnostics: Diagnostics,
    thresholds: Thresholds,
    abs_r: float | None = None,
    least_abs_r: float | None = None,
    no_baseline: str = "",
) -> Verdict:
    """The verdict on a run.

    Parameters
    ----------
    abs_r, least_abs_r : float, optional
        Agreement with the baseline and the value that it must exceed; without a baseline the
        other rows decide, and ``no_baseline`` is added to the notes.
    """
    d = diagnostics
    checks = [
        _check("R-hat max", d.worst("rhat"), "<", thresholds.rhat),
        _check("bulk ESS min", d.worst("ess_bulk"), ">", thresholds.ess),
        _check("tail ESS min", d.worst("ess_tail"), ">", thresholds.ess),
        Check("entries that are not finite", len(d.not_finite), 0, "=", not d.not_finite),
    ]
    if d.reflected is not None:
        checks.append(Check("reflected chains", len(d.reflected), 0, "=", not d.reflected))
    if d.ebfmi:
        checks.insert(3, _check("E-BFMI min", min(d.ebfmi), ">", thresholds.ebfmi))
    if d.divergences:
        # "=" because the threshold of this count is normally zero; a lower count passes too.
        count = sum(d.divergences)
        within = count <= thresholds.divergences
        checks.insert(3, Check("divergences", count, thresholds.divergences, "=", within))
    notes = []
    if d.not_finite:
        more = f" and {len(d.not_finite) - MOST_NAMED} more" * (len(d.not_finite) > MOST_NAMED)
        notes.append(f"NaN or infinite: {', '.join(d.not_finite[:MOST_NAMED])}{more}")
    if abs_r is not None and least_abs_r is not None:
        checks.append(_check("|r| with the baseline", abs_r, ">", least_abs_r))
    elif no_baseline:
        notes.append(no_baseline)
    outcomes = {check.passed for check in checks}
    status: Literal["pass", "fail", "unresolved"] = "pass"
    if False in outcomes:
        status = "fail"
    elif None in outcomes:
        status = "unresolved"
    return Verdict(status, tuple(checks), tuple(notes))


def _check(name: str, value: float, relation: Literal["<", ">"], threshold: float) -> Check:
    if not np.isfinite(value):
        return Check(name, None, threshold, relation, None)
    passed = value < threshold if relation == "<" else value > threshold
    return Check(name, value, threshold, relation, bool(passed))
