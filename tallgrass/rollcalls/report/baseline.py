"""A run against its baseline: the table in the verdict's box, the key finding, the section."""

from tallgrass.report.page import Column, Section, Table, Text, numeric, rows, two_columns
from tallgrass.report.scatter import Scatter
from tallgrass.report.words import counted, measured, number, percent, signed
from tallgrass.rollcalls.against_baseline import NO_ELPD, moved_words
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.compare import Agreement
from tallgrass.rollcalls.report.scatters import comparison_picture
from tallgrass.rollcalls.report.words import named_cells, party_cell, plural

_ELPD = "ELPD, this run minus the baseline"


def agreement_tables(run: RollCallAnalysis) -> tuple[Table, ...]:
    """What |r| over everybody hides: the agreement within each party, who moved, prediction."""
    comparison = run.comparison
    if comparison is None:
        return ()
    sign = -1 if comparison.sign_flip else 1
    everybody = Agreement(comparison.abs_r, sign * comparison.spearman, comparison.n_compared)
    lines = [("Everybody", everybody)]
    lines += [(plural(party), values) for party, values in comparison.within.items()]
    cells = rows(
        [words for words, _ in lines],
        [measured(agreement.r) for _, agreement in lines],
        [measured(agreement.spearman) for _, agreement in lines],
        [f"{agreement.n:,}" for _, agreement in lines],
    )
    columns = (
        Column("Among"),
        Column("r", numeric=True),
        Column("r of ranks", numeric=True, hint="Spearman's rank correlation"),
        Column("n", numeric=True, hint="members compared"),
    )
    n_fixed = comparison.n_common - comparison.n_compared
    without = f", without {counted(n_fixed, 'anchor')}" if n_fixed else ""
    return (Table(f"Agreement with the baseline{without}", columns, cells), _moves(run))


def _moves(run: RollCallAnalysis) -> Table:
    assert run.comparison is not None  # checked by the caller
    pairs = [("Moved most places", moved_words(run.comparison, run.names))]
    if run.elpd is None:
        pairs.append((_ELPD, f"not compared: {NO_ELPD}"))
    else:
        words = f"{signed(run.elpd.difference, 1)} (standard error {number(run.elpd.se, 1)})"
        pairs.append((_ELPD, words))
        pairs.append(("Votes with an unreliable ELPD", percent(run.elpd.bad_pareto_k, 1)))
    return two_columns("Moves and prediction", ("Against the baseline", "Value"), pairs)


def agreement_finding(run: RollCallAnalysis) -> list[str]:
    """A sentence on the agreement with the baseline, over everybody and within each party."""
    comparison, limits = run.comparison, run.thresholds.of("abs_r")
    if comparison is None:
        return []
    abs_r = measured(comparison.abs_r, *limits)
    text = (
        f"Against the baseline the ideal points correlate at |r| = {abs_r} "
        f"over {counted(comparison.n_compared, 'legislator')}"
    )
    if comparison.sign_flip:
        text += ", with the direction of the scale reversed"
    parts = [
        f"{measured(agreement.r)} among the {plural(party)}"
        for party, agreement in comparison.within.items()
    ]
    if parts:
        text += f"; within the parties r is {' and '.join(parts)}"
    moved = moved_words(comparison, run.names)
    text += ". Nobody changed places" if moved == "nobody" else f". Farthest moved {moved}"
    if run.elpd is not None:
        better = "better" if run.elpd.difference > 0 else "worse"
        text += (
            f". This run predicts single votes {better} than the baseline: ELPD "
            f"{signed(run.elpd.difference, 1)}, standard error {number(run.elpd.se, 1)}"
            if abs(run.elpd.difference) > 2 * run.elpd.se
            else ". The two predict single votes equally well, within the error of the comparison"
        )
    return [text + "."]


def comparison_section(run: RollCallAnalysis) -> Section | None:
    """Agreement with the baseline: the scatter of the two runs, and who moved."""
    comparison, table = run.comparison, run.tables.comparison
    if comparison is None or table is None or table.empty:
        return None
    words = (
        f"Each mark is a legislator: the position in the baseline across, the position in this "
        f"run up. The correlation is r = {measured(comparison.r)} over "
        f"{counted(comparison.n_compared, 'legislator')} (of ranks: "
        f"{measured(comparison.spearman)}). The dashed line takes one scale to the other; the "
        "names belong to the legislators farthest from it."
    )
    if comparison.sign_flip:
        words += (
            " The marks fall from upper left to lower right because the two runs count in "
            "opposite directions. That is a mirror image, not a disagreement: turn one of the "
            "scales round before comparing positions."
        )
    if table["anchored"].any():
        words += (
            " An open diamond is an anchor, which one of the two runs holds at a fixed value: it "
            "does not count, because its distance from the line is not a disagreement."
        )
    blocks: list[Text | Scatter | Table] = [Text(words)]
    if run.baseline_run_id:
        blocks.append(Text(f"The baseline is run {run.baseline_run_id}.", tone="aside"))
    moved = table[~table["anchored"]]
    far = "; ".join(
        f"{row['name']} by {signed(row['difference'])}" for _, row in moved.head(3).iterrows()
    )
    flip = ", along the anti-diagonal because the sign is flipped" if comparison.sign_flip else ""
    alt = (
        f"Scatter of {len(table)} ideal points, baseline against this run: r = "
        f"{measured(comparison.r)}{flip}. Farthest from the line: {far}."
    )
    blocks.append(comparison_picture(table, comparison.slope, comparison.intercept, alt))
    cells = rows(
        named_cells(table),
        [party_cell(party) for party in table["party"]],
        [numeric(v) for v in table["current"]],
        [numeric(v) for v in table["reference"]],
        [numeric(v, 2, signed) for v in table["difference"]],
        [numeric(v, 0) for v in table["rank_current"]],
        [numeric(v, 0, signed) for v in table["rank_change"]],
    )
    columns = (
        Column("Legislator"),
        Column("Party"),
        Column("This run", numeric=True),
        Column("Baseline, on this scale", numeric=True),
        Column("Difference", numeric=True),
        Column("Rank", numeric=True),
        Column("Places moved right", numeric=True),
    )
    caption = "Every common legislator in both runs, the largest difference first"
    fold = f"Table of all {counted(len(table), 'common legislator')}"
    listing = Table(caption, columns, cells, find="Find a legislator", sortable=True, fold=fold)
    return Section("baseline", "Comparison with the baseline", (*blocks, listing))
