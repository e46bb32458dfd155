"""A finished run as a small box for notebooks: verdict, both ends, a picture of everybody."""

from html import escape
from typing import TYPE_CHECKING, Any

from tallgrass.report.palette import COLOURS, group, showing
from tallgrass.rollcalls.groups import groups_of

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5  # members at either end
_WIDTH, _HEIGHT, _MARGIN = 640, 64, 12  # pixels


def ends_table(ideal: "pd.DataFrame") -> str:
    """The members at both ends as an HTML table; ``ideal`` is by rank, the farthest right first.

    Without anchors: where they stand was not estimated.
    """
    ideal = ideal[~_held(ideal)]
    rows = [_row(member) for _, member in ideal.head(_SHOWN).iterrows()]
    if len(ideal) > 2 * _SHOWN:
        rows.append("<tr><td colspan=4>&#8942;</td></tr>")
    rest = ideal.iloc[_SHOWN:].tail(_SHOWN)
    rows += [_row(member) for _, member in rest.iterrows()]
    heads = "".join(f"<th>{head}</th>" for head in ("rank", "member", "party", "ideal point"))
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"


def strip(ideal: "pd.DataFrame") -> str:
    """Every member as a mark on one line, as SVG; pointing at one shows the name.

    Anchors are rings.
    """
    low, high = float(ideal["mean"].min()), float(ideal["mean"].max())
    scale = (_WIDTH - 2 * _MARGIN) / ((high - low) or 1.0)
    with showing(groups_of(ideal["party"])):
        colours = [COLOURS[group(party)] for party in ideal["party"].astype(str)]
    marks = []
    for i, ((_, member), held) in enumerate(zip(ideal.iterrows(), _held(ideal), strict=True)):
        x = _MARGIN + scale * (float(member["mean"]) - low)
        y = 14 + 9 * (i % 4)  # neighbours beside each other
        colour = colours[i]
        name = f"{member['name']} {member['mean']:.2f}" + ", anchor" * bool(held)
        look = f'fill="none" stroke="{colour}"' if held else f'fill="{colour}" fill-opacity="0.7"'
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y}" r="4" {look}><title>{escape(name)}</title></circle>'
        )
    ends = (
        f'<text x="{_MARGIN}" y="{_HEIGHT - 4}" font-size="11">{low:.1f}</text>'
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 4}" font-size="11" '
        f'text-anchor="end">{high:.1f}</text>'
    )
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    label = "ideal points of all members"
    return f'<svg {size} role="img" aria-label="{label}">{"".join(marks)}{ends}</svg>'


def _held(ideal: "pd.DataFrame") -> "pd.Series[bool]":
    """Who is held fixed."""
    return ideal["anchor"] != 0


def _row(member: "pd.Series[Any]") -> str:
    low, high = (float(str(member[name])) for name in ("hdi_low", "hdi_high"))
    cells = (
        str(member["rank"]),
        str(member["name"]),
        str(member["party"]),
        f"{float(str(member['mean'])):.2f} ({low:.2f} to {high:.2f})",
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
