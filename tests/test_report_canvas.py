"""Texts on our canvas are those of Matplotlib's, and stand where they stand there."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tallgrass.report.canvas import Canvas


def drawn(canvas, text, x=60, y=40, **how):
    """The picture of a text whose baseline begins at a dot, 120 an inch: ink from 0 to 255."""
    figure = Figure(figsize=(4, 1), dpi=120)
    canvas(figure)
    figure.text(x / 480, y / 120, text, **how)
    figure.canvas.draw()
    return 255 - np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)


def assert_alike(text, **how):
    """A dot more or less to a side, or less of a colour, would make them twice as different."""
    ours, theirs = drawn(Canvas, text, **how), drawn(FigureCanvasAgg, text, **how)
    apart = np.abs(ours - theirs).sum()
    assert apart < 0.5 * min(np.abs(np.roll(ours, 1, axis) - theirs).sum() for axis in (0, 1))
    np.testing.assert_allclose(ours.sum(axis=(0, 1)), theirs.sum(axis=(0, 1)), rtol=0.03)


@pytest.mark.parametrize("text", ["Chris Croft (R-8)", "agp", "AAA", "\N{MINUS SIGN}15", "·1"])
@pytest.mark.parametrize("size", [8, 9.5, 11])
def test_a_text_is_drawn_as_matplotlib_draws_it(text, size):
    assert_alike(text, fontsize=size)


@pytest.mark.parametrize(
    "how", [{"alpha": 0.3}, {"color": (0, 0, 0, 0.3)}, {"color": "#c0392b", "fontweight": "bold"}]
)
def test_colour_weight_and_opacity_are_those_asked_for(how):
    assert_alike("Republicans", **how)


@pytest.mark.parametrize("how", [{"s": r"$x^2$"}, {"s": "R-hat", "rotation": 90}])
def test_formulas_and_slanted_texts_are_left_to_matplotlib(how):
    words = how.pop("s")
    np.testing.assert_array_equal(drawn(Canvas, words, **how), drawn(FigureCanvasAgg, words, **how))


def test_letters_that_the_font_lacks_are_looked_for_in_others_of_the_user():
    how = {"fontfamily": ["cmr10", "DejaVu Sans"]}  # the first has no Greek
    ours, theirs = drawn(Canvas, "αβ", **how), drawn(FigureCanvasAgg, "αβ", **how)
    np.testing.assert_array_equal(ours, theirs)
    assert theirs.any()


def test_a_text_in_several_lines_and_an_empty_one_are_drawn():
    assert drawn(Canvas, "Passed as\namended", fontsize=8).any()
    assert not drawn(Canvas, " ").any()
