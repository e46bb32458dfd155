"""Tallgrass: where legislators stand, by Bayesian item-response models, every run kept in MLflow.

The public names load on first use: ``import tallgrass`` alone is quick.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallgrass.calibration_spec import CalibrationSpec
    from tallgrass.history import (
        compare,
        load_many,
        load_trace,
        promote,
        rerun_spec,
        runs,
        table,
    )
    from tallgrass.linking import LinkOptions
    from tallgrass.pipeline import FitResult, fit
    from tallgrass.pipeline.calibrate import CalibrationResult, calibrate
    from tallgrass.pipeline.calibrate_many import calibrate_all
    from tallgrass.pipeline.link import LinkResult, link
    from tallgrass.settings import Settings
    from tallgrass.sources import load_votes
    from tallgrass.specs import ModelSpec, PriorSpec, RunSpec, SamplerSpec

_HOMES = {
    "CalibrationResult": "pipeline.calibrate",
    "CalibrationSpec": "calibration_spec",
    "FitResult": "pipeline",
    "LinkOptions": "linking",
    "LinkResult": "pipeline.link",
    "ModelSpec": "specs",
    "PriorSpec": "specs",
    "RunSpec": "specs",
    "SamplerSpec": "specs",
    "Settings": "settings",
    "calibrate": "pipeline.calibrate",
    "calibrate_all": "pipeline.calibrate_many",
    "compare": "history",
    "fit": "pipeline",
    "link": "pipeline.link",
    "load_many": "history",
    "load_trace": "history",
    "load_votes": "sources",
    "promote": "history",
    "rerun_spec": "history",
    "runs": "history",
    "table": "history",
}

__version__ = version("tallgrass")
__all__ = [
    "CalibrationResult",
    "CalibrationSpec",
    "FitResult",
    "LinkOptions",
    "LinkResult",
    "ModelSpec",
    "PriorSpec",
    "RunSpec",
    "SamplerSpec",
    "Settings",
    "calibrate",
    "calibrate_all",
    "compare",
    "fit",
    "link",
    "load_many",
    "load_trace",
    "load_votes",
    "promote",
    "rerun_spec",
    "runs",
    "table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tallgrass' has no attribute {name!r}")
    home = _HOMES[name]
    if home == "history":
        # What reads runs takes no settings, so the store that they name is chosen here, once.
        from tallgrass.settings import load_settings
        from tallgrass.store import connect

        if uri := load_settings().tracking_uri:
            connect(uri)
    found = getattr(import_module(f"tallgrass.{home}"), name)
    globals()[name] = found
    return found
