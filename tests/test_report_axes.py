"""Axes that draw their ticks at once look as Matplotlib's own, to the last dot."""

import io
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tallgrass.report import style
from tallgrass.report.style import label_axes, new_figure


def numbers(ax):
    ax.plot([-3.2, 4.7], [0.001, 0.0042])
    label_axes(ax, "Ideal point", "Density", "Title")


def names_in_rows(ax):
    ax.plot([1, 2, 3], [0, 1, 2], "o")
    ax.set_yticks([0, 1, 2], ["one", "two\nlines", "a long name (R-12)"], fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", top=True, labeltop=True)
    label_axes(ax, "Below")


def lines_at_the_ticks(ax):
    ax.set_yticks([])
    ax.set_xlim(0.99, 1.05)
    ax.grid(axis="x", color="#d9dce1", linewidth=0.6)
    ax.axvline(1.01, color="red")


def inverted_and_small(ax):
    ax.plot([0, 1000], [7, 3])
    ax.invert_yaxis()
    ax.tick_params(labelsize=8)


def without_axes(ax):
    ax.plot([0, 1], [0, 1])
    ax.set_axis_off()


def slanted(ax):
    ax.plot([0, 1], [0, 1])
    ax.set_xticks([0, 1], ["84th", "85th"], rotation=30)
    ax.set_yticklabels([])


def turned(ax):
    numbers(ax)
    ax.tick_params(axis="x", labelrotation=45)


def logarithmic(ax):
    ax.plot([1, 1000], [0, 1])
    ax.set_xscale("log")


OURS = [numbers, names_in_rows, lines_at_the_ticks, inverted_and_small, without_axes]


@contextmanager
def axes_of_matplotlib():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "LeanAxes", Axes)
        yield


def dots(draw, **how):
    figure, axes = new_figure(2.5, columns=2, margins=(1.4, 0.2, 0.6, 0.7), gaps=(1, 0))
    for ax in axes.flat:
        draw(ax)
    file = io.BytesIO()
    figure.savefig(file, format="png", **how)
    return file.getvalue()


@pytest.mark.parametrize("draw", [*OURS, slanted, turned, logarithmic])
def test_a_figure_is_the_same_to_the_last_dot(draw):
    ours = dots(draw)
    with axes_of_matplotlib():
        assert dots(draw) == ours


@pytest.mark.parametrize("draw", OURS)
def test_what_our_figures_need_is_drawn_without_ticks_of_matplotlib(draw):
    _, axes = new_figure(2.5)
    draw(axes[0, 0])
    assert not axes[0, 0].xaxis.get_visible()
    assert not axes[0, 0].yaxis.get_visible()


@pytest.mark.parametrize("draw", [numbers, names_in_rows])
def test_a_figure_that_is_cut_to_what_is_drawn_loses_nothing(draw):
    ours = dots(draw, bbox_inches="tight")
    with axes_of_matplotlib():
        assert dots(draw, bbox_inches="tight") == ours


def labels_of_rows():
    figure, axes = new_figure(2.5, margins=(1.4, 0.2, 0.6, 0.7))
    names_in_rows(axes[0, 0])
    figure.draw_without_rendering()
    labels = axes[0, 0].get_yticklabels()
    return [x.get_text() for x in labels], [x.get_window_extent().extents for x in labels]


def test_labels_are_those_that_are_drawn_in_their_places():
    names, boxes = labels_of_rows()
    assert names == ["one", "two\nlines", "a long name (R-12)"]
    with axes_of_matplotlib():
        np.testing.assert_allclose(boxes, labels_of_rows()[1])


def test_a_figure_is_cleared_and_drawn_again():
    figure, axes = new_figure(2.5)
    numbers(axes[0, 0])
    axes[0, 0].clear()
    numbers(axes[0, 0])
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
