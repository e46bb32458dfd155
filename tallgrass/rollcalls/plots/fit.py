"""Picture of how well the model's predictions match the votes."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report.style import ACCENT, MUTED, label_axes, new_figure, panel_title

CHECKS = {
    "rollcall_margin": "Roll calls: margin (yeas minus nays)",
    "legislator_yea_rate": "Legislators: share of yeas",
    "party_margin": "Roll calls: margin within a party",
    "own_party_agreement": "Legislators: agreement with own party",
}


def predictive(table: pd.DataFrame) -> Figure:
    """Observed values against those predicted by the fitted model, with intervals.

    Parameters
    ----------
    table : DataFrame
        Columns check (a key of CHECKS), observed, mean, low, high.
    """
    checks = [check for check in CHECKS if (table["check"] == check).any()]
    columns, n_rows = min(len(checks), 2), -(-len(checks) // 2)
    figure, axes = new_figure(
        4.3 * n_rows,
        columns=columns,
        rows=n_rows,
        margins=(0.75, 0.2, 0.5, 0.6),
        gaps=(0.8, 0.95),
    )
    for ax in axes.flat[len(checks) :]:
        ax.set_visible(False)
    for ax, check in zip(axes.flat, checks, strict=False):
        _panel(ax, table[table["check"] == check])
        panel_title(ax, CHECKS[check], fontsize=10, fontweight="bold", pad=8)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    ax.axline((0, 0), slope=1, color=MUTED, linewidth=1, linestyle="--")
    ax.vlines(rows["observed"], rows["low"], rows["high"], color=ACCENT, alpha=0.4, linewidth=1.2)
    outside = (rows["observed"] < rows["low"]) | (rows["observed"] > rows["high"])
    inside, outliers = rows[~outside], rows[outside]
    ax.plot(inside["observed"], inside["mean"], "o", color=ACCENT, markersize=3.4)
    ax.plot(
        outliers["observed"], outliers["mean"], "D", color="#d55e00", markersize=5,
        label=f"outside its interval ({len(outliers)})",
    )  # fmt: skip
    if len(outliers):
        ax.legend(loc="upper left", frameon=False, fontsize=8.5)
    low = min(rows["observed"].min(), rows["low"].min())
    high = max(rows["observed"].max(), rows["high"].max())
    pad = 0.05 * ((high - low) or 1.0)
    ax.set_xlim(low - pad, high + pad)
    ax.set_ylim(low - pad, high + pad)
    label_axes(ax, "Observed", "Predicted, with 95 % interval")
