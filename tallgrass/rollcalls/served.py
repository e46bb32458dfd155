"""Probability of a yea from draws of a run on roll calls.

This file is copied into the MLflow model of a run, and works there without Tallgrass: it imports
NumPy and pandas only.
"""

import numpy as np
import pandas as pd


class Posterior:
    """Draws of one run, thinned.

    Parameters
    ----------
    path : str
        An ``.npz`` file with ``xi`` (draw, legislator, dimension), ``alpha`` (draw, roll call),
        ``beta`` (draw, roll call, dimension), and the names ``legislator`` and ``rollcall``.
    """

    def __init__(self, path: str) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._xi, self._alpha, self._beta = (arrays[n] for n in ("xi", "alpha", "beta"))
            self._rows = {str(name): i for i, name in enumerate(arrays["legislator"])}
            self._columns = {str(name): j for j, name in enumerate(arrays["rollcall"])}

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Probability that a legislator votes yea on a roll call, for each row.

        Parameters
        ----------
        rows : DataFrame
            Columns ``legislator`` (slug) and ``rollcall`` (id).

        Returns
        -------
        DataFrame
            ``probability``: posterior mean; ``low``, ``high``: the interval that holds the middle
            95 % of the draws.

        Raises
        ------
        ValueError
            When a name is not one of the run.
        """
        i = _places(rows["legislator"], self._rows, "legislator")
        j = _places(rows["rollcall"], self._columns, "rollcall")
        eta = (self._xi[:, i] * self._beta[:, j]).sum(axis=2) - self._alpha[:, j]
        probability = 1 / (1 + np.exp(-eta.astype(np.float64)))
        low, high = np.quantile(probability, (0.025, 0.975), axis=0)
        columns = {"probability": probability.mean(axis=0), "low": low, "high": high}
        return pd.DataFrame(columns, index=rows.index)


def _places(names: "pd.Series", known: dict[str, int], what: str) -> np.ndarray:
    unknown = [name for name in dict.fromkeys(names.astype(str)) if name not in known]
    if unknown:
        raise ValueError(f"not a {what} of the run: {', '.join(unknown[:5])}")
    return np.array([known[name] for name in names.astype(str)], int)
