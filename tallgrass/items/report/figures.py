"""The figures of one calibration, for the page and for the artifacts ``plots/<name>.png``."""

import numpy as np
from matplotlib.figure import Figure

from tallgrass.inference.convergence import worst_parameters
from tallgrass.items import plots
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.report import sampler


def calibration_figures(run: CalibrationAnalysis) -> dict[str, Figure]:
    """Every figure that this calibration has something to show in, by name.

    What is not finite has no place in them; the verdict names it.
    """
    items, theta = run.calibrated.items, run.calibrated.users["theta"].to_numpy(float)
    known = np.isfinite(items[["a", "b"]].to_numpy(float)).all(axis=1)
    theta = theta[np.isfinite(theta)]
    items, curves, spec = items[known], run.calibrated.curves.chosen(known), run.spec
    drawn = {}
    if len(items) and len(theta):
        drawn = {
            "item_curves": plots.item_curves(curves, theta, list(items["item"].astype(str))),
            "wright_map": plots.wright_map(items, theta),
            "fit_statistics": plots.fit_statistics(items),
        }
    if run.drift is not None and len(run.drift):
        drawn["drift"] = plots.drift(run.drift, spec.drift_a, spec.drift_b)
        drawn["anchor_priors"] = plots.anchor_priors(run.drift)
    if run.agreement is not None:
        pairs = run.agreement.pairs
        values = pairs[["a_first", "a_second", "b_first", "b_second"]]
        pairs = pairs[np.isfinite(values).all(axis=1)]
        drawn |= {"agreement": plots.agreement(pairs, spec.agreement)} if len(pairs) else {}
    if run.diagnostics is not None:
        limits = run.thresholds
        drawn["convergence"] = sampler.convergence(run.diagnostics.table, limits.rhat, limits.ess)
        drawn |= sampler.sampler_figures(run.trace, worst_parameters(run.diagnostics))
    return drawn
