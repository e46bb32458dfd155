"""A made-up run with everything that a report can show."""

from dataclasses import replace

from example_trace import RUN_ID, example_spec, example_trace, example_votes

from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.verdict import judge
from tallgrass.machine import Finding
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.against_baseline import compare_with
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.compare import fixed_members
from tallgrass.rollcalls.elpd_difference import ElpdDifference
from tallgrass.rollcalls.filters import FilterLog, filter_votes
from tallgrass.rollcalls.fit_checks import fit_checks
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.prepare import Baseline, Prepared
from tallgrass.rollcalls.reading import Read
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.votes import VoteMatrix


def example_input(
    model: str = "hierarchical",
    full: bool = True,
    n_legislators: int = 30,
    n_rollcalls: int = 50,
    draws: int = 500,
    chains: int = 4,
    votes: VoteMatrix | None = None,
) -> RollCallAnalysis:
    """A run; without ``full`` only what every run has."""
    made, truth = example_votes(n_legislators, n_rollcalls)
    votes = made if votes is None else votes
    trace = example_trace(votes, truth, model, chains, draws)
    diagnostics = diagnose(trace, reflected=audit(trace, truth["xi"]))
    spec = example_spec(model, draws=draws, chains=chains)
    start = make_start(votes, "pca")
    prepared = Prepared(
        spec=spec,
        data=Read("sample", "sample", votes, FilterLog(0.025, 20, *votes.cells.shape)),
        start=start,
        model=replace(build_model(votes, spec, start), warnings=()),
        findings=(),
        baseline=None,
        flat_table=None,
    )
    ideal = summaries.ideal_points(trace, votes)
    run = RollCallAnalysis(
        run_id=RUN_ID,
        trace=trace,
        prepared=prepared,
        diagnostics=diagnostics,
        verdict=judge(diagnostics, Thresholds(), no_baseline="no baseline: none was found"),
        ideal_points=ideal,
        environment={},
    )
    if not full:
        return run
    flat = summaries.ideal_points(example_trace(votes, truth, "flat", chains, draws, seed=3), votes)
    # A flat run whose scale is reversed.
    baseline = Baseline("f" * 32, "flat", -flat.set_index("slug")["mean"], fixed_members(flat))
    comparison = compare_with(baseline, ideal)
    # A threshold that drops a quarter of the roll calls, so that there is a list of drops.
    _, log = filter_votes(votes, 0.2, 20, parties_only=False)
    findings = (Finding("warning", "2 cores for 4 chains: chains take turns"),)
    prepared = replace(
        prepared,
        data=replace(prepared.data, filter_log=log),
        model=replace(prepared.model, warnings=("the Democrats are a small group",)),
        findings=findings,
        baseline=baseline,
        flat_table=flat,
    )
    checks = fit_checks(trace, votes, spec.seed)
    fit = {"fit/accuracy": 0.947, "fit/apre": 0.71, "fit/elpd_loo": -345.6, "fit/n_draws": 1000.0}
    return replace(
        run,
        prepared=prepared,
        verdict=judge(diagnostics, Thresholds(), comparison.abs_r, 0.9),
        comparison=comparison,
        elpd=ElpdDifference(-12.5, 4.2, votes.n_observations, 0.003),
        findings=findings,
        checks=replace(checks, metrics=checks.metrics | fit),
        environment={"python": "3.12", "numpy": "2.2"},
        timings={"compile_s": 1.2, "save_trace_s": 4.4},
    )


def changed(run: RollCallAnalysis, **changes: object) -> RollCallAnalysis:
    """The run with other data: votes, filter_log, flat_table, warnings or baseline_run_id."""
    prepared = run.prepared
    data = {name: changes.pop(name) for name in ("votes", "filter_log") if name in changes}
    prepared = replace(prepared, data=replace(prepared.data, **data))
    if "flat_table" in changes:
        prepared = replace(prepared, flat_table=changes.pop("flat_table"))
    if "warnings" in changes:
        prepared = replace(
            prepared, model=replace(prepared.model, warnings=changes.pop("warnings"))
        )
    if "baseline_run_id" in changes:
        baseline = replace(prepared.baseline, run_id=changes.pop("baseline_run_id"))
        prepared = replace(prepared, baseline=baseline)
    run = replace(run, prepared=prepared, **changes)
    return replace(run, ideal_points=summaries.ideal_points(run.trace, run.votes))
