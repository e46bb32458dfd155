"""Agreement of any two runs on roll calls: over everybody, and within each party."""

from typing import TYPE_CHECKING

import numpy as np

from tallgrass.errors import DataError, nearest
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.compare import Comparison, compare_estimates, fixed_members

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.rollcalls.result import FitResult


def abs_r(a: "str | FitResult", b: "str | FitResult", within: str | None = None) -> float:
    """Correlation of the ideal points of two runs, over everybody or within one party.

    Over everybody it is ``|r|``, because the direction of a scale is arbitrary; it is high wherever
    two parties stand far apart, whatever the order inside them. Within a party it is ``r`` after
    one scale is turned to the direction of the other as a whole, so it is negative where the
    members stand in the opposite order. Anchors of a flat model are left out.

    Parameters
    ----------
    a, b : str or FitResult
        Two runs: ids, unique beginnings of ids, or results.
    within : str, optional
        A party, as the data name it.

    Returns
    -------
    float
        Between 0 and 1 over everybody, between -1 and 1 within a party.

    Raises
    ------
    TrackingError
        When a run is unknown, or has no table of ideal points.
    DataError
        When fewer than three members (of the party) are common, or all have the same position.

    Examples
    --------
    >>> newest, before = tg.runs(chamber="senate", limit=2)["run_id"]
    >>> 0.9 < tg.abs_r(newest, before) <= 1
    True
    >>> 0.5 < tg.abs_r(newest, before, within="Republican") <= 1
    True
    """
    comparison = agreement(a, b)
    if within is None:
        return comparison.abs_r
    if within not in comparison.within:
        raise DataError(
            "no party with three members in common to compare within",
            within,
            nearest(within, list(comparison.within)),
        )
    r = comparison.within[within].r
    if not np.isfinite(r):
        raise DataError("all members of the party have the same position in one run", within)
    return r


def agreement(a: "str | FitResult", b: "str | FitResult") -> Comparison:
    """Everything that is to be said of two runs' ideal points: r, ranks, parties, who moved.

    Parameters
    ----------
    a, b : str or FitResult
        Two runs: ids, unique beginnings of ids, or results. ``a`` is the current run and ``b`` the
        reference, which is brought to the scale of ``a``; parties are those of ``a``.

    Returns
    -------
    Comparison
        ``abs_r``, ``spearman``, ``within`` (by party: r, spearman, n), ``moved_most`` (slug and the
        two ranks), ``table`` (one row a member), and more.

    Raises
    ------
    TrackingError
        When a run is unknown, or has no table of ideal points.
    DataError
        When fewer than three members are common, or all have the same position in one run.

    Examples
    --------
    >>> newest, before = tg.runs(chamber="senate", limit=2)["run_id"]
    >>> sorted(tg.agreement(newest, before).within)
    ['Democrat', 'Republican']
    """
    return agreement_of(_ideal_points(a), _ideal_points(b))


def agreement_of(current: "DataFrame", reference: "DataFrame") -> Comparison:
    """The agreement of two tables of ideal points; see :func:`agreement`."""
    members, others = (
        table.assign(slug=table["slug"].astype(str)) for table in (current, reference)
    )
    fixed = fixed_members(members) | fixed_members(others)
    members, others = members.set_index("slug"), others.set_index("slug")
    return compare_estimates(members["mean"], others["mean"], members["party"], fixed)


def _ideal_points(run: "str | FitResult") -> "DataFrame":
    return earlier.ideal_points(run) if isinstance(run, str) else run.analysis.ideal_points
