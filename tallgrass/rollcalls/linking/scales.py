"""Link two posteriors draw by draw over common items.

Draw i of the reference is paired with draw i of the target. The posteriors are independent, so
every pair is a draw of both. The uncertainty of the link is the spread of A and B over the pairs.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from tallgrass.errors import DataError
from tallgrass.inference.linking import (
    METHODS,
    MIN_ITEMS,
    Items,
    influence,
    link,
    same_direction,
)
from tallgrass.rollcalls.linking.common import Common, anchored, common_bills, common_members
from tallgrass.rollcalls.linking.records import Linking, LinkOptions, Scale
from tallgrass.rollcalls.linking.robust import deviations, robust_weights
from tallgrass.rollcalls.linking.summary import (
    coefficients_of,
    positions_of,
    variation_of_slopes,
    warnings_of,
    warnings_of_runs,
)

MEMBER_METHODS = ("mean-sigma", "median-mad")
ROBUST = ("none", "drop", "weight")
SHOWN = "haebara"  # the method of the table of positions, because it compares whole curves


def link_scales(
    reference: Scale,
    target: Scale,
    options: LinkOptions,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Linking:
    """Link the target's scale to the reference's; its time is linear in the pairs of draws.

    Parameters
    ----------
    told : callable, optional
        Told how many pairs of draws are linked, and of how many; every treatment of bills that
        deviate links every pair.

    Raises
    ------
    DataError
        When too few items are common, or too few of them discriminate in the same direction.
    """
    common = _choose(reference, target, options)
    n = min(options.draws, reference.xi.shape[1], target.xi.shape[1])
    ref, tgt = _thinned(reference, n), _thinned(target, n)
    if common.over == "members":
        drawn, items = _over_members(ref, tgt, common)
    else:
        drawn, items = _over_bills(ref, tgt, common, options.robust, told)
    coefficients = coefficients_of(drawn, ref, tgt)
    treatment = options.robust if common.over == "bills" else "none"
    chosen = SHOWN if common.over == "bills" else MEMBER_METHODS[0]
    linked_draws = drawn[(drawn["treatment"] == treatment) & (drawn["method"] == chosen)]
    # In some draws too few items may agree in sign; those have no link.
    drawn_xi = tgt.xi[:, linked_draws["draw"].to_numpy(int)]
    linked = linked_draws["A"].to_numpy() * drawn_xi + linked_draws["B"].to_numpy()
    cv = variation_of_slopes(coefficients, treatment)
    warnings = (*warnings_of_runs(reference, target), *warnings_of(cv, items, common))
    metrics = {"link/cv": cv, "link/n_common": float(len(common.names))}
    if common.over == "bills":
        metrics["link/n_opposite"] = float(items["opposite"].sum())
        metrics["link/n_deviating"] = float(items["deviates"].sum())
    row = coefficients[
        (coefficients["treatment"] == treatment) & (coefficients["method"] == chosen)
    ].iloc[0]
    metrics |= {f"link/{name}": float(row[name]) for name in ("A", "B", "delta", "k")}
    return Linking(
        common, coefficients, drawn, items, positions_of(target, linked), metrics, warnings
    )


def _choose(reference: Scale, target: Scale, options: LinkOptions) -> Common:
    same = (reference.chamber, reference.session) == (target.chamber, target.session)
    bills = common_bills(reference.rollcalls, target.rollcalls, same)
    if reference.session != target.session:
        # Bill numbers start again in every session, so HB 2001 is another bill.
        shared = {r.vote_id for r in reference.rollcalls} & {r.vote_id for r in target.rollcalls}
        bills = bills if shared else common_bills((), (), same)
    members = common_members(reference.slugs, target.slugs)
    common_by = {"bills": bills, "members": members}
    over = options.over
    if over == "auto":
        over = "bills" if len(bills.names) >= MIN_ITEMS else "members"
    common = anchored(common_by[over], options.anchors)
    if len(common.names) < MIN_ITEMS:
        raise DataError(
            f"too few common {over} to link {reference.words} and {target.words}",
            f"{len(bills.names)} bills and {len(members.names)} members are common",
            f"at least {MIN_ITEMS} are needed: link runs of one session or with common members",
        )
    return common


def _thinned(scale: Scale, n: int) -> Scale:
    """The same run with n draws, evenly spaced."""
    chosen = np.linspace(0, scale.xi.shape[1] - 1, n).astype(int)
    return replace(
        scale, alpha=scale.alpha[:, chosen], beta=scale.beta[:, chosen], xi=scale.xi[:, chosen]
    )


def _over_bills(
    ref: Scale, tgt: Scale, common: Common, robust: str, told: Callable[[int, int], None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs = [
        (scale.alpha[indices], scale.beta[indices])
        for scale, indices in ((ref, common.reference), (tgt, common.target))
    ]
    means = [Items(alpha.mean(axis=1), beta.mean(axis=1)) for alpha, beta in pairs]
    mean, sd = float(ref.xi.mean()), float(ref.xi.mean(axis=1).std())
    # Raises before any draw if the scales cannot be linked.
    first = link(means[0], means[1], SHOWN, mean, sd)
    deviation = deviations(pairs[0], pairs[1], first, mean, sd)
    usable = same_direction(means[0], means[1])
    weights = {"none": usable.astype(float)}
    for how in ROBUST[1:]:
        weights[how] = robust_weights(pairs[0], pairs[1], how, mean, sd)
    rows, n = [], ref.xi.shape[1]
    for round_, (treatment, w) in enumerate(weights.items()):
        for i in range(n):
            told(round_ * n + i, len(weights) * n)
            drawn = [Items(alpha[:, i], beta[:, i]) for alpha, beta in pairs]
            try:
                coefficients = [(m, *link(drawn[0], drawn[1], m, mean, sd, w)) for m in METHODS]
            except DataError:
                # Too few items agree in sign in this draw, so it has no link.
                continue
            rows += [(treatment, method, i, a, b) for method, a, b in coefficients]
    changes = influence(means[0], means[1], SHOWN, mean, sd)
    items = pd.DataFrame({"name": common.names})
    items["reference"] = [ref.rollcalls[j].vote_id for j in common.reference]
    items["target"] = [tgt.rollcalls[j].vote_id for j in common.target]
    items["beta_reference"], items["beta_target"] = (mean_items.beta for mean_items in means)
    items["opposite"] = ~usable
    items = pd.concat([items, deviation], axis=1)
    items["deviates"] &= usable  # bills of opposite sign are counted separately
    items["weight"] = weights[robust]
    items["change_A"], items["change_B"] = changes["change_A"], changes["change_B"]
    return _table(rows, n), items


def _table(rows: list[tuple[str, str, int, float, float]], n: int) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["treatment", "method", "draw", "A", "B"])
    linked = int(table.groupby(["treatment", "method"]).size().min()) if rows else 0
    if linked < n / 2:
        raise DataError(
            "the common bills rarely discriminate in the same direction on both scales",
            f"in {linked} of {n} draws",
            "link over members, or run the joint model",
        )
    return table


def _over_members(ref: Scale, tgt: Scale, common: Common) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Link over the positions of common members, by mean and spread, plain and robust."""
    ref_xi, tgt_xi = ref.xi[common.reference], tgt.xi[common.target]
    rows = []
    for i in range(ref_xi.shape[1]):
        x, y = tgt_xi[:, i], ref_xi[:, i]
        a = float(y.std() / x.std())
        rows.append(("none", MEMBER_METHODS[0], i, a, float(y.mean() - a * x.mean())))
        centres = float(np.median(x)), float(np.median(y))
        spread = [np.median(np.abs(z - c)) for z, c in zip((x, y), centres, strict=True)]
        a = float(spread[1] / spread[0])
        rows.append(("none", MEMBER_METHODS[1], i, a, centres[1] - a * centres[0]))
    means = ref_xi.mean(axis=1), tgt_xi.mean(axis=1)
    if np.corrcoef(*means)[0, 1] < 0:
        raise DataError(
            "the common members are in opposite order on the two scales",
            f"r = {np.corrcoef(*means)[0, 1]:.2f}",
            "one of the runs is reversed: see its verdict",
        )
    table = pd.DataFrame(rows, columns=["treatment", "method", "draw", "A", "B"])
    first = table[table["method"] == MEMBER_METHODS[0]]
    deviation = ref_xi - (first["A"].to_numpy() * tgt_xi + first["B"].to_numpy())
    items = pd.DataFrame({"name": common.names, "reference": means[0], "target": means[1]})
    items["deviation"] = deviation.mean(axis=1)
    items["z"] = items["deviation"] / np.maximum(deviation.std(axis=1, ddof=1), 1e-9)
    return table, items
