"""The sections on parties, which the hierarchical model has."""

import pandas as pd

from tallgrass.report.page import Cell, Column, Picture, Section, Table, Text, numeric, rows
from tallgrass.report.words import chance, number, percent, signed, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.report.overview import overlap
from tallgrass.rollcalls.report.scatters import shrinkage_picture
from tallgrass.rollcalls.report.words import named_cells, party_cell, plural

PARAMETERS = {
    "mu_party": "Mean position",
    "sigma_within": "Spread within the party",
    "gap": "Distance between the means",
}
LISTED_SHRINKAGE = 3
_NUMBERS = {4: "Four", 6: "Six", 8: "Eight"}


def party_sections(run: RollCallAnalysis) -> list[Section]:
    """Party parameters, positions, ICC, variance, dispersion and shrinkage; those that exist."""
    tables = run.tables
    if tables.party_parameters is None or tables.variance is None or tables.dispersion is None:
        return []
    sections = [
        _parameters(tables.party_parameters),
        _positions(run, tables.party_parameters),
        _icc(tables.variance, len(run.votes.groups)),
        _variance(tables.variance),
        _dispersion(tables.dispersion),
    ]
    return sections if tables.shrinkage is None else [*sections, _shrinkage(tables.shrinkage)]


def _parameters(table: pd.DataFrame) -> Section:
    cells = rows(
        [PARAMETERS[name] for name in table["parameter"]],
        [Cell("both") if party == "both" else party_cell(party) for party in table["party"]],
        [str(n) for n in table["n_legislators"]],
        [number(v) for v in table["mean"]],
        [number(v) for v in table["sd"]],
        [span(low, high) for low, high in zip(table["hdi_low"], table["hdi_high"], strict=True)],
    )
    columns = (
        Column("Parameter"),
        Column("Party"),
        Column("Members", numeric=True),
        Column("Estimate", numeric=True),
        Column("Std. dev.", numeric=True),
        Column("95 % interval", numeric=True),
    )
    text = Text(
        f"{_NUMBERS.get(len(table) - 1, 'These')} numbers describe the parties: where the middle "
        "of each lies, and how widely its members are spread around that middle. All are on the "
        "scale of the ideal points."
    )
    caption = "Means and spreads of the parties, and the distance between them"
    return Section("party-parameters", "Party parameters", (text, Table(caption, columns, cells)))


def _positions(run: RollCallAnalysis, table: pd.DataFrame) -> Section:
    means = table[table["parameter"] == "mu_party"]
    sentences = [
        f"{plural(row['party'])}: mean {number(row['mean'])}, 95 % interval "
        f"{span(row['hdi_low'], row['hdi_high'])}."
        for _, row in means.iterrows()
    ]
    text = Text(
        "Each hill shows what is known of a party's mean position: the higher the hill, the "
        "likelier the position, and the narrower the hill, the more precisely the mean is known. "
        "The marks below are the party's members, one mark each. The hills describe the mean, so "
        "members lie well outside them."
    )
    alt = " ".join(["Posterior densities of the party means.", *sentences, *overlap(run)])
    picture = Picture("party_positions", alt, "Party means, and below them the members")
    return Section("party-positions", "Where the parties stand", (text, picture))


def _icc(variance: pd.DataFrame, n_groups: int) -> Section:
    share = variance.iloc[0]
    middle, low, high = (percent(share[name]) for name in ("share", "share_low", "share_high"))
    text = Text(
        f"Of all the differences between legislators, {middle} are differences between the "
        f"{'two ' if n_groups == 2 else ''}parties, with a 95 % interval from {low} to {high}. At "
        "100 % a legislator's party would tell everything about the position; at 0 % it would tell "
        "nothing. The picture shows how likely each value is; the bar below it is the interval. "
        "Statisticians call this share the intraclass correlation (ICC)."
    )
    alt = (
        f"Posterior density of the share of variance that party explains: mean {middle}, "
        f"95 % interval {low} to {high}."
    )
    picture = Picture("icc", alt, "How much party explains")
    return Section("icc", "How much party explains", (text, picture))


def _variance(variance: pd.DataFrame) -> Section:
    names = [
        {"between": "Between the parties", "total": "Total"}.get(component)
        or f"Within the {plural(party)}"
        for component, party in zip(variance["component"], variance["party"], strict=True)
    ]
    cells = rows(
        names,
        [number(v, 3) for v in variance["mean"]],
        [span(low, high, 3) for low, high in zip(variance["low"], variance["high"], strict=True)],
        [percent(v, 1) for v in variance["share"]],
    )
    columns = (
        Column("Part"),
        Column("Variance", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Share", numeric=True),
    )
    text = Text(
        "The bar cuts the variance of the ideal points into the part between the parties and the "
        "part within each of them. Each party's part within is weighted by its number of members, "
        "so a small party contributes little even when its members disagree."
    )
    parts = [
        f"{name}: {percent(share)}"
        for name, share in zip(names, variance["share"], strict=True)
        if name != "Total"
    ]
    alt = "Bar of the variance of ideal points. " + "; ".join(parts) + "."
    blocks = (
        text,
        Picture("variance", alt, "Where the differences between legislators lie"),
        Table("The parts of the variance", columns, cells),
    )
    return Section("variance", "Variance decomposition", blocks)


def _most_divided(table: pd.DataFrame) -> str:
    return "more divided" if len(table) == 2 else "most divided"


def _dispersion(table: pd.DataFrame) -> Section:
    wider = table.sort_values("p_larger", ascending=False).iloc[0]
    certainty = chance(wider["p_larger"])
    text = Text(
        f"A party whose members vote alike has a small spread. The hills show what is known of "
        f"each party's spread; where they hardly overlap, the answer is clear. The "
        f"{plural(wider['party'])} are the {_most_divided(table)} party with a probability of "
        f"{certainty}."
    )
    sentences = [
        f"{plural(row['party'])}: {number(row['sigma_mean'])}, 95 % interval "
        f"{span(row['sigma_low'], row['sigma_high'])}."
        for _, row in table.iterrows()
    ]
    alt = " ".join(["Posterior densities of the spread within each party.", *sentences])
    cells = rows(
        [party_cell(party) for party in table["party"]],
        [str(n) for n in table["n_legislators"]],
        [number(v) for v in table["sigma_mean"]],
        [span(lo, hi) for lo, hi in zip(table["sigma_low"], table["sigma_high"], strict=True)],
        [number(v) for v in table["sd_mean"]],
        [chance(v) for v in table["p_larger"]],
    )
    columns = (
        Column("Party"),
        Column("Members", numeric=True),
        Column("Spread", numeric=True, hint="sigma_within: spread of the party in the model"),
        Column("95 % interval", numeric=True),
        Column(
            "Among its members", numeric=True, hint="standard deviation of these members' positions"
        ),
        Column("Probability of the larger spread", numeric=True),
    )
    blocks = (
        text,
        Picture("dispersion", alt, "What is known of the spread within each party"),
        Table("Spread within each party", columns, cells),
    )
    return Section("dispersion", "Which party disagrees more within itself", blocks)


def _shrinkage(table: pd.DataFrame) -> Section:
    order = table["moved"].abs().sort_values(ascending=False, kind="stable").index
    ordered = table.loc[order]
    estimated = ordered[~ordered["anchored"]]
    text = Text(
        "The flat model estimates every legislator without looking at party; the hierarchical "
        "model pulls each one towards the party's mean, and the more so the fewer the votes. In "
        "the picture, a legislator on the dashed line was not moved. The coloured lines are the "
        "party means. The flat estimates were brought to this scale by least squares. An open "
        "diamond is an anchor, which one of the models holds at a fixed value: its distance from "
        "the line is not an estimate of anything."
    )
    named = "; ".join(
        f"{row['name']} by {signed(row['moved'])}"
        for _, row in estimated.head(LISTED_SHRINKAGE).iterrows()
    )
    correlation = estimated["flat"].corr(estimated["hierarchical"])
    alt = (
        f"Scatter of {len(table)} legislators' ideal points without and with party, correlation "
        f"{number(correlation, 3)} without the anchors. Moved most: {named}."
    )
    pct = ordered["shrinkage_pct"]
    cells = rows(
        named_cells(ordered),
        [party_cell(party) for party in ordered["party"]],
        [numeric(v) for v in ordered["flat"]],
        [numeric(v) for v in ordered["hierarchical"]],
        [numeric(v, 2, signed) for v in ordered["moved"]],
        [numeric(v, 0) for v in pct],
    )
    columns = (
        Column("Legislator"),
        Column("Party"),
        Column("Without party", numeric=True),
        Column("With party", numeric=True),
        Column("Moved", numeric=True),
        Column("Pulled towards the party (%)", numeric=True),
    )
    note = Text(
        "The last column says how much of the distance to the party's mean disappeared; a negative "
        "value means the distance grew. It is left out for anchors and for legislators whom the "
        "flat model already puts within 0.5 of the mean, where a percentage means nothing.",
        tone="aside",
    )
    caption = "Every legislator with and without party, those moved most first"
    fold = f"Table of all {len(table)} legislators"
    listing = Table(caption, columns, cells, find="Find a legislator", sortable=True, fold=fold)
    picture = shrinkage_picture(table, alt)
    title = "How accounting for party changes estimates"
    return Section("shrinkage", title, (text, picture, listing, note))
