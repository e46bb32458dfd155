"""What changed in a bank from one calibration to the next, item by item."""

import numpy as np
import pandas as pd

from tallgrass.items.model_columns import curves_of_table

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_Z = 1.959963984540054


def changes(
    before: pd.DataFrame, now: pd.DataFrame, b_limit: float, a_limit: float, most_lost: float
) -> pd.DataFrame:
    """The items of two tables side by side, those that changed most first.

    Parameters
    ----------
    before, now : DataFrame
        Tables of items, on one scale.
    b_limit, a_limit : float
        An item moved if b or a changed by more, and by more than chance (95 %) allows.
    most_lost : float
        An item is weaker if it lost more than this share of its information about N(0, 1).

    Returns
    -------
    DataFrame
        item, change (``new``, ``gone``, ``moved``, ``weaker`` or empty), b_before, b, b_change,
        a_before, a, a_change, information_change.
    """
    sides = []
    for table in (before, now):
        information = curves_of_table(table).information(_NODES) @ (_WEIGHTS / _WEIGHTS.sum())
        side = table[["item", "a", "a_sd", "b", "b_sd"]].assign(information=information)
        sides.append(side.astype({"item": str}))
    both = sides[1].merge(sides[0], on="item", how="outer", suffixes=("", "_before"))
    moved = np.zeros(len(both), bool)
    for name, limit in (("b", b_limit), ("a", a_limit)):
        both[f"{name}_change"] = both[name] - both[f"{name}_before"]
        error = np.hypot(*(both[f"{name}_sd{end}"].to_numpy(float) for end in ("", "_before")))
        allowed = np.maximum(limit, _Z * np.nan_to_num(error))
        moved |= both[f"{name}_change"].abs().to_numpy(float) > allowed
    both["information_change"] = both["information"] / both["information_before"] - 1
    both["change"] = np.select(
        [both["b_before"].isna(), both["b"].isna(), moved, both["information_change"] < -most_lost],
        ["new", "gone", "moved", "weaker"],
        "",
    )
    rank = both["change"].map({"moved": 0, "weaker": 1, "new": 2, "gone": 3, "": 4})
    order = np.lexsort((-both["b_change"].abs().fillna(0.0), rank))
    columns = [
        "item", "change", "b_before", "b", "b_change", "a_before", "a", "a_change",
        "information_change",
    ]  # fmt: skip
    return both[columns].iloc[order].reset_index(drop=True)
