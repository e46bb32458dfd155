"""What a run says of single legislators and votes: tables to record, and checks beside the verdict.

Here the parts come together: who is not described (:mod:`tallgrass.rollcalls.misfit`), and whether
the anchors stand where their votes put them (:mod:`tallgrass.rollcalls.anchor_check`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.rollcalls.anchor_check import NONE, anchor_check, anchor_table
from tallgrass.rollcalls.fit_checks import FitChecks
from tallgrass.rollcalls.misfit import (
    legislator_fit,
    misfit_check,
    pairs_check,
    surprising_votes,
)
from tallgrass.rollcalls.vote_draws import predictable
from tallgrass.rollcalls.votes import VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, eq=False)
class FitTables:
    """Tables on the fit of single legislators and votes; what a run does not have is None.

    Parameters
    ----------
    legislators : DataFrame or None
        From :func:`tallgrass.rollcalls.misfit.legislator_fit`.
    surprising_votes : DataFrame or None
        From :func:`tallgrass.rollcalls.misfit.surprising_votes`.
    anchors : DataFrame or None
        From :func:`tallgrass.rollcalls.anchor_check.anchor_table`.
    """

    legislators: pd.DataFrame | None = None
    surprising_votes: pd.DataFrame | None = None
    anchors: pd.DataFrame | None = None

    @property
    def recorded(self) -> dict[str, pd.DataFrame]:
        """By artifact path without its ending."""
        tables = {
            "tables/anchors": self.anchors,
            "tables/legislator_fit": self.legislators,
            "tables/surprising_votes": self.surprising_votes,
        }
        return {path: table for path, table in tables.items() if table is not None}

    @property
    def metrics(self) -> dict[str, float]:
        """``fit/anchors_off``: anchors that are not held where their own votes put them."""
        return {} if self.anchors is None else {"fit/anchors_off": float(self.anchors["off"].sum())}

    def fit_checks(
        self,
        checks: FitChecks | None,
        ideal: pd.DataFrame,
        choice: str = "auto",
        better: Mapping[str, float] = NONE,
    ) -> list[FitCheck | None]:
        """What speaks for and against the fit; for the others see :func:`anchor_check`."""
        return [
            misfit_check(checks, self.legislators),
            pairs_check(checks, ideal, 2 if "mean_2" in ideal else 1),
            anchor_check(self.anchors, ideal, self.legislators, choice, better),
        ]


def tables_of_fit(
    trace: "DataTree", votes: VoteMatrix, ideal: pd.DataFrame, checks: FitChecks | None
) -> FitTables:
    """The tables of a run; ``ideal`` is its table of ideal points."""
    anchors = anchor_table(trace, votes, ideal) if predictable(trace) else None
    if checks is None:
        return FitTables(anchors=anchors)
    return FitTables(legislator_fit(checks, ideal), surprising_votes(checks, votes), anchors)
