"""Does the model fit: items, users and pairs of items that are farther off than chance allows."""

import pandas as pd
from scipy.stats import poisson

from tallgrass.inference.fit_verdict import FitCheck, FitVerdict, fit_verdict
from tallgrass.items.drift import drifted_anchors
from tallgrass.items.local_dependence import LocalDependence
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


def fit_of(
    calibrated: Calibrated,
    drift: pd.DataFrame | None,
    why_not: str = "fit_checks=false",
    dependence: LocalDependence | None = None,
) -> FitVerdict:
    """What speaks for and against the model: fit of items, of users, of pairs, and the anchors.

    ``why_not`` says why fit was not placed among what chance gives, where it was not.
    """
    return fit_verdict(
        [
            _misfit_check("items", calibrated.items, "item", why_not),
            _misfit_check("users", calibrated.users, "user", why_not),
            None if dependence is None or not dependence.n_pairs else _pair_check(dependence),
            None if drift is None or drift.empty else _anchor_check(drift),
        ]
    )


def _misfit_check(kind: str, table: pd.DataFrame, column: str, why_not: str) -> FitCheck:
    if table[["infit_z", "outfit_z"]].isna().all(axis=None):
        words = f"The fit of {kind} was not placed among what chance gives ({why_not})."
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


def _pair_check(dependence: LocalDependence) -> FitCheck:
    if not dependence.n_flagged:
        return FitCheck("pairs of items", "fits")
    shown = dependence.pairs[dependence.pairs["flagged"]].head(_NAMED)
    names = ", ".join(f"{x} with {y}" for x, y in zip(shown["item"], shown["other"], strict=True))
    more = " and others" if dependence.n_flagged > _NAMED else ""
    return FitCheck(
        "pairs of items",
        "questioned",
        f"Answers to {dependence.n_flagged:,} of {dependence.n_pairs:,} pairs of items depend on "
        f"each other beyond the ability: {names}{more}.",
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
