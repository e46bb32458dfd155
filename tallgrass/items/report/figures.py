"""The figures of one calibration, for the page and for the artifacts ``plots/<name>.png``."""

import numpy as np
from matplotlib.figure import Figure

from tallgrass.inference.convergence import worst_parameters
from tallgrass.inference.summary import names_of
from tallgrass.items import plots
from tallgrass.items.report.inputs import CalibrationInput
from tallgrass.report import sampler


def calibration_figures(run: CalibrationInput) -> dict[str, Figure]:
    """Every figure that this calibration has something to show in, by name."""
    items, theta = run.found.items, run.found.users["theta"].to_numpy(float)
    spec = run.spec
    drawn = {
        "item_curves": plots.item_curves(items, theta),
        "wright_map": plots.wright_map(items, theta),
        "fit_statistics": plots.fit_statistics(items),
    }
    if run.drift is not None and len(run.drift):
        drawn["drift"] = plots.drift(run.drift, spec.drift_a, spec.drift_b)
        drawn["anchor_priors"] = plots.anchor_priors(run.drift)
    if run.agreement is not None:
        drawn["agreement"] = plots.agreement(run.agreement.pairs, spec.agreement)
    if run.diagnostics is not None:
        drawn |= _sampler_figures(run)
    return drawn


def _sampler_figures(run: CalibrationInput) -> dict[str, Figure]:
    assert run.diagnostics is not None
    limits = run.thresholds
    drawn = {"convergence": sampler.convergence(run.diagnostics.table, limits.rhat, limits.ess)}
    statistics = run.trace["sample_stats"]
    if "energy" in statistics:
        energy = statistics["energy"].transpose("chain", "draw").to_numpy().astype(float)
        if np.isfinite(energy).all() and energy.shape[1] > 2:
            drawn["energy"] = sampler.energy(energy)
    worst = worst_parameters(run.diagnostics)
    draws = []
    for variable, name in zip(worst["variable"], worst["name"], strict=True):
        array = run.trace["posterior"][str(variable)].transpose("chain", "draw", ...)
        place = names_of(run.trace, str(array.dims[-1])).index(str(name))
        draws.append(np.asarray(array[..., place], float))
    diverging = None
    if "diverging" in statistics:
        diverging = statistics["diverging"].transpose("chain", "draw").to_numpy().astype(bool)
    drawn["traces"] = sampler.traces([str(label) for label in worst.index], draws, diverging)
    return drawn
