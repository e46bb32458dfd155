"""The figures of one calibration, for the page and for the artifacts ``plots/<name>.png``."""

from matplotlib.figure import Figure

from tallgrass.inference.convergence import worst_parameters
from tallgrass.items import plots
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.report import sampler


def calibration_figures(run: CalibrationAnalysis) -> dict[str, Figure]:
    """Every figure that this calibration has something to show in, by name."""
    items, theta = run.calibrated.items, run.calibrated.users["theta"].to_numpy(float)
    spec = run.spec
    drawn = {
        "item_curves": plots.item_curves(
            run.calibrated.curves, theta, list(items["item"].astype(str))
        ),
        "wright_map": plots.wright_map(items, theta),
        "fit_statistics": plots.fit_statistics(items),
    }
    if run.drift is not None and len(run.drift):
        drawn["drift"] = plots.drift(run.drift, spec.drift_a, spec.drift_b)
        drawn["anchor_priors"] = plots.anchor_priors(run.drift)
    if run.agreement is not None:
        drawn["agreement"] = plots.agreement(run.agreement.pairs, spec.agreement)
    if run.diagnostics is not None:
        limits = run.thresholds
        drawn["convergence"] = sampler.convergence(run.diagnostics.table, limits.rhat, limits.ess)
        drawn |= sampler.sampler_figures(run.trace, worst_parameters(run.diagnostics))
    return drawn
