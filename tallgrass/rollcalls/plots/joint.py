"""Picture of how matched bills differ between the chambers in the joint model."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report.style import ACCENT, MUTED, RULE, label_axes, new_figure, place_labels, plain


def dif_scatter(table: pd.DataFrame, sure: float = 0.95, labelled: int = 8) -> Figure:
    """Discrimination of every matched bill in the House and in the Senate.

    Parameters
    ----------
    table : DataFrame
        Columns bill, beta_house, beta_senate, p_opposite.
    sure : float
        Bills are marked whose signs differ with a larger probability.
    labelled : int
        The most marked bills to name.
    """
    figure, axes = new_figure(5.6, margins=(0.8, 0.3, 0.45, 0.55))
    ax: Axes = axes[0, 0]
    opposite = (table["p_opposite"] > sure).to_numpy()
    x, y = table["beta_house"].to_numpy(float), table["beta_senate"].to_numpy(float)
    reach = 1.12 * max(np.abs(x).max(), np.abs(y).max(), 1.0)
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    ax.axhline(0, color=RULE, linewidth=1)
    ax.axvline(0, color=RULE, linewidth=1)
    ax.axline((0, 0), slope=1, color=MUTED, linewidth=1, linestyle="--")
    ax.plot(
        x[~opposite], y[~opposite], "o", color=MUTED, alpha=0.7, label="same direction, or open"
    )
    ax.plot(x[opposite], y[opposite], "D", color=ACCENT, label="opposite directions")
    named = np.flatnonzero(opposite)[:labelled]
    labels = [plain(bill, 20) for bill in table["bill"].iloc[named]]
    place_labels(ax, np.column_stack([x, y]), named, labels)
    label_axes(ax, "Discrimination in the House", "Discrimination in the Senate")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, frameon=False, fontsize=9)
    return figure
