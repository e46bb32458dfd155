"""Pictures with a palette: a fraction of the bytes, and the same to the eye."""

import io
import math

import numpy as np
from example_report import example_input
from matplotlib.figure import Figure
from PIL import Image

from tallgrass.report.images import images
from tallgrass.report.style import new_figure
from tallgrass.rollcalls.report.figures import figures


def with_all_colours(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi="figure")
    return file.getvalue()


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def test_a_picture_whose_size_is_no_whole_number_of_dots_is_drawn():
    assert int(1.13 * 100) == 112
    [content] = images({"a": Figure(figsize=(6.4, 1.13), dpi=100)}).values()
    assert pixels(content).shape == (113, 640, 3)


def test_a_picture_of_ours_whose_size_is_a_trifle_below_a_whole_number_is_drawn():
    figure, _ = new_figure(math.nextafter(6.5, 0))
    [content] = images({"a": figure}).values()
    assert pixels(content).shape == (780, 960, 3)


def test_pictures_are_half_as_large_and_look_the_same():
    for name, figure in figures(example_input(draws=100)).items():
        [content] = images({name: figure}).values()
        exact = with_all_colours(figure)
        assert len(content) < 0.6 * len(exact), name
        apart = np.abs(pixels(content) - pixels(exact)).max(axis=-1)
        assert apart.mean() < 0.5, name
        assert np.quantile(apart, 0.99) < 20, name


def test_few_colours_are_kept_exactly():
    figure = Figure(figsize=(1, 0.5), dpi=100, facecolor="white")
    figure.add_axes((0, 0, 0.5, 1), facecolor="#1b6ca8").set_axis_off()
    figure.axes[0].axhspan(0, 1, color="#c0392b", antialiased=False)
    [content] = images({"two": figure}).values()
    np.testing.assert_array_equal(pixels(content), pixels(with_all_colours(figure)))


def test_what_covers_much_of_a_picture_of_many_colours_keeps_its_colour():
    figure = Figure(figsize=(4, 4), dpi=100, facecolor="#fdfcf7")
    many = np.random.default_rng(1).random((200, 200, 3))
    figure.figimage(many, 0, 0)
    figure.figimage(np.full((200, 200, 3), 0.2), 200, 200)
    content = pixels(images({"many": figure})["many"])
    assert (content[:200, :200] == (253, 252, 247)).all()
    assert (content[:200, 200:] == 51).all()
    assert np.abs(content[200:, :200] - many * 255).mean() < 20
