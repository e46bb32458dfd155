"""The axis of a run: is it the line between the parties, and is one dimension enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.inference.labels import metric_name
from tallgrass.inference.summary import draws_of, names_of
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.chambers import CHAMBERS, JointVotes
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.start import vote_eigenvalues
from tallgrass.rollcalls.votes import VoteMatrix

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

Floats = NDArray[np.float64]

NAME = "party axis"
# In two normal populations of equal spread so far apart, 5 % stand beyond the midpoint. Kansas: 4.7
# to 7.4 in five chambers, 1.6 in the 84th Senate, whose first component is not the party line.
LEAST_SEPARATION = 3.3
MOST_ON_OTHER_SIDE = 0.05
# The second division is more than half as strong as the first. Kansas: 2.8 to 8.2 in five chambers,
# 1.5 in the 88th Senate.
LEAST_EIGENVALUE_RATIO = 2.0
_NAMED = 3  # members named in a sentence
_NEGLIGIBLE = 1e-9  # an eigenvalue so small beside the first is 0 but for rounding
_LEAST_MEMBERS = 2  # of each party, to speak of its spread


@dataclass(frozen=True)
class Axis:
    """What the positions of a chamber say about their axis.

    Parameters
    ----------
    eigenvalue_ratio : float
        First eigenvalue of the agreement between legislators divided by the second: how much
        stronger the main division of the votes is than the next. A property of the votes alone.
    party_separation : float
        Distance between the parties' means in units of the spread within a party (the root mean
        square of the two standard deviations): mean over the draws. NaN without both parties.
    separation_low, separation_high : float
        The central 95 % of the draws.
    other_side_share : float
        Share of the members who stand on the other party's side of the midpoint between the
        parties' means: mean over the draws.
    on_other_side : tuple of str
        Slugs of the members who do so in more than half of the draws.
    """

    eigenvalue_ratio: float
    party_separation: float = np.nan
    separation_low: float = np.nan
    separation_high: float = np.nan
    other_side_share: float = np.nan
    on_other_side: tuple[str, ...] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """The figures by metric name; those that are not defined are left out."""
        values = {
            "axis/eigenvalue_ratio": self.eigenvalue_ratio,
            "axis/party_separation": self.party_separation,
            "axis/other_side_share": self.other_side_share,
        }
        return {name: value for name, value in values.items() if np.isfinite(value)}


def describe_axis(votes: VoteMatrix, xi: Floats, fixed: NDArray[np.bool_] | None = None) -> Axis:
    """Describe the axis of one chamber.

    Parameters
    ----------
    votes : VoteMatrix
        The votes of the model.
    xi : ndarray, shape (n_legislators, n_draws)
        Draws of the ideal points, on any scale and in either direction.
    fixed : ndarray of bool, shape (n_legislators,), optional
        Members whose position is held fixed; they do not count.

    Examples
    --------
    >>> votes = tg.load_votes("sample", chamber="senate")
    >>> describe_axis(votes, xi).party_separation
    5.9...
    """
    ratio = _eigenvalue_ratio(votes)
    free = np.ones(len(xi), bool) if fixed is None else ~fixed
    groups = [np.flatnonzero((votes.party_index == g) & free) for g in (0, 1)]
    if min(map(len, groups)) < _LEAST_MEMBERS:
        return Axis(ratio)
    means = np.array([xi[rows].mean(axis=0) for rows in groups])
    spread = np.sqrt(np.mean([xi[rows].var(axis=0) for rows in groups], axis=0))
    if not (spread > 0).all():
        return Axis(ratio)
    # The direction of the scale is arbitrary, but the same in every draw.
    sign = 1.0 if (means[1] - means[0]).mean() >= 0 else -1.0
    separation = sign * (means[1] - means[0]) / spread
    midpoint = means.mean(axis=0)
    beyond = np.zeros(xi.shape, bool)
    for rows, side in zip(groups, (-sign, sign), strict=True):
        beyond[rows] = side * (xi[rows] - midpoint) < 0
    members = np.concatenate(groups)
    low, high = np.quantile(separation, (0.025, 0.975))
    return Axis(
        eigenvalue_ratio=ratio,
        party_separation=float(separation.mean()),
        separation_low=float(low),
        separation_high=float(high),
        other_side_share=float(beyond[members].mean()),
        on_other_side=tuple(votes.slugs[i] for i in np.flatnonzero(beyond.mean(axis=1) > 0.5)),
    )


def _eigenvalue_ratio(votes: VoteMatrix) -> float:
    """First eigenvalue over the second; NaN where the votes have one direction only."""
    values = vote_eigenvalues(votes)
    if len(values) < 2 or values[1] < _NEGLIGIBLE * values[0]:
        return np.nan
    return float(values[0] / values[1])


def describe_axes(
    trace: "DataTree",
    votes: VoteMatrix,
    joint: JointVotes | None = None,
    careers: Careers | None = None,
) -> dict[str, Axis]:
    """The axis of each chamber of a run, by chamber; a dynamic run has one in every sitting.

    Parameters
    ----------
    trace : DataTree
        Draws with xi, and the anchors in the group constant_data.
    votes : VoteMatrix
        The votes of the model, in the order of the trace.
    joint : JointVotes, optional
        Both chambers, whose votes say nothing about each other's axis.
    careers : Careers, optional
        Many sessions; the axes are then by session, and chamber if there are two.
    """
    row = {slug: i for i, slug in enumerate(names_of(trace, "legislator"))}
    draws = draws_of(trace, "xi")
    held = trace["constant_data"]["anchor"].to_numpy() != 0
    chambers = [votes] if joint is None else [getattr(joint, chamber) for chamber in CHAMBERS]
    bodies = [(chamber.chamber, chamber) for chamber in chambers]
    if careers is not None:
        bodies = list(zip(careers.names, careers.blocks, strict=True))
    axes = {}
    for name, body in bodies:
        rows = [row[slug] for slug in body.slugs]
        axes[name] = describe_axis(body, draws[rows], held[rows])
    return axes


def axis_metrics(axes: Mapping[str, Axis]) -> dict[str, float]:
    """Figures by metric name; those of a joint run end in the chamber (``_house``)."""
    if len(axes) == 1:
        return next(iter(axes.values())).metrics
    return {
        f"{name}_{metric_name(chamber)}": value
        for chamber, axis in axes.items()
        for name, value in axis.metrics.items()
    }


def axis_check(
    axes: Mapping[str, Axis],
    names: "pd.Series[str]",
    dims: int = 1,
    groups: Sequence[str] = PARTIES,
) -> FitCheck | None:
    """Is the (first) dimension the line between the parties, and is one dimension enough.

    Parameters
    ----------
    axes : mapping of str to Axis
        By chamber.
    names : Series
        Names of the members by slug.
    dims : int
        Dimensions of the run; with two the strength of the second division questions nothing.
    groups : sequence of str
        The groups of the run, of which the first two are the parties that are spoken of.

    Returns
    -------
    FitCheck or None
        None where no chamber has two parties, so that there is no line between them.
    """
    judged = {c: axis for c, axis in axes.items() if np.isfinite(axis.party_separation)}
    if not judged:
        return None
    words = [
        _question(c if len(axes) > 1 else "", axis, names, dims, tuple(groups))
        for c, axis in judged.items()
    ]
    questions = [text for text in words if text]
    return FitCheck(NAME, "questioned" if questions else "fits", " ".join(questions))


def _question(
    chamber: str, axis: Axis, names: "pd.Series[str]", dims: int, groups: tuple[str, ...]
) -> str:
    """What speaks against the axis of a chamber; empty where nothing does."""
    apart = axis.party_separation < LEAST_SEPARATION
    crossed = axis.other_side_share > MOST_ON_OTHER_SIDE
    second = dims == 1 and axis.eigenvalue_ratio < LEAST_EIGENVALUE_RATIO
    if not (apart or crossed or second):
        return ""
    of = f"In the {chamber[:1].upper()}{chamber[1:]} the" if chamber else "The"
    sentences = []
    them = "the parties" if groups == PARTIES else " and ".join(groups[:2])
    other = "the other party's" if groups == PARTIES else "the other"
    if apart or crossed:
        which = "one dimension" if dims == 1 else "first dimension"
        sentences.append(
            f"{of} {which} is not clearly the line between {them}: their means are "
            f"{axis.party_separation:.1f} within-party standard deviations apart (95 % interval "
            f"{axis.separation_low:.1f} to {axis.separation_high:.1f}), and "
            f"{100 * axis.other_side_share:.0f} % of the members stand on {other} side "
            f"of the midpoint{_named(axis, names)}."
        )
    if second:
        of = "The" if sentences else of
        sentences.append(
            f"{of} second division of the votes is more than half as strong as the first: the "
            f"first eigenvalue of the agreement between members is {axis.eigenvalue_ratio:.1f} "
            "times the second."
        )
    if dims > 1:
        sentences.append(f"Even the direction that separates {them} best leaves them mixed.")
        return " ".join(sentences)
    # Both chambers, and many sessions, are on one line; each of them has two dimensions alone.
    way_on = "dims=2, for this chamber alone" if chamber else "dims=2"
    way_on += ", model=flat" if len(groups) > len(PARTIES) else ""
    sentences.append(
        "Read the positions as the main division of the votes, which is not only that between "
        f"{them}; a model with two dimensions would tell the two apart ({way_on})."
        if apart or crossed
        else "One number per member leaves it out; a model with two dimensions would not "
        f"({way_on})."
    )
    return " ".join(sentences)


def _named(axis: Axis, names: "pd.Series[str]") -> str:
    known = [str(names.get(slug, slug)) for slug in axis.on_other_side]
    if not known:
        return ""
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return f" ({', '.join(known[:_NAMED])}{more})"
