import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from example_trace import example_trace, example_votes
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image
from scipy import stats

from tallgrass.inference.summary import draws_of, names_of
from tallgrass.report import sampler, style
from tallgrass.report.style import plain
from tallgrass.rollcalls import plots, summaries
from tallgrass.rollcalls.plots.ideal import scale_label

NASTY = ["$x$", r"$\frac{", "<script>alert(1)</script>", 'O"Brien & Sons', "Zoë Ñandú", "a\nb\t$"]


@pytest.fixture(scope="module")
def ideal():
    votes, truth = example_votes(independents=2)
    return summaries.ideal_points(example_trace(votes, truth, "flat"), votes)


@pytest.fixture(scope="module")
def trace():
    return example_trace(*example_votes())


def drawn(figure):
    """The figure as pixels; drawing raises on text that matplotlib cannot read."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


def markers(ax):
    """(marker, colour, number of points) of every series of marks."""
    return {
        (line.get_marker(), to_hex(line.get_color()), len(line.get_xdata()))
        for line in ax.lines
        if line.get_linestyle() == "None"
    }


@pytest.mark.filterwarnings("error")
def test_names_that_look_like_formulas_are_drawn_as_they_are(ideal):
    table = ideal.assign(name=(NASTY * 5)[: len(ideal)])
    figure = plots.forest(table, "Senate $of$ 91st")
    drawn(figure)
    shown = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert any(label.startswith(r"\$x\$ (") for label in shown)
    assert not any("\n" in label for label in shown)


def test_forest_shows_each_legislator_in_the_colour_and_mark_of_the_party(ideal):
    ax = plots.forest(ideal).axes[0]
    counts = ideal["party"].value_counts()
    expected = {
        ("o", style.COLOURS["Democrat"], counts["Democrat"]),
        ("s", style.COLOURS["Republican"], counts["Republican"]),
        ("^", style.COLOURS["Other"], counts["Independent"]),
        ("D", style.INK, 2),  # the anchors
    }
    assert expected == markers(ax)


def test_forest_puts_the_highest_ideal_point_on_top(ideal):
    labels = [label.get_text() for label in plots.forest(ideal).axes[0].get_yticklabels()]
    top = ideal.loc[ideal["mean"].idxmax(), "name"]
    assert labels[-1].startswith(top)
    assert len(labels) == len(ideal)


def test_forest_of_130_legislators_leaves_room_for_every_name():
    votes, truth = example_votes(130, 30)
    table = summaries.ideal_points(example_trace(votes, truth), votes)
    figure = plots.forest(table)
    drawn(figure)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert min(box.x0 for box in boxes) >= 0
    gaps = [upper.y0 - lower.y1 for lower, upper in pairwise(boxes)]
    assert min(gaps) > 0
    assert min(box.height for box in boxes) >= 9  # pixels


def test_density_integrates_to_one_and_follows_the_distribution():
    draws = np.random.default_rng(0).normal(3, 2, 20_000)
    x, heights = style.density(draws)
    assert np.trapezoid(heights, x) == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(heights, stats.norm(3, 2).pdf(x), atol=0.012)


def test_density_survives_a_stray_draw_and_constant_draws():
    draws = np.append(np.random.default_rng(0).normal(size=5000), 1e6)
    x, heights = style.density(draws)
    assert x.max() < 100
    assert np.interp(0, x, heights) == pytest.approx(0.4, abs=0.05)
    x, heights = style.density(np.full(100, 2.5))
    assert x[heights.argmax()] == pytest.approx(2.5, abs=1e-3)


def test_party_pictures_draw_both_parties(trace):
    votes, _ = example_votes()
    ideal = summaries.ideal_points(trace, votes)
    parties = names_of(trace, "party")
    mu, sigma = draws_of(trace, "mu_party"), draws_of(trace, "sigma_within")
    positions = plots.party_positions(parties, mu, ideal).axes[0]
    assert {("o", style.COLOURS["Democrat"], 12), ("s", style.COLOURS["Republican"], 18)} == (
        markers(positions)
    )
    assert len(plots.dispersion(parties, sigma).axes[0].collections) == 4  # 2 hills, 2 intervals


@pytest.mark.parametrize("centre", [0.03, 0.5, 0.97])
def test_icc_text_stays_inside_the_picture(centre):
    draws = np.clip(np.random.default_rng(0).normal(centre, 0.01, 2000), 0, 1)
    figure = plots.icc(draws, tuple(np.quantile(draws, [0.025, 0.975])))
    drawn(figure)
    text = figure.axes[0].texts[0]
    assert text.get_text().startswith(f"{100 * draws.mean():.0f} %")
    box = text.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_variance_bar_is_as_long_as_the_whole(trace):
    ax = plots.variance_bar(summaries.variance_decomposition(trace)).axes[0]
    widths = [patch.get_width() for container in ax.containers for patch in container]
    assert len(widths) == 3
    assert sum(widths) == pytest.approx(100)


def test_comparison_names_anchors_and_the_legislators_farthest_from_the_line():
    n = 40
    table = pd.DataFrame(
        {
            "name": [f"Member {i}" for i in range(n)],
            "party": ["Democrat", "Republican"] * (n // 2),
            "reference_raw": -np.arange(n, dtype=float),
            "current": np.arange(n, dtype=float),
            "difference": np.where(np.arange(n) % 10 == 3, 5.0, 0.1),
            "anchored": np.arange(n) == 7,
        }
    )
    figure = plots.comparison_scatter(table, -1.0, 0.0, "r = $1", labelled=4)
    drawn(figure)
    named = {text.get_text() for text in figure.axes[0].texts}
    expected = {"Member 3", "Member 13", "Member 23", "Member 33", "Member 7 (anchor)"}
    assert expected == named - {r"r = \$1"}


def test_labels_cover_neither_each_other_nor_the_points():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 2))
    figure, axes = style.new_figure(5)
    ax = axes[0, 0]
    ax.plot(*points.T, "o")
    ax.set_xlim(-4, 4)
    ax.set_ylim(-4, 4)
    style.place_labels(ax, points, np.arange(6), [f"Legislator {i}" for i in range(6)])
    drawn(figure)
    # The extent of an Annotation includes its leading line; that of a Text is the words alone.
    extents = [Text.get_window_extent(text) for text in ax.texts]
    pixels = ax.transData.transform(points)
    for i, box in enumerate(extents):
        assert not any(box.overlaps(other) for other in extents[i + 1 :])
        assert not any(box.contains(*pixel) for pixel in pixels)


def test_cut_points_beyond_every_legislator_stay_on_the_picture(ideal):
    table = pd.DataFrame(
        {
            "bill": ["HB $1$", "HB 2"],
            "motion": ["Final", ""],
            "cut_point": [0.2, 50.0],
            "cut_low": [0.1, 20.0],
            "cut_high": [0.3, np.inf],
            "yea_side": ["higher", "lower"],
        }
    )
    figure = plots.cut_points(table, ideal, table["cut_point"].to_numpy())
    drawn(figure)
    ax = figure.axes[0]
    assert ax.get_xlim()[1] < 5
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [r"HB \$1\$ · Final", "HB 2", "All 2 cut points"]
    assert {line.get_marker() for line in ax.lines} >= {"<", ">"}


def test_traces_are_thinned_but_rank_histograms_count_every_draw():
    draws = np.random.default_rng(0).normal(size=(4, 3000))
    diverging = np.zeros(draws.shape, bool)
    diverging[2, 17] = True
    figure = sampler.traces(["xi[a]"], [draws], diverging)
    trace_ax, rank_ax = figure.axes
    lines = [line for line in trace_ax.lines if line.get_marker() == "None"]
    assert [len(line.get_xdata()) for line in lines] == [400] * 4
    ticks = [line for line in trace_ax.lines if line.get_marker() == "|"]
    assert ticks[0].get_xdata().tolist() == [17]
    counts = [patch.get_data()[0].sum() for patch in rank_ax.patches]
    assert counts == [3000] * 4


def test_a_chain_apart_shows_in_its_rank_histogram():
    draws = np.random.default_rng(0).normal(size=(2, 500))
    draws[1] += 100
    rank_ax = sampler.traces(["xi[a]"], [draws]).axes[1]
    low = rank_ax.patches[0].get_data()[0]
    assert low[:10].sum() == 500
    assert low[10:].sum() == 0


def test_convergence_without_rhat_shows_effective_draws_alone():
    table = pd.DataFrame(
        {"variable": ["xi", "xi"], "rhat": [np.nan] * 2, "ess_bulk": [500.0, 90], "ess_tail": 400.0}
    )
    assert len(sampler.convergence(table, 1.01, 400).axes) == 1
    assert len(sampler.convergence(table.assign(rhat=1.0), 1.01, 400).axes) == 2


def test_predictions_outside_their_interval_are_counted():
    table = pd.DataFrame(
        {
            "check": ["rollcall_margin"] * 3,
            "observed": [0.1, 0.5, 0.9],
            "mean": [0.1, 0.5, 0.5],
            "low": [0.0, 0.4, 0.4],
            "high": [0.2, 0.6, 0.6],
        }
    )
    figure = plots.predictive(table)
    assert len(figure.axes) == 1
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["outside its interval (1)"]


def test_energy_compares_draws_with_changes():
    energy = np.random.default_rng(0).normal(size=(3, 400))
    labels = sampler.energy(energy).axes[0].get_legend_handles_labels()[1]
    assert labels == ["Energy of the draws (about its mean)", "Change from one draw to the next"]


def test_plain_text_is_one_line_and_not_too_long():
    assert plain("a\x1b[31m\n b") == "a [31m b"
    assert plain("x" * 100, 10) == "x" * 9 + "…"
    assert plain("5 $") == r"5 \$"


def test_an_axis_names_its_ends_only_where_republicans_stand_to_the_right():
    parties = ["Democrat", "Republican", "Independent"]
    assert "right: Republican end" in scale_label(parties, pd.Series([-1.0, 1.0, 0.0]))
    assert scale_label(parties, pd.Series([1.0, -1.0, 0.0])) == "Ideal point"
    assert scale_label(["Independent"], pd.Series([0.0])) == "Ideal point"
