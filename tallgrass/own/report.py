"""The report of a user's own model as one self-contained page."""

from collections.abc import Mapping

import pandas as pd

from tallgrass.own.analysis import OwnAnalysis
from tallgrass.own.plots import vectors
from tallgrass.report.checks import verdict_head
from tallgrass.report.convergence import convergence_by_variable
from tallgrass.report.environment import environment_section
from tallgrass.report.html import html_page
from tallgrass.report.page import (
    Bullets,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    figure,
    numeric,
    rows,
)
from tallgrass.report.words import counted, listed, measured, moment, number, shortened
from tallgrass.tracking.store import masked

_MOST_SHOWN = 500  # rows of a table on the page; the whole one is an artifact
_ON_PAGE = 200  # variables in the table of the model
_KINDS = {
    "free": "sampled",
    "deterministic": "computed",
    "observed": "observed",
    "potential": "term of the density",
    "data": "data",
    "draws": "draws",
}


def build(run: OwnAnalysis, pngs: Mapping[str, bytes]) -> str:
    """The report as one HTML page that loads nothing from the network.

    Parameters
    ----------
    run : OwnAnalysis
        The run.
    pngs : mapping of str to bytes
        Its figures as PNG files.
    """
    n = len(run.summary)
    head = verdict_head(
        run.verdict,
        "model",
        run.name,
        f"{counted(n, 'sampled or computed entry', 'sampled or computed entries')}",
        _facts(run),
    )
    return html_page(head, sections(run), pngs)


def sections(run: OwnAnalysis) -> list[Section | None]:
    """The sections in their order; None where there is nothing to show."""
    parameters = [(name, masked(str(value))) for name, value in run.parameters.items()]
    return [
        _findings(run),
        _model(run),
        _posterior(run),
        _convergence(run),
        _predictive(run),
        _baseline(run),
        environment_section(parameters, run.timings, run.environment, run.findings),
    ]


def _facts(run: OwnAnalysis) -> list[tuple[str, str]]:
    sizes = run.trace["posterior"].sizes
    facts = [
        ("Variables", f"{len(run.trace['posterior'].data_vars):,}"),
        ("Draws", f"{sizes['chain']} × {sizes['draw']:,}"),  # noqa: RUF001
        ("Sampler", str(run.trace.attrs.get("sampler", "not known"))),
    ]
    if run.description.n_data:
        facts.append(("Observed values", f"{run.description.n_data:,}"))
    facts.append(("Run", run.run_id))
    facts.append(("Made", moment(run.trace.attrs.get("created_at", ""))))
    return facts


def _findings(run: OwnAnalysis) -> Section:
    table, d = run.convergence, run.diagnostics
    lines = []
    if len(table):
        over = int(table["n_over"].sum())
        total = int(table["n"].sum())
        passing = "all pass" if not over else f"{over:,} {'does' if over == 1 else 'do'} not pass"
        lines.append(
            f"R-hat and effective draws of {counted(total, 'entry', 'entries')}: {passing}."
        )
        worst = run.worst.index[0]
        lines.append(
            f"The entry that did worst is {shortened(str(worst), 60)}: R-hat "
            f"{measured(float(run.worst['rhat'].iloc[0]), run.thresholds.rhat)}, "
            f"{measured(float(run.worst['ess_bulk'].iloc[0]), run.thresholds.ess)} effective draws."
        )
    if d.divergences:
        lines.append(f"{counted(sum(d.divergences), 'divergence')} after tuning.")
    else:
        lines.append(
            "The sampler gave no divergences to count, so the verdict rests on R-hat and ESS."
        )
    if not d.ebfmi:
        lines.append("The sampler gave no energies, so E-BFMI was not looked at.")
    if d.n_constant:
        lines.append(f"{counted(d.n_constant, 'entry is', 'entries are')} the same in every draw.")
    if run.comparison is not None and len(run.comparison.table):
        far = run.comparison.table.sort_values("diff_sd", ascending=False).iloc[0]
        lines.append(
            f"Beside run {run.comparison.run_id[:8]}, means differ by at most "
            f"{number(float(far['diff_sd']))} posterior standard deviations ({far['variable']})."
        )
    lines.append(
        "Whether the chains agree does not say whether the model is right: compare its "
        "predictions with the data."
    )
    return Section("findings", "Key findings", (Bullets(tuple(lines)),))


def _model(run: OwnAnalysis) -> Section:
    variables = run.description.variables
    cells = rows(
        [v.name for v in variables],
        [_KINDS[v.kind] for v in variables],
        [shortened(v.text, 90) for v in variables],
        [", ".join(v.dims) for v in variables],
        [" × ".join(f"{n:,}" for n in v.shape) or "scalar" for v in variables],  # noqa: RUF001
    )
    columns = (
        Column("Variable"),
        Column("Kind"),
        Column("Distribution or definition"),
        Column("Dimensions"),
        Column("Size"),
    )
    fold = f"All {len(variables):,} variables" if len(variables) > _ON_PAGE else ""
    find = "Find a variable" if len(variables) > 15 else ""
    caption = (
        "Graph of the model. Arrows lead to what depends on a variable. Round boxes are sampled, "
        "square ones computed, grey ones observed; dots frame data, dashes terms of the density."
    )
    blocks: list[Text | Table | Picture] = [
        Picture("model", "Graph of the model.", caption),
        Table("Variables of the model", columns, cells, find, True, fold),
    ]
    if run.description.graph:
        words = "The graph is also the artifact model/graph.mmd (a Mermaid diagram)."
        blocks.append(Text(words, tone="aside"))
    return Section("model", "The model", tuple(blocks))


def _posterior(run: OwnAnalysis) -> Section:
    summary = run.summary
    shown = summary.head(_MOST_SHOWN)
    cells = rows(
        [Cell(shortened(str(label), 60)) for label in shown["label"]],
        *([numeric(v, 3) for v in shown[name]] for name in ("mean", "sd", "hdi_low", "hdi_high")),
    )
    columns = (
        Column("Entry"),
        Column("Mean", numeric=True),
        Column("SD", numeric=True),
        Column("95 % from", numeric=True, hint="narrowest interval that holds 95 % of the draws"),
        Column("to", numeric=True),
    )
    blocks: list[Text | Table | Picture] = []
    if len(summary) > len(shown):
        blocks.append(
            Text(
                f"The first {len(shown):,} of {len(summary):,} entries; all are in tables/summary.",
                tone="aside",
            )
        )
    fold = f"Table of {counted(len(shown), 'entry', 'entries')}" if len(shown) > 30 else ""
    blocks.append(Table("Posterior", columns, cells, "Find an entry", True, fold))
    names = vectors(run.trace)
    blocks += [
        Picture(f"forest_{i}", f"Posterior means and 95 % intervals of {variable}.", variable)
        for i, variable in enumerate(names)
    ]
    return Section("posterior", "Posterior", tuple(blocks))


def _convergence(run: OwnAnalysis) -> Section | None:
    table = run.convergence
    if not len(table):
        return None
    ebfmi = (
        listed([measured(v, run.thresholds.ebfmi) for v in run.diagnostics.ebfmi]) or "not known"
    )
    return Section(
        "convergence",
        "Convergence diagnostics",
        (
            Text(
                "Dots beyond the dashed lines belong to entries on which the chains disagree, or "
                "with too few effective draws."
            ),
            Picture("convergence", "R-hat and effective draws by variable.", "Convergence"),
            convergence_by_variable(table.head(_MOST_SHOWN), run.thresholds),
            Picture("divergences", "Divergent draws among the others.", "Where draws diverge"),
            Picture("energy", f"E-BFMI by chain: {ebfmi}.", "Energy of the draws"),
            Picture("traces", "Traces and ranks of the entries that did worst.", "Worst traces"),
        ),
    )


def _predictive(run: OwnAnalysis) -> Section | None:
    """Predictions beside the data, and leave-one-out."""
    metrics = run.extra.metrics
    if not metrics and not run.extra.replicated:
        return None
    cells = rows(
        [name.removeprefix("fit/") for name in metrics],
        [numeric(value, 3) for value in metrics.values()],
    )
    columns = (Column("Figure"), Column("Value", numeric=True))
    words = (
        "elpd_loo is the expected log density of each value when it is left out (PSIS-LOO), not "
        "to be trusted where pareto_k_max is above 0.7; inside_90 is the share of the data inside "
        "their 90 % predictive intervals, which is about 0.9 where the model predicts well."
    )
    pictures = [
        Picture(f"predictive_{i}", f"Data and predictions of {name}.", name)
        for i, name in enumerate(run.extra.replicated)
    ]
    table = Table("Fit to the data", columns, cells)
    return Section("fit", "Predictions and the data", (Text(words), table, *pictures))


def _baseline(run: OwnAnalysis) -> Section | None:
    if run.comparison is None:
        return None
    table: pd.DataFrame = run.comparison.table
    cells = rows(
        list(table["variable"]),
        [f"{n:,}" for n in table["n"]],
        [figure(v) for v in table["abs_r"]],
        [numeric(v) for v in table["diff_sd"]],
        [numeric(v) for v in table["diff_mcse"]],
    )
    columns = (
        Column("Variable"),
        Column("Entries in common", numeric=True),
        Column("|r| of means", numeric=True),
        Column("Largest difference, SD", numeric=True, hint="in posterior standard deviations"),
        Column("In MCSE", numeric=True, hint="in Monte Carlo standard errors of the difference"),
    )
    words = Text(
        f"Posterior means of this run beside those of run {run.comparison.run_id[:8]}. Differences "
        "of a few Monte Carlo standard errors are noise of the samplers."
    )
    return Section("baseline", "Beside the baseline", (words, Table("By variable", columns, cells)))
