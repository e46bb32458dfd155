"""A made-up run with everything that a report can show."""

import pandas as pd
from example_trace import RUN_ID, example_spec, example_trace, example_votes

from tallgrass.inference.diagnostics import Thresholds, diagnose, judge
from tallgrass.machine import Finding
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.compare import compare_estimates
from tallgrass.rollcalls.report import ReportInput
from tallgrass.rollcalls.votes import FilterLog, VoteMatrix, filter_votes


def example_input(
    model: str = "hierarchical",
    full: bool = True,
    n_legislators: int = 30,
    n_rollcalls: int = 50,
    draws: int = 500,
    chains: int = 4,
    votes: VoteMatrix | None = None,
) -> ReportInput:
    """A run; without ``full`` only what every run has."""
    made, truth = example_votes(n_legislators, n_rollcalls)
    votes = made if votes is None else votes
    log = FilterLog(0.025, 20, *votes.cells.shape)
    trace = example_trace(votes, truth, model, chains, draws)
    diagnostics = diagnose(trace, truth["xi"])
    spec = example_spec(model, draws=draws, chains=chains)
    base = {
        "trace": trace,
        "votes": votes,
        "filter_log": log,
        "spec": spec,
        "diagnostics": diagnostics,
        "verdict": judge(diagnostics, Thresholds(), no_baseline="no baseline: none was found"),
        "run_id": RUN_ID,
    }
    if not full:
        return ReportInput(**base)
    flat = summaries.ideal_points(example_trace(votes, truth, "flat", chains, draws, seed=3), votes)
    ideal = summaries.ideal_points(trace, votes)
    comparison = compare_estimates(ideal.set_index("slug")["mean"], -flat.set_index("slug")["mean"])
    # A threshold that drops a quarter of the roll calls, so that there is a list of drops.
    _, log = filter_votes(votes, 0.2, 20, parties_only=False)
    return ReportInput(
        **base
        | {
            "verdict": judge(diagnostics, Thresholds(), comparison.abs_r, 0.9),
            "filter_log": log,
            "comparison": comparison,
            "baseline_run_id": "f" * 32,
            "flat_table": flat,
            "findings": [Finding("warning", "2 cores for 4 chains: chains take turns")],
            "fit": {
                "fit/accuracy": 0.947,
                "fit/apre": 0.71,
                "fit/elpd_loo": -345.6,
                "fit/n_draws": 1000.0,
            },
            "warnings": ("the Democrats are a small group",),
            "environment": {"python": "3.12", "numpy": "2.2"},
            "timings": {"compile_s": 1.2, "save_trace_s": 4.4},
            "predictive": _predictive(ideal, votes),
        }
    )


def _predictive(ideal: pd.DataFrame, votes: VoteMatrix) -> pd.DataFrame:
    margin = votes.cells.mean(axis=0)
    rate = (votes.cells == 1).sum(axis=1) / (votes.cells != 0).sum(axis=1)
    parts = [("rollcall_margin", list(votes.vote_ids), margin)]
    parts.append(("legislator_yea_rate", list(ideal["slug"]), rate))
    tables = [
        pd.DataFrame(
            {"check": check, "id": ids, "observed": values, "mean": values + 0.01}
            | {"low": values - 0.05, "high": values + 0.07}
        )
        for check, ids, values in parts
    ]
    return pd.concat(tables, ignore_index=True)
