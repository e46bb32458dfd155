import numpy as np
import pandas as pd

from tallgrass.lab.sbc.plots import calibration

GRID = np.arange(1, 50) / 50


def ranks(**variables: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"variable": variable, "name": str(i), "simulation": s, "fraction": generator.random()}
            for variable, n in variables.items()
            for i in range(n)
            for s in range(100)
        ]
    )


def test_every_variable_has_a_histogram_and_a_line_for_each_of_its_parameters() -> None:
    figure = calibration(ranks(xi=5, log_likelihood=1), GRID, GRID - 0.2, GRID + 0.2)

    left, right, *below = figure.axes
    assert len(below) == 2
    assert left.get_title(loc="left") == "xi"
    assert right.get_title(loc="left") == "5 parameters, 0 outside the band"
    assert len(right.lines) == 1 + 5  # and zero
    assert below[1].get_title(loc="left") == "1 parameter, 0 outside the band"


def test_parameters_that_leave_the_band_are_counted_and_stand_out() -> None:
    table = ranks(alpha=3)
    table.loc[table["name"] == "1", "fraction"] **= 3

    axes = calibration(table, GRID, GRID - 0.2, GRID + 0.2).axes[1]

    assert axes.get_title(loc="left") == "3 parameters, 1 outside the band"
    widths = [line.get_linewidth() for line in axes.lines[1:]]
    assert widths.index(max(widths)) == 1


def test_names_from_the_data_are_shown_literally() -> None:
    figure = calibration(ranks(**{"x$_{": 1}), GRID, GRID - 0.2, GRID + 0.2)

    figure.canvas.draw()

    assert figure.axes[0].get_title(loc="left") == r"x\$_{"
