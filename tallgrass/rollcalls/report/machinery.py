"""The sections on the run itself: convergence, sampler, data, machine, parameters."""

from tallgrass.report.convergence import convergence_by_variable
from tallgrass.report.page import (
    Bullets,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    rows,
    two_columns,
)
from tallgrass.report.words import counted, listed, measured, number, percent
from tallgrass.rollcalls.analysis import RollCallAnalysis

REASONS = {
    "selection": "Roll calls that were not asked for",
    "committee": "Roll calls of committees",
    "duplicate": "Roll calls recorded twice with identical votes",
    "minority": "Roll calls with too small a minority",
    "min_votes": "Legislators with too few votes",
    "independent": "Legislators of neither major party",
}
SHORT_REASONS = {
    "selection": "not asked for",
    "committee": "of a committee",
    "duplicate": "duplicate",
    "minority": "minority too small",
    "min_votes": "too few votes",
    "independent": "neither party",
}


def convergence_section(run: RollCallAnalysis) -> Section | None:
    """R-hat and effective draws by variable."""
    table = run.tables.convergence
    if table.empty:
        return None
    limits = run.thresholds
    n, over = int(table["n"].sum()), int(table["n_over"].sum())
    verdict = "all pass" if over == 0 else f"{over} do not pass"
    text = Text(
        f"Every dot is one of {counted(n, 'parameter')}; {verdict}. On the left, dots beyond the "
        "dashed line belong to parameters on which the chains disagree. On the right, dots before "
        "the line belong to parameters with too few effective draws."
    )
    worst = table.sort_values("rhat_max", ascending=False, kind="stable").iloc[0]
    fewest = table[["ess_bulk_min", "ess_tail_min"]].min(axis=1)
    alt = (
        f"R-hat and effective draws of {n} parameters against the thresholds {limits.rhat:g} and "
        f"{limits.ess:g}: {verdict}. Highest R-hat {measured(worst['rhat_max'], limits.rhat)} "
        f"({worst['worst']}), fewest effective draws {measured(fewest.min(), limits.ess)} "
        f"({table['variable'].iloc[int(fewest.argmin())]})."
    )
    blocks: list[Text | Picture | Table] = [
        text,
        Picture("convergence", alt, "Convergence of every parameter"),
        convergence_by_variable(table, limits),
    ]
    if run.diagnostics.n_constant:
        constant = counted(run.diagnostics.n_constant, "entry is", "entries are")
        blocks.append(Text(f"{constant} held constant (anchors) and not checked.", tone="aside"))
    return Section("convergence", "Convergence diagnostics", tuple(blocks))


def sampler_section(run: RollCallAnalysis, drawn: set[str]) -> Section | None:
    """Energy, and traces and ranks of the worst parameters."""
    diagnostics = run.diagnostics
    blocks: list[Text | Picture | Table] = []
    ebfmi = [measured(v, run.thresholds.ebfmi) for v in diagnostics.ebfmi]
    if "energy" in drawn:
        blocks.append(
            Text(
                "The sampler moves between levels of energy. When the changes from one draw to the "
                "next (orange) spread at least as widely as the energies themselves (blue), it "
                "reaches every level easily; a much narrower orange hill means it crawls. Thin "
                "lines are single chains."
            )
        )
        limit = f"must be above {run.thresholds.ebfmi:g}"
        alt = f"Energy plot. E-BFMI by chain: {listed(ebfmi)}; {limit}."
        blocks.append(Picture("energy", alt, "Energy of the draws and changes between draws"))
    chains = rows(
        [str(chain) for chain in range(len(ebfmi))],
        ebfmi,
        [str(v) for v in diagnostics.divergences],
        [str(v) for v in diagnostics.max_depth_hits],
    )
    columns = (
        Column("Chain"),
        Column("E-BFMI", numeric=True),
        Column("Divergences", numeric=True),
        Column("Draws at the depth limit", numeric=True),
    )
    if chains:
        blocks.append(Table("Each chain", columns, chains))
    worst = run.tables.worst
    if "traces" in drawn:
        blocks.append(
            Text(
                "The five parameters that did worst. On the left their draws in order: the chains "
                "should look like the same restless band, without drifts or separate levels. On "
                "the right the ranks of each chain's draws among all: every chain should stay near "
                "the dashed line. Ticks at the foot mark divergences."
            )
        )
        values = "; ".join(
            f"{label}: R-hat {measured(rhat, run.thresholds.rhat)}, "
            f"{measured(ess, run.thresholds.ess)} effective draws"
            for label, rhat, ess in zip(worst.index, worst["rhat"], worst["ess_bulk"], strict=True)
        )
        alt = f"Traces and rank histograms of the parameters that did worst. {values}."
        blocks.append(Picture("traces", alt, "Traces and ranks of the worst parameters"))
        blocks.append(_worst(run))
    return Section("sampler", "Sampler", tuple(blocks)) if blocks else None


def _worst(run: RollCallAnalysis) -> Table:
    """The worst parameters with the person or roll call that each belongs to."""
    people = run.tables.ideal_points.set_index("slug")["name"].to_dict()
    bills = run.tables.rollcalls.set_index("vote_id")["bill"].to_dict()
    worst = run.tables.worst
    cells = rows(
        [str(label) for label in worst.index],
        [str(people.get(name) or bills.get(name) or "") for name in worst["name"]],
        [measured(v, run.thresholds.rhat) for v in worst["rhat"]],
        [measured(v, run.thresholds.ess) for v in worst["ess_bulk"]],
        [measured(v, run.thresholds.ess) for v in worst["ess_tail"]],
    )
    columns = (
        Column("Parameter"),
        Column("Of"),
        Column("R-hat", numeric=True),
        Column("Bulk ESS", numeric=True),
        Column("Tail ESS", numeric=True),
    )
    return Table("The parameters that did worst", columns, cells)


def data_section(run: RollCallAnalysis) -> Section:
    """Which votes went in, and what was dropped."""
    log, votes = run.filter_log, run.votes
    n, m = votes.cells.shape
    share = votes.n_observations / max(n * m, 1)
    text = Text(
        f"{counted(log.n_legislators_read, 'legislator')} and "
        f"{counted(log.n_rollcalls_read, 'roll call')} were read; {n:,} and {m:,} remain, with "
        f"{votes.n_observations:,} recorded votes ({percent(share)} of the cells). A roll call "
        f"stays when its minority is at least {number(100 * log.minority_threshold, 1)} % of the "
        f"votes, and a legislator with at least {counted(log.min_votes, 'vote')}."
    )
    counts = [(label, log.count(reason)) for reason, label in REASONS.items()]
    pairs = [(label, f"{count:,}") for label, count in counts if count]
    blocks: list[Text | Table] = [text]
    if pairs:
        blocks.append(two_columns("What was dropped", ("Reason", "Dropped"), pairs))
        cells = rows(
            [Cell(drop.name or drop.id) for drop in log.drops],
            ["roll call" if drop.kind == "rollcall" else "legislator" for drop in log.drops],
            [SHORT_REASONS.get(drop.reason, drop.reason) for drop in log.drops],
            [drop.detail for drop in log.drops],
        )
        columns = (Column("Name"), Column("Kind"), Column("Reason"), Column("Detail"))
        fold = f"The full list ({len(log.drops):,})"
        caption = "Roll calls and legislators left out"
        blocks.append(
            Table(caption, columns, cells, find="Find in the list", sortable=True, fold=fold)
        )
    known_by = run.prepared.data.fingerprint
    blocks.append(Text(f"Fingerprint of the votes (SHA-256): {known_by}", tone="aside"))
    return Section("data", "Data and filters", tuple(blocks))


def machine_section(run: RollCallAnalysis) -> Section | None:
    """What was found about the machine, and what the run warned of."""
    found = [f"{finding.level.capitalize()}: {finding.message}" for finding in run.findings]
    items = [*found, *(f"Warning: {warning}" for warning in run.warnings)]
    if not items:
        return None
    return Section("notes", "Notes on the machine and the run", (Bullets(tuple(items)),))
