"""What a run in two dimensions says of its second axis: members, roll calls, and how well known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.inference.summary import TAILS, Draws, draws_of, hdi
from tallgrass.report.words import listed
from tallgrass.rollcalls.people import person

if TYPE_CHECKING:
    from xarray import DataTree

NAME = "second axis"
# Less than half of the variance of the members' positions on axis 2 is known from the votes: two
# members picked by chance are then hardly told apart on it.
LEAST_RELIABILITY = 0.5
_NAMED = 2  # members named at either end


def has_plane(trace: "DataTree") -> bool:
    """Whether the draws are of two dimensions."""
    return "xi_2" in trace["posterior"]


def with_second_axis(ideal: pd.DataFrame, trace: "DataTree") -> pd.DataFrame:
    """The table of ideal points with the position on axis 2.

    Parameters
    ----------
    ideal : DataFrame
        From :func:`~tallgrass.rollcalls.summaries.legislators.ideal_points`, of the same draws.

    Returns
    -------
    DataFrame
        With mean_2, sd_2, hdi_low_2, hdi_high_2, rank_2 (1 is the highest), r_12 (posterior
        correlation of the member's two coordinates) and quadrant (``right, upper`` and so on by
        the posterior means, right and left of the midpoint between the parties or halves).
    """
    xi, xi_2 = draws_of(trace, "xi"), draws_of(trace, "xi_2")
    low, high = hdi(xi_2)
    mean, mean_1 = xi_2.mean(axis=1), xi.mean(axis=1)
    about = xi - mean_1[:, None], xi_2 - mean[:, None]
    covariance = (about[0] * about[1]).mean(axis=1)
    r_12 = covariance / np.sqrt((about[0] ** 2).mean(axis=1) * (about[1] ** 2).mean(axis=1))
    groups = _groups(trace, mean_1)
    midpoint = np.mean([mean_1[groups == g].mean() for g in (0, 1)])
    sides = np.where(mean_1 > midpoint, "right", "left").astype(object)
    return ideal.assign(
        mean_2=mean,
        sd_2=xi_2.std(axis=1, ddof=1),
        hdi_low_2=low,
        hdi_high_2=high,
        rank_2=(-mean).argsort(kind="stable").argsort(kind="stable") + 1,
        r_12=r_12,
        quadrant=sides + np.where(mean > 0, ", upper", ", lower"),
    )


def _groups(trace: "DataTree", mean: Draws) -> Draws:
    """Party of every member; without both parties the two halves."""
    party = trace["constant_data"]["party_index"].to_numpy()
    if (party == 0).any() and (party == 1).any():
        return np.asarray(party)
    return np.asarray((mean > np.median(mean)).astype(int))


def with_slopes(rollcalls: pd.DataFrame, trace: "DataTree") -> pd.DataFrame:
    """The table of roll calls with what they have to do with axis 2.

    Returns
    -------
    DataFrame
        With beta_2, beta_2_sd, beta_2_low, beta_2_high (95 % HDI), angle (the direction of the
        yeas on the map, in degrees: 0 towards the higher end of axis 1, 90 towards that of axis 2,
        -180 to 180), angle_low and angle_high (its central 95 %, counted about the angle, so that
        they may exceed 180), and axis_2_share: the part of the variance of the members' logits
        that lies on axis 2, ``beta_2^2 var(xi_2) / (beta^2 var(xi) + beta_2^2 var(xi_2))``. The
        cutting line of a roll call is ``beta x + beta_2 y = alpha``; its cut point is where the
        line crosses axis 1.
    """
    beta, beta_2 = draws_of(trace, "beta"), draws_of(trace, "beta_2")
    spread = [draws_of(trace, name).var(axis=0) for name in ("xi", "xi_2")]
    on_axes = beta**2 * spread[0], beta_2**2 * spread[1]
    low, high = hdi(beta_2)
    angle = np.arctan2(beta_2.mean(axis=1), beta.mean(axis=1))
    off = np.angle(np.exp(1j * (np.arctan2(beta_2, beta) - angle[:, None])))
    off_low, off_high = np.quantile(off, TAILS, axis=1)
    return rollcalls.assign(
        beta_2=beta_2.mean(axis=1),
        beta_2_sd=beta_2.std(axis=1, ddof=1),
        beta_2_low=low,
        beta_2_high=high,
        angle=np.degrees(angle),
        angle_low=np.degrees(angle + off_low),
        angle_high=np.degrees(angle + off_high),
        axis_2_share=(on_axes[1] / (on_axes[0] + on_axes[1])).mean(axis=1),
    )


@dataclass(frozen=True, eq=False)
class SecondAxis:
    """How well the votes know the second axis, and what it is.

    Parameters
    ----------
    reliability : float
        Part of the variance of the members' positions on axis 2 that the votes know:
        ``var(means) / (var(means) + mean(sd^2))``.
    n_rollcalls : int
        Roll calls whose 95 % interval of beta_2 leaves out 0.
    share : float
        Mean of the roll calls' axis_2_share.
    upper, lower : tuple of str
        The members farthest out at either end.
    """

    reliability: float
    n_rollcalls: int
    share: float
    upper: tuple[str, ...]
    lower: tuple[str, ...]

    @property
    def metrics(self) -> dict[str, float]:
        """The figures by metric name."""
        return {
            "axis/reliability_2": self.reliability,
            "axis/rollcalls_2": float(self.n_rollcalls),
            "axis/share_2": self.share,
        }

    @property
    def direction(self) -> str:
        """The ends of the axis in words, for its direction has no meaning of its own."""
        return (
            f"positive is where {listed(list(self.upper))} stand, "
            f"negative where {listed(list(self.lower))} do"
        )

    def check(self) -> FitCheck:
        """Do the votes support a second axis."""
        if self.reliability >= LEAST_RELIABILITY:
            return FitCheck(NAME, "fits")
        return FitCheck(
            NAME,
            "questioned",
            f"The votes hardly say where members stand on the second axis: they know "
            f"{100 * self.reliability:.0f} % of the variance of the positions there, and "
            f"{self.n_rollcalls} roll calls clearly depend on it. One dimension may be enough "
            "(dims=1).",
        )


def second_axis(ideal: pd.DataFrame, rollcalls: pd.DataFrame) -> SecondAxis:
    """The second axis from the two tables that have it."""
    known = float(ideal["mean_2"].var(ddof=0))
    ordered = ideal.sort_values("rank_2", kind="stable")
    clear = (rollcalls["beta_2_low"] > 0) | (rollcalls["beta_2_high"] < 0)
    return SecondAxis(
        known / (known + float((ideal["sd_2"] ** 2).mean())),
        int(clear.sum()),
        float(rollcalls["axis_2_share"].mean()),
        tuple(person(row) for _, row in ordered.head(_NAMED).iterrows()),
        tuple(person(row) for _, row in ordered.tail(_NAMED).iloc[::-1].iterrows()),
    )
