"""Link two posteriors draw by draw: coefficients, common items, and the target's positions.

Draw i of the reference is joined with draw i of the target: the posteriors are independent, so
every pairing is a draw of both. Uncertainty of the link is the spread of A and B over the pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.linking.common import Common, anchored, common_bills, common_members
from tallgrass.linking.methods import METHODS, MIN_ITEMS, Items, influence, link, same_direction
from tallgrass.linking.robust import deviations, robust_weights
from tallgrass.votes import PARTIES, RollCall

Floats = NDArray[np.float64]

MEMBER_METHODS = ("mean-sigma", "median-mad")
ROBUST = ("none", "drop", "weight")
SHOWN = "haebara"  # whose positions are tabulated; it looks at every item's whole curve
MOST_CV = 0.20  # of A over the methods; above it they disagree
_SURE = 0.95


@dataclass(frozen=True, eq=False)
class Scale:
    """One run: draws of alpha and beta (rollcall, draw) and of xi (legislator, draw)."""

    run_id: str
    session: str
    chamber: str
    rollcalls: tuple[RollCall, ...]
    slugs: tuple[str, ...]
    names: tuple[str, ...]
    parties: tuple[str, ...]
    alpha: Floats
    beta: Floats
    xi: Floats

    @property
    def words(self) -> str:
        """Chamber and session."""
        return f"{self.chamber.capitalize()} of {self.session}"


@dataclass(frozen=True)
class LinkOptions:
    """How to link.

    Parameters
    ----------
    over : str
        ``bills``, ``members``, or ``auto``: what the two runs have in common.
    robust : str
        What is done with common bills that work differently on the two scales: ``none``, ``drop``
        or ``weight``.
    anchors : tuple of str
        Link over these bills or members only.
    draws : int
        How many pairs of draws are linked.
    """

    over: str = "auto"
    robust: str = "none"
    anchors: tuple[str, ...] = ()
    draws: int = 200


@dataclass(frozen=True, eq=False)
class Linking:
    """The link of a target's scale to a reference's, ``xi_ref = A xi_tgt + B``.

    Parameters
    ----------
    common : Common
        What carries the link.
    coefficients : DataFrame
        By robust treatment and method: median of A and B with sd and 95 % interval, and of delta
        and k (where the target's parties lie, in half gaps of the reference's; NaN without both
        parties).
    draws : DataFrame
        treatment, method, draw, A, B.
    items : DataFrame
        One row a common item; see :func:`tallgrass.linking.robust.deviations`, with ``opposite``
        (left out for its sign), weight, and what leaving it out changes (change_A, change_B).
    positions : DataFrame
        The target's members on the reference's scale: slug, name, party, mean, sd, low, high.
    metrics : dict
        Headline figures by metric name.
    warnings : tuple of str
        What the user should know.
    """

    common: Common
    coefficients: pd.DataFrame
    draws: pd.DataFrame
    items: pd.DataFrame
    positions: pd.DataFrame
    metrics: Mapping[str, float]
    warnings: tuple[str, ...] = field(default=())


def link_scales(reference: Scale, target: Scale, options: LinkOptions) -> Linking:
    """Link the target's scale to the reference's.

    Raises
    ------
    DataError
        When too little is common, or all common items discriminate the other way round.
    """
    common = _choose(reference, target, options)
    n = min(options.draws, reference.xi.shape[1], target.xi.shape[1])
    ref, tgt = _thinned(reference, n), _thinned(target, n)
    if common.over == "members":
        drawn, items = _over_members(ref, tgt, common)
    else:
        drawn, items = _over_bills(ref, tgt, common, options.robust)
    coefficients = _coefficients(drawn, ref, tgt)
    shown = options.robust if common.over == "bills" else "none"
    chosen = SHOWN if common.over == "bills" else MEMBER_METHODS[0]
    here = drawn[(drawn["treatment"] == shown) & (drawn["method"] == chosen)]
    # Only the draws that have a link: in some, too few items may agree in sign.
    drawn_xi = tgt.xi[:, here["draw"].to_numpy(int)]
    linked = here["A"].to_numpy() * drawn_xi + here["B"].to_numpy()
    cv = _cv(coefficients, shown)
    warnings = _warnings(cv, items, common)
    metrics = {"link/cv": cv, "link/n_common": float(len(common.names))}
    if common.over == "bills":
        metrics["link/n_opposite"] = float(items["opposite"].sum())
        metrics["link/n_deviating"] = float(items["deviates"].sum())
    row = coefficients[
        (coefficients["treatment"] == shown) & (coefficients["method"] == chosen)
    ].iloc[0]
    metrics |= {f"link/{name}": float(row[name]) for name in ("A", "B", "delta", "k")}
    return Linking(
        common, coefficients, drawn, items, _positions(target, linked), metrics, warnings
    )


def _choose(reference: Scale, target: Scale, options: LinkOptions) -> Common:
    same = (reference.chamber, reference.session) == (target.chamber, target.session)
    bills = common_bills(reference.rollcalls, target.rollcalls, same)
    if reference.session != target.session:
        # Numbers of bills begin again in every session: HB 2001 is another bill.
        shared = {r.vote_id for r in reference.rollcalls} & {r.vote_id for r in target.rollcalls}
        bills = bills if shared else common_bills((), (), same)
    members = common_members(reference.slugs, target.slugs)
    found = {"bills": bills, "members": members}
    over = options.over
    if over == "auto":
        over = "bills" if len(bills.names) >= MIN_ITEMS else "members"
    common = anchored(found[over], options.anchors)
    if len(common.names) < MIN_ITEMS:
        raise DataError(
            f"too few common {over} to link {reference.words} and {target.words}",
            f"{len(bills.names)} bills and {len(members.names)} members are common",
            f"at least {MIN_ITEMS} are needed: link runs of one session or with common members",
        )
    return common


def _thinned(scale: Scale, n: int) -> Scale:
    """The same run with n draws, evenly spaced."""
    kept = np.linspace(0, scale.xi.shape[1] - 1, n).astype(int)
    return replace(
        scale, alpha=scale.alpha[:, kept], beta=scale.beta[:, kept], xi=scale.xi[:, kept]
    )


def _over_bills(
    ref: Scale, tgt: Scale, common: Common, robust: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs = [
        (one.alpha[places], one.beta[places])
        for one, places in ((ref, common.reference), (tgt, common.target))
    ]
    means = [Items(alpha.mean(axis=1), beta.mean(axis=1)) for alpha, beta in pairs]
    mean, sd = float(ref.xi.mean()), float(ref.xi.mean(axis=1).std())
    first = link(
        means[0], means[1], SHOWN, mean, sd
    )  # refuses what cannot be linked, before any draw
    found = deviations(pairs[0], pairs[1], first, mean, sd)
    kept = same_direction(means[0], means[1])
    weights = {"none": kept.astype(float)}
    for how in ROBUST[1:]:
        weights[how] = robust_weights(pairs[0], pairs[1], how, mean, sd)
    rows = []
    for treatment, w in weights.items():
        for i in range(ref.xi.shape[1]):
            drawn = [Items(alpha[:, i], beta[:, i]) for alpha, beta in pairs]
            try:
                here = [(m, *link(drawn[0], drawn[1], m, mean, sd, w)) for m in METHODS]
            except DataError:
                # Few items are left whose signs agree in this draw: it has no link.
                continue
            rows += [(treatment, method, i, a, b) for method, a, b in here]
    changes = influence(means[0], means[1], SHOWN, mean, sd)
    items = pd.DataFrame({"name": common.names})
    items["reference"] = [ref.rollcalls[j].vote_id for j in common.reference]
    items["target"] = [tgt.rollcalls[j].vote_id for j in common.target]
    items["beta_reference"], items["beta_target"] = (one.beta for one in means)
    items["opposite"] = ~kept
    items = pd.concat([items, found], axis=1)
    items["deviates"] &= kept  # a bill of opposite sign is counted as such
    items["weight"] = weights[robust]
    items["change_A"], items["change_B"] = changes["change_A"], changes["change_B"]
    return _table(rows, ref.xi.shape[1]), items


def _table(rows: list[tuple[str, str, int, float, float]], n: int) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["treatment", "method", "draw", "A", "B"])
    linked = int(table.groupby(["treatment", "method"]).size().min()) if rows else 0
    if linked < n / 2:
        raise DataError(
            "the common bills hardly ever discriminate in the same direction on both scales",
            f"in {linked} of {n} draws",
            "link over members, or run the joint model",
        )
    return table


def _over_members(ref: Scale, tgt: Scale, common: Common) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Common members as items that have a place only: by mean and spread, plain and robust."""
    one, other = ref.xi[common.reference], tgt.xi[common.target]
    rows = []
    for i in range(one.shape[1]):
        x, y = other[:, i], one[:, i]
        a = float(y.std() / x.std())
        rows.append(("none", MEMBER_METHODS[0], i, a, float(y.mean() - a * x.mean())))
        centres = float(np.median(x)), float(np.median(y))
        spread = [np.median(np.abs(z - c)) for z, c in zip((x, y), centres, strict=True)]
        a = float(spread[1] / spread[0])
        rows.append(("none", MEMBER_METHODS[1], i, a, centres[1] - a * centres[0]))
    means = one.mean(axis=1), other.mean(axis=1)
    if np.corrcoef(*means)[0, 1] < 0:
        raise DataError(
            "the common members stand in opposite order on the two scales",
            f"r = {np.corrcoef(*means)[0, 1]:.2f}",
            "one of the runs is reflected: look at its verdict",
        )
    table = pd.DataFrame(rows, columns=["treatment", "method", "draw", "A", "B"])
    first = table[table["method"] == MEMBER_METHODS[0]]
    moved = one - (first["A"].to_numpy() * other + first["B"].to_numpy())
    items = pd.DataFrame({"name": common.names, "reference": means[0], "target": means[1]})
    items["deviation"] = moved.mean(axis=1)
    items["z"] = items["deviation"] / np.maximum(moved.std(axis=1, ddof=1), 1e-9)
    return table, items


def _coefficients(drawn: pd.DataFrame, ref: Scale, tgt: Scale) -> pd.DataFrame:
    rows = []
    gauges = [_gauge(one) for one in (ref, tgt)]
    for (treatment, method), part in drawn.groupby(["treatment", "method"], sort=False):
        i, a, b = (part[name].to_numpy() for name in ("draw", "A", "B"))
        row: list[object] = [treatment, method]
        for values in (a, b, *_link_of_parties(gauges, i.astype(int), a, b)):
            low, high = np.quantile(values, [(1 - _SURE) / 2, (1 + _SURE) / 2])
            # The median: cut points of a bill with hardly any slope have no mean worth the name.
            row += [float(np.median(values)), float(values.std(ddof=1)), float(low), float(high)]
        rows.append(row)
    columns = ["treatment", "method"]
    for name in ("A", "B", "delta", "k"):
        columns += [name, f"{name}_sd", f"{name}_low", f"{name}_high"]
    return pd.DataFrame(rows, columns=columns)


def _gauge(scale: Scale) -> tuple[Floats, Floats]:
    """Midpoint and half gap of the party means, by draw; NaN without both parties."""
    party = np.array(scale.parties)
    if not all((party == name).any() for name in PARTIES):
        missing = np.full(scale.xi.shape[1], np.nan)
        return missing, missing
    left, right = (scale.xi[party == name].mean(axis=0) for name in PARTIES)
    return (left + right) / 2, (right - left) / 2


def _link_of_parties(
    gauges: list[tuple[Floats, Floats]], i: NDArray[np.int64], a: Floats, b: Floats
) -> tuple[Floats, Floats]:
    """Delta and k as in the joint model: the target's parties in the reference's half gaps."""
    (middle, half), (middle_tgt, half_tgt) = ((m[i], h[i]) for m, h in gauges)
    return (a * middle_tgt + b - middle) / half, a * half_tgt / half


def _positions(target: Scale, linked: Floats) -> pd.DataFrame:
    low, high = np.quantile(linked, [(1 - _SURE) / 2, (1 + _SURE) / 2], axis=1)
    table = pd.DataFrame(
        {
            "slug": target.slugs,
            "name": target.names,
            "party": target.parties,
            "mean": linked.mean(axis=1),
            "sd": linked.std(axis=1, ddof=1),
            "low": low,
            "high": high,
        }
    )
    return table.sort_values("mean", ascending=False, ignore_index=True)


def _cv(coefficients: pd.DataFrame, treatment: str) -> float:
    """Coefficient of variation of A over the methods."""
    values = coefficients.loc[coefficients["treatment"] == treatment, "A"].to_numpy()
    return float(values.std() / abs(values.mean()))


def _warnings(cv: float, items: pd.DataFrame, common: Common) -> tuple[str, ...]:
    found = []
    if cv > MOST_CV:
        found.append(
            f"the methods disagree: A varies by {100 * cv:.0f} % of its mean, more than "
            f"{100 * MOST_CV:.0f} %; no one of them should be relied on"
        )
    if common.over == "bills":
        opposite, deviating = int(items["opposite"].sum()), int(items["deviates"].sum())
        if opposite:
            found.append(
                f"{opposite} of {len(items)} common bills divide the two runs in opposite "
                "directions and are left out"
            )
        if deviating:
            found.append(
                f"{deviating} of the others work differently for sure; robust=drop or "
                "robust=weight shows what they do to the link"
            )
    return tuple(found)
