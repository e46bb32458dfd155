"""Does the model fit: items and users whose answers are farther off than chance allows."""

import pandas as pd
from scipy.stats import poisson

from tallgrass.inference.fit_verdict import FitCheck, FitVerdict, fit_verdict
from tallgrass.items.drift import drifted_anchors
from tallgrass.items.tables import Calibrated

MISFIT_Z = 3.0
# Of items and users simulated from the model 0.5 to 1 % lie beyond it in one of the two: outfit has
# a heavier tail than the normal 0.3 %.
MISFIT_BY_CHANCE = 0.008


def misfits(table: pd.DataFrame) -> "pd.Series[bool]":
    """Items or users whose infit or outfit lies beyond three standard deviations."""
    return (table["infit_z"].abs() > MISFIT_Z) | (table["outfit_z"].abs() > MISFIT_Z)


# More misfits than chance gives once in a hundred calibrations question the fit.
_SURPRISE = 0.01
_MOST_DRIFTED = 0.5  # share of the anchors, beyond which it is not they that moved
_NAMED = 5


def fit_of(calibrated: Calibrated, drift: pd.DataFrame | None) -> FitVerdict:
    """What speaks for and against the model: fit of items, of users, and the anchors."""
    return fit_verdict(
        [
            _misfit_check("items", calibrated.items, "item"),
            _misfit_check("users", calibrated.users, "user"),
            None if drift is None or drift.empty else _anchor_check(drift),
        ]
    )


def _misfit_check(kind: str, table: pd.DataFrame, column: str) -> FitCheck:
    if table[["infit_z", "outfit_z"]].isna().all(axis=None):
        words = f"The fit of {kind} was not placed among what chance gives (fit_checks=false)."
        return FitCheck(f"fit of {kind}", "not checked", words)
    misfit = table[misfits(table)]
    expected = MISFIT_BY_CHANCE * len(table)
    if poisson.sf(len(misfit) - 1, expected) >= _SURPRISE:
        return FitCheck(f"fit of {kind}", "fits")
    far = misfit["outfit_z"].abs().sort_values(ascending=False, kind="stable").index[:_NAMED]
    names = ", ".join(misfit.loc[far, column].astype(str))
    more = " and others" if len(misfit) > _NAMED else ""
    return FitCheck(
        f"fit of {kind}",
        "questioned",
        f"Answers of {len(misfit):,} of {len(table):,} {kind} are farther off than chance allows "
        f"(by chance: about {expected:.0f}): {names}{more}.",
    )


def _anchor_check(drift: pd.DataFrame) -> FitCheck:
    n = len(drifted_anchors(drift))
    if n <= _MOST_DRIFTED * len(drift):
        return FitCheck("anchors", "fits")
    return FitCheck(
        "anchors",
        "questioned",
        f"{n} of {len(drift)} anchors seem to have drifted: what most of them say is the scale is "
        "not what they were calibrated to.",
    )
