"""Compare runs: their metrics, which of them pass, and the same as a markdown table."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tallgrass import escaping
from tallgrass.errors import TrackingError
from tallgrass.rounding import diagnostic, rounded
from tallgrass.tracking.reading.found import FoundRun
from tallgrass.tracking.reading.searching import find_run

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.inference.thresholds import Thresholds

_MOVED = "baseline.moved_most"
COLUMNS = ["measure", "relation", "threshold", "run_id", "run", "value", "passed", "text"]


class Measure(NamedTuple):
    """A row of the comparison: a metric, and the threshold to pass."""

    label: str
    metric: str
    relation: str = ""
    threshold: str = ""  # a field of Thresholds
    decimals: int | None = 4  # None for a diagnostic, whose value decides
    unit: str = ""
    limit: float | None = None  # a threshold that is not a setting


MEASURES = (
    Measure("R-hat(xi) max", "rhat/xi_max", "<", "rhat", decimals=None),
    Measure("R-hat(xi_2) max", "rhat/xi_2_max", "<", "rhat", decimals=None),
    Measure("R-hat(mu_party) max", "rhat/mu_party_max", "<", "rhat", decimals=None),
    Measure("R-hat(sigma_within) max", "rhat/sigma_within_max", "<", "rhat", decimals=None),
    Measure("R-hat(alpha) max", "rhat/alpha_max", "<", "rhat", decimals=None),
    Measure("R-hat(beta) max", "rhat/beta_max", "<", "rhat", decimals=None),
    Measure("R-hat(beta_2) max", "rhat/beta_2_max", "<", "rhat", decimals=None),
    Measure("R-hat(a) max", "rhat/a_max", "<", "rhat", decimals=None),
    Measure("R-hat(b) max", "rhat/b_max", "<", "rhat", decimals=None),
    Measure("R-hat(theta) max", "rhat/theta_max", "<", "rhat", decimals=None),
    Measure("R-hat max", "rhat_max", "<", "rhat", decimals=None),
    Measure("ESS(xi) min", "ess/xi_min", ">", "ess", decimals=None),
    Measure("ESS(xi_2) min", "ess/xi_2_min", ">", "ess", decimals=None),
    Measure("ESS bulk min", "ess_min", ">", "ess", decimals=None),
    Measure("ESS tail min", "ess_tail_min", ">", "ess", decimals=None),
    Measure("Divergences", "divergences", "=", "divergences", decimals=None),
    Measure("E-BFMI min", "ebfmi_min", ">", "ebfmi", decimals=None),
    Measure("Reflected chains", "modes/reflected_chains", "=", limit=0.0, decimals=None),
    Measure("|r| vs baseline", "abs_r", ">", "abs_r", decimals=None),
    Measure("|r| vs baseline, axis 2", "baseline/abs_r_2", decimals=None),
    Measure("r, Democrats", "baseline/r_within_democrat", decimals=None),
    Measure("r, Republicans", "baseline/r_within_republican", decimals=None),
    Measure("Least r in a party", "baseline/r_within_min", decimals=None),
    Measure("Spearman vs baseline", "baseline/spearman"),
    Measure("Spearman, Democrats", "baseline/spearman_within_democrat"),
    Measure("Spearman, Republicans", "baseline/spearman_within_republican"),
    Measure("Most places moved", "baseline/rank_move_max", decimals=0),
    Measure("ELPD vs baseline", "baseline/elpd_diff", decimals=1),
    Measure("SE, ELPD vs baseline", "baseline/elpd_diff_se", decimals=1),
    Measure("Party separation", "axis/party_separation", decimals=2, unit=" SD"),
    Measure("Share on other side", "axis/other_side_share", decimals=3),
    Measure("Eigenvalue ratio", "axis/eigenvalue_ratio", decimals=2),
    Measure("Known of axis 2", "axis/reliability_2", decimals=3),
    Measure("Misfit legislators", "fit/misfit_legislators", decimals=0),
    Measure("Misfit legislators, by chance", "fit/misfit_legislators_expected", decimals=1),
    Measure("ESS per second", "ess/per_second", decimals=1),
    Measure("ELPD (LOO)", "fit/elpd_loo", decimals=1),
    Measure("Accuracy", "fit/accuracy"),
    Measure("GMP", "fit/gmp"),
    Measure("APRE", "fit/apre"),
    Measure("Legislators", "data/n_legislators", decimals=0),
    Measure("Roll calls", "data/n_rollcalls", decimals=0),
    Measure("Users", "data/n_users", decimals=0),
    Measure("Items", "data/n_items", decimals=0),
    Measure("Responses", "data/n_responses", decimals=0),
    Measure("Reliability", "fit/marginal_reliability"),
    Measure("Drifted anchors", "drift/n_drifted", decimals=0),
    Measure("Compile time", "time/compile_s", decimals=1, unit="s"),
    Measure("Sample time", "sampling_s", decimals=1, unit="s"),
    Measure("Total time", "total_s", decimals=1, unit="s"),
)

_WITHIN = "baseline/r_within_"


def compare(run_ids: Sequence[str], thresholds: "Thresholds | None" = None) -> "DataFrame":
    """The metrics of several runs, against the thresholds of the verdict.

    Parameters
    ----------
    run_ids : sequence of str
        Ids, or unique beginnings of ids.
    thresholds : Thresholds, optional
        Thresholds of the verdict; by default the usual ones.

    Returns
    -------
    DataFrame
        One row per measure and run: measure, relation and threshold (or missing), run_id, run (its
        name), value (float), passed (missing without a threshold), and text (the printed value).
        Measures that no run has are left out.

    Raises
    ------
    TrackingError
        When a run is unknown, or there are no run ids.
    """
    import pandas as pd

    from tallgrass.inference.thresholds import Thresholds

    if not run_ids:
        raise TrackingError(
            "no run to compare", None, "tallgrass runs lists the runs of this store"
        )
    limits = thresholds or Thresholds()
    runs = [find_run(run_id) for run_id in run_ids]
    models = [(run, *_models(run)) for run in runs]
    rows: list[tuple[object, ...]] = []
    for measure in _measures(runs):
        if any(measure.metric in run.data.metrics for run in runs):
            rows.extend(_measured(measure, limits, *of_run) for of_run in models)
    rows.extend(_tagged("Sign flip", run, run.data.tags.get("sign_flip")) for run in runs)
    if any(_MOVED in run.data.tags for run in runs):
        rows.extend(_tagged("Moved most, vs baseline", r, r.data.tags.get(_MOVED)) for r in runs)
    for run in runs:
        verdict = run.data.tags.get("verdict")
        passed = None if verdict in (None, "unresolved") else verdict == "pass"
        rows.append(_tagged("Verdict", run, verdict and verdict.upper(), passed))
    if any("fit" in run.data.tags for run in runs):
        rows.extend(_tagged("Fit", run, run.data.tags.get("fit")) for run in runs)
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype({"threshold": "float64", "value": "float64", "passed": "boolean"})


def _measures(runs: Sequence[FoundRun]) -> list[Measure]:
    """The measures, with r within each group that these runs have besides Democrats and others."""
    known = {measure.metric for measure in MEASURES}
    found = {name for run in runs for name in run.data.metrics if name.startswith(_WITHIN)}
    others = [Measure(f"r, {name[len(_WITHIN) :]}", name, decimals=None) for name in found - known]
    place = next(i for i, measure in enumerate(MEASURES) if measure.metric == f"{_WITHIN}min")
    ordered = sorted(others, key=lambda measure: measure.metric)
    return [*MEASURES[:place], *ordered, *MEASURES[place:]]


def markdown(comparison: "DataFrame") -> str:
    """A comparison as a markdown table, one column per run, passing values in bold."""
    runs = list(dict.fromkeys(zip(comparison["run_id"], comparison["run"], strict=True)))
    heads = [f"{escaping.markdown(name)} ({run_id[:8]})" for run_id, name in runs]
    lines = [
        "Values in **bold** pass the threshold.",
        "",
        "| " + " | ".join(["Metric", "Passing value", *heads]) + " |",
        "|" + "---|" * (len(heads) + 2),
    ]
    for measure, rows in comparison.groupby("measure", sort=False):
        bold = rows["passed"].fillna(False)
        cells = {
            run_id: f"**{text}**" if passed else escaping.markdown(text)
            for run_id, text, passed in zip(rows["run_id"], rows["text"], bold, strict=True)
        }
        line = [
            escaping.markdown(str(measure)),
            passing(rows),
            *(cells[run_id] for run_id, _ in runs),
        ]
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines) + "\n"


def side_by_side(comparison: "DataFrame") -> "DataFrame":
    """A comparison with a row per measure, the values that pass, and a column of text per run."""
    import pandas as pd

    lines = {}
    for measure, rows in comparison.groupby("measure", sort=False):
        heads = rows["run"] + " " + rows["run_id"].str[:8]
        lines[measure] = {"passes": passing(rows), **dict(zip(heads, rows["text"], strict=True))}
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("measure")


def passing(rows: "DataFrame") -> str:
    """The passing values for the rows of one measure; runs may differ in their thresholds."""
    return passing_values(zip(rows["relation"], rows["threshold"], strict=True))


def passing_values(limits: Iterable[tuple[str, float | None]]) -> str:
    """The passing values for the relations and thresholds of one measure; NaN or None is none."""
    pairs = dict.fromkeys(pair for pair in limits if pair[1] is not None and pair[1] == pair[1])
    return " or ".join(f"{relation} {limit:g}" for relation, limit in pairs) or "—"


def _measured(
    measure: Measure, limits: "Thresholds", run: FoundRun, model: str, reference: str | None
) -> tuple[object, ...]:
    value = run.data.metrics.get(measure.metric)
    limit = measure.limit
    if measure.threshold == "abs_r":
        limit = None if reference is None else limits.abs_r(model, reference)
    elif measure.threshold:
        limit = float(getattr(limits, measure.threshold))
    text = "—" if value is None else _text(measure, value, limit)
    passed = None
    if value is not None and limit is not None:
        # "=" is for counts, whose limit is 0 or an allowed number.
        outcomes = {"<": value < limit, ">": value > limit, "=": value <= limit}
        passed = outcomes[measure.relation]
    relation = measure.relation if limit is not None else ""
    ident = (run.info.run_id, run.info.run_name)
    return (measure.label, relation, limit, *ident, value, passed, text)


def _text(measure: Measure, value: float, limit: float | None) -> str:
    if measure.decimals is None:
        return diagnostic(value, *(() if limit is None else (limit,)))
    return rounded(value, measure.decimals) + measure.unit


def _tagged(
    label: str, run: FoundRun, text: str | None, passed: bool | None = None
) -> tuple[object, ...]:
    words = {"true": "Yes", "false": "No", None: "—"}.get(text, text)
    return (label, "", None, run.info.run_id, run.info.run_name, None, passed, words)


def _models(run: FoundRun) -> tuple[str, str | None]:
    """The model of a run, and that of its baseline if it exists and is judged by its |r|.

    Runs of other dimensions need not have the same first axis: their |r| is shown, not judged.
    """
    model, dims = _form(run)
    reference = run.data.tags.get("baseline.run_id")
    try:
        other = _form(find_run(reference)) if reference else None
    except TrackingError:
        other = None
    return model, None if other is None or other[1] != dims else other[0]


def _form(run: FoundRun) -> tuple[str, str]:
    params = run.data.params
    return params.get("model", ""), params.get("dims", "1")  # earlier runs have no dims
