"""What a calibration says: estimates, convergence, drift of anchors, agreement of methods."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.inference.diagnostics import Verdict
from tallgrass.inference.fit_verdict import FitVerdict
from tallgrass.items.agreement import Agreement
from tallgrass.items.misfit import MISFIT_BY_CHANCE, fit_of, misfits
from tallgrass.items.prepare import PreparedCalibration
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.sources import ResponseLog
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.tables import Calibrated
from tallgrass.study.analysis import Analysis

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibrationAnalysis(Analysis):
    """What one calibration says.

    Parameters
    ----------
    trace : DataTree
        The draws, or the point estimates.
    prepared : PreparedCalibration
        Responses, anchors and spec.
    calibrated : Calibrated
        Tables of items and users.
    purified : tuple of str
        Anchors dropped because they drifted.
    drift : DataFrame or None
        The anchors against what they were; None without anchors.
    agreement : Agreement or None
        This calibration beside other methods.
    notes : tuple of str
        What the engine and the preparation have to say.
    """

    verdict: Verdict
    trace: "DataTree"
    prepared: PreparedCalibration
    calibrated: Calibrated
    purified: tuple[str, ...] = ()
    drift: pd.DataFrame | None = None
    agreement: Agreement | None = None
    notes: tuple[str, ...] = ()

    @property
    def spec(self) -> CalibrationSpec:
        """The parameters."""
        return self.prepared.spec

    @property
    def responses(self) -> Responses:
        """The responses as modelled."""
        return self.prepared.data.responses

    @property
    def log(self) -> ResponseLog:
        """What was read and dropped."""
        return self.prepared.data.log

    @property
    def location(self) -> str:
        """Where the responses are from, without a password."""
        return self.prepared.data.location

    @property
    def anchors(self) -> Anchors | None:
        """Items of known parameters, those that drifted included."""
        return self.prepared.anchors

    @cached_property
    def fit_verdict(self) -> FitVerdict:
        """Whether the model fits, apart from whether it converged."""
        return fit_of(self.calibrated, self.drift)

    def recorded_tags(self) -> dict[str, object]:
        """The verdict, the fit, and the anchors that were dropped."""
        purified = {"anchors.purified": ", ".join(self.purified)}
        return super().recorded_tags() | self.fit_verdict.tags | purified

    def recorded_metrics(self) -> dict[str, float]:
        """Reliability, fit of items, convergence, drift and agreement."""
        items = self.calibrated.items
        metrics = {
            "fit/marginal_reliability": self.calibrated.marginal_reliability,
            "fit/empirical_reliability": self.calibrated.empirical_reliability,
            "fit/infit_max": float(items["infit"].max()),
            "fit/outfit_max": float(items["outfit"].max()),
            "items/one_sided": float(items["one_sided"].sum()),
            **super().recorded_metrics(),
        }
        if (population := self.calibrated.population).free:
            metrics |= {
                f"population/{name}": value
                for name, value in population._asdict().items()
                if name != "free"
            }
        if (link := self.calibrated.link) is not None:
            metrics |= {
                "link/A": link.a, "link/A_se": link.a_se, "link/B": link.b, "link/B_se": link.b_se,
                "link/n_anchors": float(link.n_anchors),
            }  # fmt: skip
        if self.spec.fit_checks:
            metrics |= self._misfit()
        if self.drift is not None:
            metrics |= {
                "drift/n_drifted": float(self.drift["drifted"].sum()),
                "drift/n_suspect": float(self.drift["suspect"].sum()),
                "drift/n_purified": float(len(self.purified)),
            }
        if self.agreement is not None:
            metrics["agreement/n_flagged"] = float(self.agreement.pairs["flagged"].sum())
        return {name: value for name, value in metrics.items() if np.isfinite(value)}

    def _misfit(self) -> dict[str, float]:
        """Items and users whose answers are farther off than chance allows, and by chance."""
        metrics = {}
        for kind, table in (("items", self.calibrated.items), ("users", self.calibrated.users)):
            metrics[f"fit/misfit_{kind}"] = float(misfits(table).sum())
            metrics[f"fit/misfit_{kind}_by_chance"] = MISFIT_BY_CHANCE * len(table)
        return metrics

    def recorded_tables(self) -> dict[str, pd.DataFrame]:
        """Items, users, diagnostics, drift and agreement."""
        recorded = {
            "tables/items": self.calibrated.items,
            "tables/users": self.calibrated.users,
            **super().recorded_tables(),
        }
        if self.drift is not None:
            recorded["tables/drift"] = self.drift
        if self.agreement is not None:
            recorded |= {
                "tables/agreement": self.agreement.pairs,
                "tables/agreement_summary": self.agreement.summary,
                "tables/consensus": self.agreement.consensus,
            }
        return recorded
