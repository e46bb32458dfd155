"""Compare item parameters between methods, pair by pair and together."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Agreement:
    """Estimates of several methods side by side.

    Parameters
    ----------
    pairs : DataFrame
        One row per item and pair of methods: item, first, second, a_first, a_second,
        a_difference, b_first, b_second, b_difference (second minus first), a_sds and b_sds (the
        difference in units of the first standard deviation of the two, or NaN), flagged.
    summary : DataFrame
        One row per pair of methods: first, second, n, r_a, r_b, a_rms, b_rms (root mean square
        differences), a_largest, b_largest, n_flagged.
    consensus : DataFrame
        One row per item: item, n_methods, a and b (medians over methods), a_spread and b_spread
        (largest minus smallest), n_flagged (pairs that disagree).
    """

    pairs: pd.DataFrame
    summary: pd.DataFrame
    consensus: pd.DataFrame


def agreement(methods: Mapping[str, pd.DataFrame], limit: float) -> Agreement:
    """Compare methods item by item.

    Parameters
    ----------
    methods : mapping of str to DataFrame
        Table by method, with the columns item, a, b and optionally a_sd and b_sd.
    limit : float
        Two methods disagree on an item whose a or b differs by more.
    """
    tables = {name: table.set_index("item") for name, table in methods.items()}
    pairs = [
        _pair(first, second, tables[first], tables[second], limit)
        for first, second in combinations(tables, 2)
    ]
    together = pd.concat(pairs, ignore_index=True)
    return Agreement(together, _summary(together), _consensus(tables, together))


def _pair(
    first: str, second: str, left: pd.DataFrame, right: pd.DataFrame, limit: float
) -> pd.DataFrame:
    common = [item for item in left.index if item in right.index]
    columns: dict[str, object] = {"item": common, "first": first, "second": second}
    flagged = np.zeros(len(common), bool)
    for name in ("a", "b"):
        x = left.loc[common, name].to_numpy(float)
        y = right.loc[common, name].to_numpy(float)
        sd = _sd(left, right, common, name)
        columns |= {
            f"{name}_first": x,
            f"{name}_second": y,
            f"{name}_difference": y - x,
            f"{name}_sds": (y - x) / sd,
        }
        flagged |= np.abs(y - x) > limit
    columns["flagged"] = flagged
    return pd.DataFrame(columns)


def _sd(left: pd.DataFrame, right: pd.DataFrame, common: list[str], name: str) -> np.ndarray:
    column = f"{name}_sd"
    for table in (left, right):
        if column in table:
            sd = table.loc[common, column].to_numpy(float)
            return np.where(sd > 0, sd, np.nan)
    return np.full(len(common), np.nan)


def _summary(pairs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (first, second), part in pairs.groupby(["first", "second"], sort=False):
        row: dict[str, object] = {"first": first, "second": second, "n": len(part)}
        for name in ("a", "b"):
            x, y = part[f"{name}_first"], part[f"{name}_second"]
            enough = len(part) > 2 and x.std() > 0 and y.std() > 0
            row[f"r_{name}"] = x.corr(y) if enough else np.nan
            difference = part[f"{name}_difference"].to_numpy()
            row[f"{name}_rms"] = float(np.sqrt(np.mean(difference**2)))
            row[f"{name}_largest"] = float(np.abs(difference).max())
        row["n_flagged"] = int(part["flagged"].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def _consensus(tables: Mapping[str, pd.DataFrame], pairs: pd.DataFrame) -> pd.DataFrame:
    items = list(dict.fromkeys(item for table in tables.values() for item in table.index))
    columns: dict[str, object] = {"item": items}
    for name in ("a", "b"):
        values = pd.concat([table[name] for table in tables.values()], axis=1).loc[items]
        columns["n_methods"] = values.notna().sum(axis=1).to_numpy()
        columns[name] = values.median(axis=1).to_numpy()
        columns[f"{name}_spread"] = (values.max(axis=1) - values.min(axis=1)).to_numpy()
    flags = pairs.groupby("item")["flagged"].sum()
    columns["n_flagged"] = flags.reindex(items, fill_value=0).to_numpy()
    return pd.DataFrame(columns)
