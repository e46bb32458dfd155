"""The sections on both chambers, which the joint model has."""

from collections.abc import Mapping

from tallgrass.report.page import Cell, Column, Picture, Section, Table, Text, numeric, rows
from tallgrass.report.words import chance, counted, number, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.linking import MOST_CV, Linking
from tallgrass.rollcalls.report.words import TREATMENTS
from tallgrass.rollcalls.summaries import JointTables

SCALE = {
    "delta": "delta: the Senate's midpoint",
    "k": "k: half the Senate's gap between the parties",
    "log_k": "logarithm of k",
    "sigma_bill": "Spread of the bills' logits at the party means",
    "sigma_dif": "Spread of a matched bill's deviations (logits)",
    "mu_global": "Middle of all groups",
    "sigma_chamber": "Spread of the chambers about it",
    "sigma_party": "Spread of the parties about their chamber",
}
CHANGES = {
    "change_delta": "Change of delta",
    "change_k": "Change of k",
}


def joint_sections(run: RollCallAnalysis) -> list[Section]:
    """The common scale, the groups, and how matched bills differ; none for one chamber."""
    tables = run.tables.joint
    if tables is None or run.joint is None:
        return []
    anchored = run.spec.joint_form == "anchored"
    sections = [_scale(tables, anchored), _groups(tables)]
    if len(tables.chains) and run.own_fits is not None:
        sections.append(_audit(tables, run.own_fits.run_ids))
    if run.beside is not None:
        sections.append(_beside(tables, run.beside))
    deviate = anchored and run.spec.dif
    return [*sections, _dif(tables, run.joint.matched[0].size, deviate, anchored)]


def _audit(tables: JointTables, run_ids: Mapping[str, str]) -> Section:
    """Every chain and chamber against the chamber's own run, or its PCA scores without one."""
    table = tables.chains
    by = [
        f"the {chamber}'s own run {run_id[:8]}" if run_id else f"the {chamber}'s PCA scores"
        for chamber, run_id in run_ids.items()
    ]
    own = [bool(run_id) for run_id in run_ids.values()]
    kind = "own runs" if all(own) else "own runs or PCA scores" if any(own) else "PCA scores"
    text = Text(
        f"Mean positions of every chain correlated with {by[0]} and {by[1]}. A negative value is a "
        "chain in which that chamber runs the other way round; the verdict fails then. Chains that "
        "found different modes differ in their mean log-density by more than its noise."
    )
    cells = rows(
        [Cell(chamber.capitalize()) for chamber in table["chamber"]],
        [str(chain) for chain in table["chain"]],
        *([number(v, 3) for v in table[n]] for n in ("r", "r_democrat", "r_republican")),
        [number(v, 1) for v in table["lp"]],
    )
    columns = (
        Column("Chamber"),
        *(
            Column(head, numeric=True)
            for head in ("Chain", "r, all", "r, Democrats", "r, Republicans", "Log-density")
        ),
    )
    blocks = (text, Table(f"Chains against the chambers' {kind}", columns, cells))
    return Section("joint-audit", "Does each chamber look as it does alone?", blocks)


def _beside(tables: JointTables, linked: Linking) -> Section:
    """Delta and k by the joint model and by linking the chambers' own runs."""
    names, cells = ["Joint model"], []
    for name in ("delta", "k"):
        row = tables.scale[tables.scale["parameter"] == name].iloc[0]
        interval = span(float(row["hdi_low"]), float(row["hdi_high"]))
        cells.append([f"{number(float(row['mean']))} ({interval})"])
    for _, row in linked.coefficients.iterrows():
        names.append(f"{row['method'].capitalize()}, {TREATMENTS[str(row['treatment'])]}")
        for column, name in zip(cells, ("delta", "k"), strict=True):
            interval = span(row[f"{name}_low"], row[f"{name}_high"])
            column.append(f"{number(row[name])} ({interval})")
    opposite = int(linked.metrics["link/n_opposite"])
    text = Text(
        "The same two numbers from the chambers' own runs, linked over the same bills: medians and "
        "95 % intervals over posterior draws. Linking leaves out the "
        f"{counted(opposite, 'matched bill')} of opposite sign; the rows without deviating bills, "
        "or with these weighted down, show what bills that work differently do to the link. "
        "Methods that average cut points are thrown off by bills with hardly any discrimination."
    )
    columns = (Column("By"), Column("delta", numeric=True), Column("k", numeric=True))
    blocks: tuple[Text | Table, ...] = (
        text,
        Table("The link by the joint model and by linking", columns, rows(names, *cells)),
    )
    if linked.metrics["link/cv"] > MOST_CV:
        share = number(100 * linked.metrics["link/cv"], 0)
        warning = f"The four linking methods disagree: A varies by {share} % of its mean."
        blocks = (*blocks, Text(warning, "warning"))
    return Section("joint-beside", "The joint scale beside linked scales", blocks)


def _titled(group: str) -> str:
    return group[:1].upper() + group[1:]


def _scale(tables: JointTables, anchored: bool) -> Section:
    table = tables.scale
    first = (
        "All ideal points are on the House's scale: its Democrats' mean is at −1 and its "  # noqa: RUF001
        "Republicans' mean at +1. "
        if anchored
        else "All ideal points are on one scale, which the priors of the bills fix. delta and k "
        "are in half gaps between the House's parties. "
    )
    text = Text(
        first + "The Senate's parties lie at delta minus k and delta plus k. "
        "Bills that both chambers voted on carry the link; where they work differently in the two "
        "chambers, the link is the less certain."
    )
    cells = rows(
        [SCALE[name] for name in table["parameter"]],
        [number(v) for v in table["mean"]],
        [number(v) for v in table["sd"]],
        [span(a, b) for a, b in zip(table["hdi_low"], table["hdi_high"], strict=True)],
    )
    columns = (
        Column("Parameter"),
        Column("Estimate", numeric=True),
        Column("Std. dev.", numeric=True),
        Column("95 % interval", numeric=True),
    )
    blocks = (text, Table("The link between the chambers", columns, cells))
    return Section("joint-scale", "Both chambers on one scale", blocks)


def _groups(tables: JointTables) -> Section:
    groups, overlap = tables.groups, tables.overlap
    cells = rows(
        [Cell(_titled(name)) for name in groups["group"]],
        [str(n) for n in groups["n_legislators"]],
        [number(v) for v in groups["mu_mean"]],
        [span(a, b) for a, b in zip(groups["mu_hdi_low"], groups["mu_hdi_high"], strict=True)],
        [number(v) for v in groups["sigma_mean"]],
        [
            span(a, b)
            for a, b in zip(groups["sigma_hdi_low"], groups["sigma_hdi_high"], strict=True)
        ],
    )
    columns = (
        Column("Group"),
        Column("Members", numeric=True),
        Column("Mean", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Spread", numeric=True),
        Column("95 % interval", numeric=True),
    )
    pairs = rows(
        [Cell(_titled(name)) for name in overlap["second"]],
        [Cell(_titled(name)) for name in overlap["first"]],
        [chance(v) for v in overlap["p_right"]],
        [
            f"{chance(a)} to {chance(b)}"
            for a, b in zip(overlap["hdi_low"], overlap["hdi_high"], strict=True)
        ],
    )
    pair_columns = (
        Column("A member of"),
        Column("is right of a member of"),
        Column("Probability", numeric=True),
        Column("95 % interval", numeric=True),
    )
    text = Text(
        "The second table takes one member of each group at random and asks which is the farther "
        "right: 50 % means that the groups cover the same ground. The probability for every pair "
        "of a senator and a representative is in the artifact tables/right_of.csv."
    )
    blocks = (
        Table("The parties of both chambers", columns, cells),
        text,
        Table("Parties across the chambers", pair_columns, pairs),
    )
    return Section("joint-groups", "Party spread in both chambers", blocks)


def _dif(tables: JointTables, n_matched: int, dif: bool, anchored: bool) -> Section:
    table = tables.dif
    opposite = int(tables.metrics["joint/n_opposite"])
    words = (
        f"{counted(n_matched, 'bill')} had a contested roll call in both chambers. "
        f"{opposite} of them divided the chambers in opposite directions with a "
        "probability above 95 %. "
    )
    words += (
        "The model lets each matched bill deviate in the Senate: such bills make the link less "
        "certain, and where most of them deviate one way they still move it."
        if dif
        else "This run gives each matched bill one difficulty and one discrimination for both "
        f"chambers ({'dif=false' if anchored else 'joint_form=seed'}), which overstates the "
        "precision of the link where bills deviate."
    )
    if "change_delta" in table:
        words += (
            " The last two columns of the table say how much the link changes without a bill: "
            "least squares over the others, their own parameters as they are."
        )
        if opposite:
            delta, k = (tables.metrics[f"joint/{n}_without_opposite"] for n in ("delta", "k"))
            words += (
                f" Without the {counted(opposite, 'bill')} of surely opposite sign, delta would "
                f"be about {number(delta)} and k about {number(k)}."
            )
    cells = rows(
        [Cell(bill) for bill in table["bill"]],
        [numeric(v, 1) for v in table["beta_house"]],
        [numeric(v, 1) for v in table["beta_senate"]],
        [
            Cell(f"{number(m, 1)} ({span(a, b, 1)})", float(m))
            for m, a, b in zip(
                table["democrat_mean"], table["democrat_low"], table["democrat_high"], strict=True
            )
        ],
        [
            Cell(f"{number(m, 1)} ({span(a, b, 1)})", float(m))
            for m, a, b in zip(
                table["republican_mean"],
                table["republican_low"],
                table["republican_high"],
                strict=True,
            )
        ],
        [Cell(chance(v), float(v)) for v in table["p_opposite"]],
        *([numeric(v, 3) for v in table[name]] for name in CHANGES if name in table),
    )
    columns = (
        Column("Bill"),
        Column("Discrimination, House", numeric=True),
        Column("Discrimination, Senate", numeric=True),
        Column("Deviation, Democrats (logits)", numeric=True),
        Column("Deviation, Republicans (logits)", numeric=True),
        Column("Opposite signs", numeric=True),
        *(Column(CHANGES[name], numeric=True) for name in CHANGES if name in table),
    )
    alt = (
        f"Scatter of the discriminations of {n_matched} matched bills, House across and Senate "
        f"up; {opposite} have opposite signs for sure."
    )
    blocks = (
        Text(words),
        Picture("dif", alt, "Matched bills in the two chambers"),
        Table(
            "Matched bills, the likeliest opposite first",
            columns,
            cells,
            find="Find a bill",
            sortable=True,
            fold=f"Table of all {counted(n_matched, 'matched bill')}",
        ),
    )
    return Section("joint-dif", "Bills that work differently in the chambers", blocks)
