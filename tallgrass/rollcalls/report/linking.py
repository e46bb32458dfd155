"""The report of a link between two runs as one self-contained page."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from tallgrass.report.html import Head, html_page
from tallgrass.report.images import images
from tallgrass.report.page import (
    Bullets,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    numeric,
    rows,
)
from tallgrass.report.words import chance, counted, listed, number, span
from tallgrass.rollcalls import plots
from tallgrass.rollcalls.link_analysis import LinkAnalysis
from tallgrass.rollcalls.linking import MIN_ITEMS, MOST_CV, Scale
from tallgrass.rollcalls.report.words import TREATMENTS, party_cell


def link_figures(page: LinkAnalysis) -> dict[str, Figure]:
    """The pictures by name."""
    drawn = {"link_coefficients": plots.link_coefficients(page.linking.coefficients)}
    if page.linking.common.over == "bills":
        drawn["link_deviations"] = plots.link_deviations(page.linking.items)
    positions = page.linking.positions.rename(columns={"low": "hdi_low", "high": "hdi_high"})
    drawn["forest"] = plots.forest(
        positions.assign(district="", anchor=0), f"{page.target.words} on the reference's scale"
    )
    return drawn


def build_link(page: LinkAnalysis, pngs: Mapping[str, bytes] | None = None) -> str:
    """The report as one HTML page that loads nothing from the network."""
    files = images(link_figures(page)) if pngs is None else pngs
    warned = bool(page.linking.warnings)
    head = Head(
        maker="linked scales",
        title=f"{page.target.words} on the scale of the {page.reference.words}",
        model="Linked scales",
        status="unresolved" if warned else "pass",
        status_words="Linked, with warnings" if warned else "Linked",
        reasons=page.linking.warnings,
        checks=_checks(page),
        facts=_facts(page),
    )
    sections = (_findings(page), _coefficients(page), _items(page), _positions(page))
    return html_page(head, sections, files)


def _checks(page: LinkAnalysis) -> Table:
    """Whether the methods agree, and how much carries the link."""
    values, carrying = page.linking.metrics, page.linking.items
    kept = len(carrying) - int(values.get("link/n_opposite", 0))
    passed, failed = Cell("pass", style="passed"), Cell("fail", style="failed")
    runs = (page.reference, page.target)
    cells = rows(
        [
            "Disagreement of the methods (coefficient of variation of A)",
            "Items that carry the link",
            "Verdict of the reference run",
            "Verdict of the target run",
        ],
        [
            number(values["link/cv"], 3),
            f"{kept} of {len(carrying)}",
            *(scale.verdict or scale.status.lower() or "not known" for scale in runs),
        ],
        [f"below {MOST_CV:g}", f"at least {MIN_ITEMS}", "pass", "pass"],
        [
            passed if _agree(page) else failed,
            passed,
            *(_verdict_cell(scale) for scale in runs),
        ],
    )
    columns = (
        Column("Check"),
        Column("Value", numeric=True),
        Column("Must be"),
        Column("Result"),
    )
    return Table("Checks of the link", columns, cells)


def _verdict_cell(scale: Scale) -> Cell:
    if not scale.verdict and _sound(scale):
        return Cell("not checked", style="open")
    if _sound(scale):
        return Cell("pass", style="passed")
    return Cell(
        *(
            ("not checked", None, "open")
            if scale.verdict == "unresolved"
            else ("fail", None, "failed")
        )
    )


def _facts(page: LinkAnalysis) -> list[tuple[str, str]]:
    common = page.linking.common
    return [
        (f"Common {common.over}", f"{len(common.names):,}"),
        ("Draws linked", f"{page.linking.draws['draw'].nunique():,}"),
        ("Reference", page.reference.run_id),
        ("Target", page.target.run_id),
        ("Run", page.run_id),
    ]


def _findings(page: LinkAnalysis) -> Section:
    values = page.linking.metrics
    unsound = [
        f"The {role} run ({scale.words}) did not pass: {scale.verdict or scale.status.lower()}."
        for role, scale in (("reference", page.reference), ("target", page.target))
        if not _sound(scale)
    ]
    if not _agree(page):
        by_method = page.linking.coefficients
        slopes = by_method.loc[by_method["treatment"] == _treatment(page), "A"].to_numpy(float)
        findings = [
            *unsound,
            "No transformation is stated, because the methods disagree: A is between "
            f"{number(slopes.min())} and {number(slopes.max())}, and varies by "
            f"{number(100 * values['link/cv'], 0)} % of its mean over the methods (above "
            f"{100 * MOST_CV:.0f} % none of them can be relied on).",
            "The tables and pictures below show what each method gives. The positions are those of "
            "one method, and would be others by another.",
        ]
        return Section("findings", "Key findings", (Bullets(tuple(findings)),))
    findings = [
        *unsound,
        f"A position on the target's scale times {number(values['link/A'])} plus "
        f"{number(values['link/B'])} is the position on the reference's.",
    ]
    if values["link/k"] == values["link/k"]:
        findings.append(
            f"The target's parties are {number(values['link/k'])} times as far apart as the "
            f"reference's, and their midpoint lies {number(abs(values['link/delta']))} half gaps "
            f"to the {'right' if values['link/delta'] > 0 else 'left'} of its."
        )
    findings.append(
        f"Over the methods, A varies by {number(100 * values['link/cv'], 0)} % of its mean "
        "(coefficient of variation; above 20 % the methods disagree)."
    )
    return Section("findings", "Key findings", (Bullets(tuple(findings)),))


def _agree(page: LinkAnalysis) -> bool:
    """Whether the methods agree well enough for one to be relied on."""
    return page.linking.metrics["link/cv"] <= MOST_CV


def _sound(scale: Scale) -> bool:
    """Whether a linked run finished and passed, as far as is known."""
    return scale.verdict in ("", "pass") and scale.status in ("", "FINISHED")


def _treatment(page: LinkAnalysis) -> str:
    """The treatment of deviating items that the link has."""
    return page.options.robust if page.linking.common.over == "bills" else "none"


def _coefficients(page: LinkAnalysis) -> Section:
    table = page.linking.coefficients
    text = Text(
        "Linking estimates A and B in xi_reference = A xi_target + B. Every pair of posterior "
        "draws was linked by itself, so the intervals hold the uncertainty of both runs; estimates "
        "are medians, as a bill of hardly any discrimination has a cut point anywhere, which "
        "throws the methods that average cut points far off in some draws. delta and k say where "
        "the target's parties then lie, as the joint model does: the midpoint and the half gap of "
        "their means, in half gaps of the reference's parties."
    )
    columns = [Column("Bills" if page.linking.common.over == "bills" else "Members")]
    columns.append(Column("Method"))
    cells = [[TREATMENTS[t] for t in table["treatment"]], table["method"].tolist()]
    for name in ("A", "B", "delta", "k"):
        if table[name].isna().all():
            continue
        columns.append(Column(f"{name} (95 % interval)", numeric=True))
        pairs = zip(table[name], _spans(table, name), strict=True)
        cells.append([f"{number(v)} ({interval})" for v, interval in pairs])
    blocks = (
        text,
        Picture(
            "link_coefficients",
            "A and B by method with intervals. " + off_scale_words(table),
            "A and B by method; intervals that leave the picture are cut, and an arrow with a "
            "number is an estimate outside it",
        ),
        Table("Coefficients of the link", tuple(columns), rows(*cells)),
    )
    return Section("coefficients", "The link by every method", blocks)


def off_scale_words(table: pd.DataFrame) -> str:
    """Which estimates the picture of the coefficients cannot show in their place."""
    off = [
        f"{name} by {row['method']} at {number(row[name])}"
        for name in ("A", "B")
        for _, row in table[plots.off_scale(table, name)].iterrows()
    ]
    return f"Outside the picture: {listed(off)}." if off else ""


def _spans(table: pd.DataFrame, name: str) -> list[str]:
    return [span(a, b) for a, b in zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)]


def _items(page: LinkAnalysis) -> Section:
    items = page.linking.items
    if page.linking.common.over == "members":
        columns = tuple(
            Column(t, numeric=i > 0)
            for i, t in enumerate(("Member", "Reference", "Target", "Deviation", "z"))
        )
        values = ("reference", "target", "deviation", "z")
        cells = rows(items["name"].tolist(), *([numeric(v) for v in items[n]] for n in values))
        table = Table("Common members", columns, cells, find="Find a member", sortable=True)
        text = Text(
            "Members who sit in both runs carry the link; a large deviation is one who moved."
        )
        return Section("items", "What carries the link", (text, table))
    ordered = items.sort_values("z", ascending=False)
    words = Text(
        "A bill carries the link if it divides members in the same way on both scales. A deviation "
        "is the distance of its logit from where the link puts it, one standard deviation left and "
        "right of the reference's middle; z is the larger in posterior standard deviations. The "
        "last columns say what leaving the bill out does to A and B (Haebara, posterior means)."
    )
    cells = rows(
        [Cell(str(x)) for x in ordered["name"]],
        [numeric(v) for v in ordered["beta_reference"]],
        [numeric(v) for v in ordered["beta_target"]],
        [Cell(chance(v), float(v)) for v in ordered["p_opposite"]],
        [numeric(v) for v in ordered["left"]],
        [numeric(v) for v in ordered["right"]],
        [numeric(v, 1) for v in ordered["z"]],
        [numeric(v) for v in ordered["weight"]],
        [numeric(v, 3) for v in ordered["change_A"]],
        [numeric(v, 3) for v in ordered["change_B"]],
    )
    heads = (
        *("Bill", "Discrimination, reference", "Discrimination, target", "Opposite signs"),
        *("Deviation, left", "Deviation, right", "z", "Weight", "Change of A", "Change of B"),
    )
    columns = tuple(Column(head, numeric=i > 0) for i, head in enumerate(heads))
    picture = Picture(
        "link_deviations", "Deviations of the common bills, largest first.", "Deviating bills"
    )
    table = Table(
        "Common bills, the largest deviation first",
        columns,
        cells,
        find="Find a bill",
        sortable=True,
        fold=f"Table of all {counted(len(items), 'common bill')}",
    )
    return Section("items", "What carries the link", (words, picture, table))


def _positions(page: LinkAnalysis) -> Section:
    table = page.linking.positions
    cells = rows(
        [Cell(name) for name in table["name"]],
        [party_cell(party) for party in table["party"]],
        [numeric(v) for v in table["mean"]],
        [numeric(v) for v in table["sd"]],
        _spans(table.rename(columns={"low": "_low", "high": "_high"}), ""),
    )
    columns = (
        Column("Member"),
        Column("Party"),
        Column("Position", numeric=True),
        Column("Std. dev.", numeric=True),
        Column("95 % interval", numeric=True),
    )
    title = "The target's members on the reference's scale"
    blocks = (
        Picture("forest", "Positions of the target's members with intervals.", "All members"),
        Table(
            title,
            columns,
            cells,
            find="Find a member",
            sortable=True,
            fold=f"Table of all {counted(len(table), 'member')}",
        ),
    )
    if not _agree(page):
        warning = "These positions are those of one method; the others give other positions."
        return Section("positions", title, (Text(warning, tone="warning"), *blocks))
    return Section("positions", title, blocks)
