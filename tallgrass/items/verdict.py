"""Verdicts of point estimates, and of draws, those of abilities not kept included."""

from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tallgrass.inference.diagnostics import Diagnostics
from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict import Check, Verdict, judge
from tallgrass.items.engines import ItemEstimates


def judge_estimates(estimates: ItemEstimates) -> Verdict:
    """Whether a point estimate converged, and has a standard error for every parameter."""
    unfinished = 0 if estimates.converged else 1
    errors = np.concatenate([estimates.a_sd, estimates.b_sd])
    undefined = int((~np.isfinite(errors)).sum())
    values = np.concatenate([estimates.a, estimates.b, estimates.theta])
    broken = int((~np.isfinite(values)).sum())
    checks = (
        Check("unfinished maximisations", unfinished, 0, "=", not unfinished),
        Check("parameters without a standard error", undefined, 0, "=", not undefined),
        Check("entries that are not finite", broken, 0, "=", not broken),
    )
    failed = any(check.passed is False for check in checks)
    return Verdict("fail" if failed else "pass", checks, estimates.notes)


def with_abilities(verdict: Verdict, rhat: NDArray[np.float64], threshold: float) -> Verdict:
    """The verdict with a check of the abilities, of which only a summary was kept.

    ``rhat`` has shape (n_users,); where one is not defined, the largest is not either.
    """
    worst = float(rhat.max())
    known = bool(np.isfinite(worst))
    passed = worst < threshold if known else None
    check = Check("R-hat max of the abilities", worst if known else None, threshold, "<", passed)
    status: Literal["pass", "fail", "unresolved"] = verdict.status
    if passed is False:
        status = "fail"
    elif passed is None and status == "pass":
        status = "unresolved"
    return replace(verdict, status=status, checks=(*verdict.checks, check))


def judge_draws(diagnostics: Diagnostics, trace: xr.DataTree, thresholds: Thresholds) -> Verdict:
    """The verdict of draws, of abilities too where only their summary was kept."""
    if "theta_summary" not in trace.children:
        return judge(diagnostics, thresholds)
    abilities = trace["theta_summary"].to_dataset()
    broken = abilities["user"].to_numpy()[~np.isfinite(abilities["mean"].to_numpy())]
    names = (*diagnostics.not_finite, *(f"theta[{user}]" for user in broken))
    verdict = judge(replace(diagnostics, not_finite=names), thresholds)
    return with_abilities(verdict, abilities["rhat"].to_numpy(), thresholds.rhat)
