"""Tables of people -> the scatters, the map and the forest that the page draws."""

import numpy as np
import pandas as pd

from tallgrass.report.forest import Estimate, Forest
from tallgrass.report.palette import style_of
from tallgrass.report.people import person_id
from tallgrass.report.scatter import Line, Point, Scatter
from tallgrass.report.words import number, span
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.plots.ideal import scale_label
from tallgrass.rollcalls.plots.plane import AXIS_2, apart_first, axis_1, half_ellipses

NAMED = 6  # beside a mark, without the anchors
NAMED_ON_MAP = 16


def party_style(party: str) -> str:
    """The class of a party's marks."""
    return style_of(party)


def forest_picture(ideal: pd.DataFrame, alt: str, known_ends: bool = True) -> Forest:
    """Every legislator's estimate and interval, from the farthest right down."""
    rows = tuple(
        Estimate(
            person(row) + (" · anchor" if row["anchor"] else ""),
            float(row["hdi_low"]),
            float(row["mean"]),
            float(row["hdi_high"]),
            number(row["mean"]),
            "held fixed" if row["anchor"] else span(row["hdi_low"], row["hdi_high"], 1),
            party_style(row["party"]) + (" hollow" if row.get("chamber") == "senate" else ""),
            person_id(row["slug"]),
        )
        for _, row in ideal.sort_values("mean", ascending=False, kind="stable").iterrows()
    )
    # Which way the scale of a user's model runs is not known.
    label = scale_label(ideal["party"], ideal["mean"]) if known_ends else "Ideal point"
    return Forest("forest", alt, "Ideal points with 95 % intervals", label, rows)


def map_picture(ideal: pd.DataFrame, alt: str) -> Scatter:
    """The chamber on two axes, with the ellipse that holds half of the posterior of each member."""
    named = set(apart_first(ideal)[:NAMED_ON_MAP].tolist())
    long, short, angles = half_ellipses(ideal)
    points = tuple(
        Point(
            float(row["mean"]),
            float(row["mean_2"]),
            row["name"],
            f"{person(row)}: axis 1 {number(row['mean'])}, axis 2 {number(row['mean_2'])}",
            party_style(row["party"]),
            person_id(row["slug"]),
            i in named,
            ellipse=(float(long[i]), float(short[i]), float(angles[i])),
        )
        for i, (_, row) in enumerate(ideal.iterrows())
    )
    caption = "The chamber on two axes"
    return Scatter("map", alt, caption, axis_1(), AXIS_2, points, equal=True)


def shrinkage_picture(table: pd.DataFrame, alt: str) -> Scatter:
    """Estimates without party across, with party up."""
    points = _points(table, "flat", "hierarchical", "moved", ("without party", "with party"))
    means = table.groupby("party")["party_mean"].first()
    lines = [Line(0.0, float(mean), f"mean {party_style(str(p))}") for p, mean in means.items()]
    return Scatter(
        "shrinkage",
        alt,
        "Estimates without and with party",
        "Without party (flat model, rescaled)",
        "With party (hierarchical model)",
        points,
        (Line(1.0, 0.0), *lines),
    )


def comparison_picture(table: pd.DataFrame, slope: float, intercept: float, alt: str) -> Scatter:
    """The baseline across, this run up, and the line that takes one scale to the other."""
    words = ("in the baseline", "in this run")
    points = _points(table, "reference_raw", "current", "difference", words)
    return Scatter(
        "comparison",
        alt,
        "This run against the baseline",
        "Ideal point in the baseline (its own scale)",
        "Ideal point in this run",
        points,
        (Line(slope, intercept),),
    )


def external_picture(table: pd.DataFrame, name: str, alt: str) -> Scatter:
    """Published scores across, ideal points up."""
    table = table.assign(anchored=False, rank_change=table["rank_change"].fillna(0.0))
    points = _points(table, "score", "ideal_point", "rank_change", ("score", "in this run"))
    caption = "This run against published scores"
    label = f"Score: {name[:60]}"
    return Scatter("external", alt, caption, label, "Ideal point in this run", points)


def _points(
    table: pd.DataFrame, x: str, y: str, by: str, words: tuple[str, str]
) -> tuple[Point, ...]:
    """A mark a row; anchors and those with the largest absolute value of ``by`` are named."""
    anchored = table["anchored"].to_numpy(bool)
    order = np.argsort(-table[by].abs().to_numpy(float), kind="stable")
    named = set(order[~anchored[order]][:NAMED].tolist()) | set(np.flatnonzero(anchored).tolist())
    return tuple(
        Point(
            float(row[x]),
            float(row[y]),
            row["name"] + (" (anchor)" if anchored[i] else ""),
            f"{row['name']}: {words[0]} {number(row[x])}, {words[1]} {number(row[y])}",
            party_style(row["party"]),
            person_id(row["slug"]),
            i in named,
            bool(anchored[i]),
        )
        for i, (_, row) in enumerate(table.iterrows())
    )
