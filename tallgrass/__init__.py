"""Tallgrass: where legislators stand, by Bayesian item-response models, every run kept in MLflow.

The public names load on first use: ``import tallgrass`` alone is quick.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tallgrass import home

if TYPE_CHECKING:
    from tallgrass.fitting import fit
    from tallgrass.inference.priors import PriorSpec
    from tallgrass.inference.spec import SamplerSpec
    from tallgrass.inference.thresholds import Thresholds
    from tallgrass.items.by_engines import calibrate_all
    from tallgrass.items.calibrate import calibrate
    from tallgrass.items.result import CalibrationResult
    from tallgrass.items.spec import CalibrationSpec
    from tallgrass.own.autolog import autolog, finish_autolog
    from tallgrass.own.result import ModelResult
    from tallgrass.own.sample import sample
    from tallgrass.own.track import TrackedRun, track
    from tallgrass.rollcalls import plots
    from tallgrass.rollcalls.against_scores import against
    from tallgrass.rollcalls.agreement import abs_r, agreement
    from tallgrass.rollcalls.dimensions import compare_dimensions
    from tallgrass.rollcalls.earlier import rerun_spec, runs
    from tallgrass.rollcalls.link import LinkResult, link
    from tallgrass.rollcalls.linking import LinkOptions
    from tallgrass.rollcalls.log_likelihood import log_likelihood
    from tallgrass.rollcalls.result import FitResult
    from tallgrass.rollcalls.run_comparison import compare
    from tallgrass.rollcalls.sources import load_votes, simulate
    from tallgrass.rollcalls.spec import ModelSpec, RunSpec
    from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix
    from tallgrass.serving import log_model, promote
    from tallgrass.settings import Settings
    from tallgrass.study.study import Context
    from tallgrass.tracking.reading import load_many, load_trace, table

home.ensure()

# Public name -> the module that it is of.
_HOMES = {
    "CalibrationResult": "items.result",
    "CalibrationSpec": "items.spec",
    "FitResult": "rollcalls.result",
    "LinkOptions": "rollcalls.linking",
    "LinkResult": "rollcalls.link",
    "ModelResult": "own.result",
    "ModelSpec": "rollcalls.spec",
    "PriorSpec": "inference.priors",
    "RunSpec": "rollcalls.spec",
    "SamplerSpec": "inference.spec",
    "Settings": "settings",
    "Context": "study.study",
    "Thresholds": "inference.thresholds",
    "Legislator": "rollcalls.votes",
    "RollCall": "rollcalls.votes",
    "VoteMatrix": "rollcalls.votes",
    "abs_r": "rollcalls.agreement",
    "against": "rollcalls.against_scores",
    "agreement": "rollcalls.agreement",
    "autolog": "own.autolog",
    "calibrate": "items.calibrate",
    "calibrate_all": "items.by_engines",
    "compare": "rollcalls.run_comparison",
    "compare_dimensions": "rollcalls.dimensions",
    "finish_autolog": "own.autolog",
    "fit": "fitting",
    "link": "rollcalls.link",
    "load_many": "tracking.reading",
    "load_trace": "tracking.reading",
    "load_votes": "rollcalls.sources",
    "log_likelihood": "rollcalls.log_likelihood",
    "log_model": "serving",
    "promote": "serving",
    "rerun_spec": "rollcalls.earlier",
    "runs": "rollcalls.earlier",
    "sample": "own.sample",
    "simulate": "rollcalls.sources",
    "table": "tracking.reading",
    "track": "own.track",
    "TrackedRun": "own.track",
}
# What reads runs takes no settings, so the store that they name is chosen here, once.
_READING = {
    "serving",
    "tracking.reading",
    "rollcalls.agreement",
    "rollcalls.earlier",
    "rollcalls.log_likelihood",
    "rollcalls.run_comparison",
}

__version__ = version("tallgrass")
__all__ = [
    "CalibrationResult",
    "CalibrationSpec",
    "Context",
    "FitResult",
    "Legislator",
    "LinkOptions",
    "LinkResult",
    "ModelResult",
    "ModelSpec",
    "PriorSpec",
    "RollCall",
    "RunSpec",
    "SamplerSpec",
    "Settings",
    "Thresholds",
    "TrackedRun",
    "VoteMatrix",
    "abs_r",
    "against",
    "agreement",
    "autolog",
    "calibrate",
    "calibrate_all",
    "compare",
    "compare_dimensions",
    "finish_autolog",
    "fit",
    "link",
    "load_many",
    "load_trace",
    "load_votes",
    "log_likelihood",
    "log_model",
    "plots",
    "promote",
    "rerun_spec",
    "runs",
    "sample",
    "simulate",
    "table",
    "track",
]


def __getattr__(name: str) -> Any:
    if name == "plots":
        import_module("tallgrass.rollcalls.plots.notebook").show_figures()
        return import_module("tallgrass.rollcalls.plots")
    if name not in _HOMES:
        raise AttributeError(f"module 'tallgrass' has no attribute {name!r}")
    home = _HOMES[name]
    if home in _READING:
        from tallgrass.settings import load_settings
        from tallgrass.tracking.store import connect

        if uri := load_settings().tracking_uri:
            connect(uri)
    value = getattr(import_module(f"tallgrass.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
