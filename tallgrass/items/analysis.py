"""What a calibration says: estimates, convergence, drift of anchors, agreement of methods."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.inference.fit_verdict import FitVerdict
from tallgrass.inference.verdict import Verdict
from tallgrass.items.agreement import Agreement
from tallgrass.items.local_dependence import LocalDependence
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
    dif : DataFrame or None
        Groups of users compared item by item; None where it was not asked for.
    dependence : LocalDependence or None
        Pairs of items whose answers agree more than abilities explain; None with fit_checks=false.
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
    dif: pd.DataFrame | None = None
    dependence: LocalDependence | None = None
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
        why = "fit_checks=false"
        if self.spec.places_fit:
            why = "a draw or an estimate is not finite"
        return fit_of(self.calibrated, self.drift, why, self.dependence)

    @property
    def fit_is_placed(self) -> bool:
        """Whether it is known of items and users which are farther off than chance allows."""
        return bool(self.calibrated.items["outfit_z"].notna().any())

    def recorded_tags(self) -> dict[str, object]:
        """The verdict, the fit, and the anchors that were dropped."""
        tags = {"anchors.purified": ", ".join(self.purified)}
        if self.dependence is not None:
            tags["q3.worst"] = self.dependence.worst
        return super().recorded_tags() | self.fit_verdict.tags | tags

    def recorded_metrics(self) -> dict[str, float]:
        """Reliability, fit of items and pairs, convergence, drift, groups and agreement."""
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
        if self.fit_is_placed:
            metrics |= self._misfit()
        if self.drift is not None:
            metrics |= {
                "drift/n_drifted": float(self.drift["drifted"].sum()),
                "drift/n_suspect": float(self.drift["suspect"].sum()),
                "drift/n_purified": float(len(self.purified)),
                "drift/n_weaker": float(self.drift["weaker"].sum()),
            }
        if self.dependence is not None:
            metrics |= self.dependence.metrics
        if self.dif is not None:
            metrics |= {
                f"dif/n_{grade.lower()}": float((self.dif["severity"] == grade).sum())
                for grade in ("A", "B", "C")
            }
            metrics["dif/mh_n_c"] = float((self.dif["mh_severity"] == "C").sum())
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
        """Items, users, diagnostics, drift, pairs of items, groups and agreement."""
        recorded = {
            "tables/items": self.calibrated.items,
            "tables/users": self.calibrated.users,
            **super().recorded_tables(),
        }
        if self.drift is not None:
            recorded["tables/drift"] = self.drift
        if self.dependence is not None:
            recorded["tables/local_dependence"] = self.dependence.pairs
        if self.dif is not None:
            recorded["tables/dif"] = self.dif
        if self.agreement is not None:
            recorded |= {
                "tables/agreement": self.agreement.pairs,
                "tables/agreement_summary": self.agreement.summary,
                "tables/consensus": self.agreement.consensus,
            }
        return recorded
