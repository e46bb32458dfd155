"""The figures of one run, for the page and for the artifacts ``plots/<name>.png``."""

import numpy as np
from matplotlib.figure import Figure

from tallgrass.inference.summary import draws_of, names_of
from tallgrass.report import sampler
from tallgrass.report.palette import showing
from tallgrass.report.words import measured
from tallgrass.rollcalls import plots, summaries
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.report import plane
from tallgrass.rollcalls.report.career_figures import career_figures
from tallgrass.rollcalls.report.divisions import divisions
from tallgrass.rollcalls.report.place import chamber_words


def figures(run: RollCallAnalysis) -> dict[str, Figure]:
    """Every figure that this run has something to show in, by name."""
    with showing(run.votes.groups):
        return _figures(run)


def _figures(run: RollCallAnalysis) -> dict[str, Figure]:
    tables, trace = run.tables, run.trace
    drawn = career_figures(run)
    if run.second_axis is not None:
        drawn["map"] = plots.chamber_map(tables.ideal_points)
        lines = plane.lines_shown(tables.rollcalls)
        drawn["cutting_lines"] = plots.cutting_lines(tables.ideal_points, lines)
    if run.careers is None:  # a picture of a thousand rows shows nothing
        title = f"Ideal points: {chamber_words(run)}"
        drawn["forest"] = plots.forest(tables.ideal_points, title)
    if tables.party_parameters is not None and tables.variance is not None:
        parties = names_of(trace, "party")
        shares = tables.variance.iloc[0]
        drawn["party_positions"] = plots.party_positions(
            parties, draws_of(trace, "mu_party"), tables.ideal_points
        )
        interval = (float(shares["share_low"]), float(shares["share_high"]))
        drawn["icc"] = plots.icc(summaries.icc_draws(trace), interval)
        drawn["variance"] = plots.variance_bar(tables.variance)
        drawn["dispersion"] = plots.dispersion(parties, draws_of(trace, "sigma_within"))
    if tables.shrinkage is not None:
        drawn["shrinkage"] = plots.shrinkage_scatter(tables.shrinkage)
    if tables.joint is not None:
        drawn["dif"] = plots.dif_scatter(tables.joint.dif)
    chosen = divisions(tables.rollcalls, run.votes).rollcalls
    placed = np.isfinite(tables.ideal_points["mean"]).any()
    if len(chosen) and placed and run.careers is None:
        drawn["cut_points"] = plots.cut_points(
            chosen, tables.ideal_points, tables.rollcalls["cut_point"].dropna().to_numpy(float)
        )
    if len(tables.convergence):
        drawn["convergence"] = sampler.convergence(
            run.diagnostics.table, run.thresholds.rhat, run.thresholds.ess
        )
    if run.comparison is not None and tables.comparison is not None and len(tables.comparison):
        drawn["comparison"] = plots.comparison_scatter(
            tables.comparison,
            run.comparison.slope,
            run.comparison.intercept,
            correlation_note(run),
        )
    if run.external is not None:
        drawn["external"] = plots.external_scatter(run.external.table, run.external.name)
    drawn |= sampler.sampler_figures(trace, tables.worst)
    if run.predictive is not None and run.predictive["check"].isin(list(plots.CHECKS)).any():
        drawn["predictive"] = plots.predictive(run.predictive)
    return drawn


def correlation_note(run: RollCallAnalysis) -> str:
    """What the comparison scatter says in its corner."""
    if run.comparison is None:
        return ""
    note = f"r = {measured(run.comparison.r)}, {run.comparison.n_compared} legislators"
    return note + (": sign flipped, so points fall" if run.comparison.sign_flip else "")
