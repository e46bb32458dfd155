"""What a link of two runs says, as the record and the report read it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tallgrass.rollcalls.linking import Linking, LinkOptions, Scale
from tallgrass.study.analysis import Analysis


@dataclass(frozen=True, eq=False, kw_only=True)
class LinkAnalysis(Analysis):
    """Two runs on one scale.

    Parameters
    ----------
    linking : Linking
        Coefficients, common items, the target's members on the reference's scale.
    reference, target : Scale
        The two runs.
    options : LinkOptions
        How they were linked.
    """

    linking: Linking
    reference: Scale
    target: Scale
    options: LinkOptions

    def recorded_metrics(self) -> dict[str, float]:
        """A and B by every method, and how far the methods agree."""
        return {name: value for name, value in self.linking.metrics.items() if np.isfinite(value)}

    def recorded_tables(self) -> dict[str, pd.DataFrame]:
        """Coefficients, draws of them, common items, linked positions."""
        names = ("coefficients", "draws", "items", "positions")
        return {f"tables/link_{name}": getattr(self.linking, name) for name in names}
