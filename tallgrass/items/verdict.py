"""Verdicts of point estimates, and of abilities whose draws were not kept."""

from dataclasses import replace
from typing import Literal

import numpy as np

from tallgrass.inference.diagnostics import Check, Verdict
from tallgrass.items.engines import ItemEstimates


def judge_estimates(estimates: ItemEstimates) -> Verdict:
    """Whether a point estimate converged, and has a standard error for every parameter."""
    unfinished = 0 if estimates.converged else 1
    errors = np.concatenate([estimates.a_sd, estimates.b_sd])
    undefined = int((~np.isfinite(errors)).sum())
    checks = (
        Check("unfinished maximisations", unfinished, 0, "=", not unfinished),
        Check("parameters without a standard error", undefined, 0, "=", not undefined),
    )
    failed = any(check.passed is False for check in checks)
    return Verdict("fail" if failed else "pass", checks, estimates.notes)


def with_abilities(verdict: Verdict, rhat: float, threshold: float) -> Verdict:
    """The verdict with a check of the abilities, of which only a summary was kept."""
    known = bool(np.isfinite(rhat))
    passed = bool(rhat < threshold) if known else None
    check = Check("R-hat max of the abilities", rhat if known else None, threshold, "<", passed)
    status: Literal["pass", "fail", "unresolved"] = verdict.status
    if passed is False:
        status = "fail"
    elif passed is None and status == "pass":
        status = "unresolved"
    return replace(verdict, status=status, checks=(*verdict.checks, check))
