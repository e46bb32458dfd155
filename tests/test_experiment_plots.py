"""The pictures of an experiment."""

from itertools import pairwise

import pytest

from tallgrass.experiment.plots import rates


@pytest.mark.parametrize(
    "values", [[42.1, 18.4, 56.7], [3.1, 9.9], [40.0, 41.0], [0.02, 5.0, 1900.0], [1e-4, 1e5]]
)
def test_names_of_ticks_are_plain_numbers_that_do_not_run_into_each_other(values):
    figure = rates([f"run {i}" for i in range(len(values))], values, ["pass"] * len(values))
    figure.canvas.draw()
    (ax,) = figure.axes
    low, high = ax.get_xlim()
    shown = [
        label
        for at, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if low <= at <= high
    ] + [label for label in ax.get_xticklabels(minor=True) if label.get_text()]
    assert len(shown) >= 2
    assert all(float(label.get_text()) > 0 for label in shown)
    boxes = sorted((label.get_window_extent() for label in shown), key=lambda box: box.x0)
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_a_rate_of_thousands_is_written_out():
    figure = rates(["a", "b"], [1912.3, 5.0], ["pass", "pass"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["1,912", "5"]
