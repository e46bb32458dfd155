"""Runs in two dimensions: the start, the direction of axis 2, tables, pictures, whole runs."""

from pathlib import Path

import arviz as az
import mlflow
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_session import write_votes
from example_store import default_store
from plane_recovery import SPEC, many, simulated

import tallgrass as tg
from tallgrass.errors import SpecError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.plane_start import component_plane, fitted_planes
from tallgrass.rollcalls.plots import chamber_map, cutting_lines
from tallgrass.rollcalls.reflection import reflected_alike
from tallgrass.rollcalls.report.plane import lines_shown
from tallgrass.rollcalls.spec import ModelSpec, RunSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.trace import sample
from tallgrass.settings import Settings


def plane_tree(xi, xi_2, alpha, beta, beta_2, party=(0, 0, 0, 1, 1, 1)):
    """Draws of one chain as a trace; arrays of shape (n_draws, n)."""
    posterior = xr.Dataset(
        {
            **{
                k: (("chain", "draw", "legislator"), [v])
                for k, v in {"xi": xi, "xi_2": xi_2}.items()
            },
            **{
                k: (("chain", "draw", "rollcall"), [v])
                for k, v in {"alpha": alpha, "beta": beta, "beta_2": beta_2}.items()
            },
        }
    )
    constant = xr.Dataset({"party_index": ("legislator", np.array(party))})
    return xr.DataTree.from_dict({"posterior": posterior, "constant_data": constant})


def people():
    return pd.DataFrame(
        {"slug": list("abcdef"), "name": list("ABCDEF"), "party": "Democrat", "district": ""}
    )


def normal_draws(seed=0, n_draws=4000):
    generator = np.random.default_rng(seed)
    xi = np.array([-2, -1, -1.5, 1, 2, 1.5]) + 0.1 * generator.normal(size=(n_draws, 6))
    xi_2 = np.array([1, -1, 0, 2, -2, 0.0]) + 0.2 * generator.normal(size=(n_draws, 6))
    xi_2[:, 0] += 2 * (xi[:, 0] + 2)  # one member's coordinates go together
    beta = np.array([2.0, 0.0, -1.0]) + 0.05 * generator.normal(size=(n_draws, 3))
    beta_2 = np.array([0.0, 3.0, 1.0]) + 0.05 * generator.normal(size=(n_draws, 3))
    return xi, xi_2, np.zeros((n_draws, 3)), beta, beta_2


def test_the_start_lies_on_the_axes_of_the_model():
    votes, _ = simulated(1)
    groups = votes.party_index
    v_1, v_2 = component_plane(votes, groups)
    for g, side in ((0, -1.0), (1, 1.0)):
        assert v_1[groups == g].mean() == pytest.approx(side)
        assert v_2[groups == g].mean() == pytest.approx(0, abs=1e-12)
    assert np.mean(v_2**2) == pytest.approx(1)
    assert (v_1 - np.where(groups == 1, 1, -1)) @ v_2 == pytest.approx(0, abs=1e-9)


def test_the_roll_calls_of_the_start_are_those_of_a_logistic_regression():
    generator = np.random.default_rng(0)
    v = generator.normal(size=(2, 20_000))
    a, b, c = np.array([0.3, -1.0]), np.array([1.5, -0.5]), np.array([-0.7, 2.0])
    p = 1 / (1 + np.exp(a - np.outer(v[0], b) - np.outer(v[1], c)))
    votes = np.where(generator.random(p.shape) < p, 1, -1).astype(np.int8)
    fitted = fitted_planes(votes, (v[0], v[1]), positive=False)
    for estimate, truth in zip(fitted, (a, b, c), strict=True):
        np.testing.assert_allclose(estimate, truth, atol=0.1)  # 4 standard errors


def test_a_chain_that_is_reflected_on_axis_2_is_turned_and_its_logits_stay():
    xi_2 = np.random.default_rng(0).normal(size=(1, 10, 5)) + np.arange(5.0) - 2
    both = np.concatenate([xi_2, -xi_2])
    beta_2 = np.concatenate([np.ones((1, 10, 3)), -np.ones((1, 10, 3))])
    posterior = xr.Dataset(
        {
            "xi_2": (("chain", "draw", "legislator"), both),
            "beta_2": (("chain", "draw", "rollcall"), beta_2),
        }
    )
    turned = reflected_alike(posterior, np.arange(5.0) - 2)
    np.testing.assert_array_equal(turned["xi_2"][1], xi_2[0])
    np.testing.assert_array_equal(turned["beta_2"], np.ones((2, 10, 3)))


def test_the_second_axis_of_members_is_that_of_the_draws():
    tree = plane_tree(*normal_draws())
    ideal = pd.DataFrame(
        {"slug": list("abcdef"), "name": list("ABCDEF"), "party": "", "district": ""}
    )
    table = summaries.with_second_axis(ideal, tree).set_index("slug")
    assert table["rank_2"].to_dict() == {"d": 1, "a": 2, "f": 3, "c": 4, "b": 5, "e": 6} or set(
        table["rank_2"]
    ) == {1, 2, 3, 4, 5, 6}
    assert table.loc["d", "rank_2"] == 1
    assert table.loc["e", "rank_2"] == 6
    assert table.loc["a", "quadrant"] == "left, upper"
    assert table.loc["e", "quadrant"] == "right, lower"
    # cov = 2 var(xi), so r = 0.2 / sqrt(0.2^2 + 0.2^2)
    assert table.loc["a", "r_12"] == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert table.loc["b", "r_12"] == pytest.approx(0, abs=0.07)
    axis = summaries.second_axis(
        table.reset_index(),
        pd.DataFrame({"beta_2_low": [1, -1], "beta_2_high": [2, 1], "axis_2_share": 0.5}),
    )
    assert axis.n_rollcalls == 1
    # var of means 10/6, and of the draws 0.2^2 (0.08 for one of six)
    assert axis.reliability == pytest.approx(1.667 / (1.667 + 0.047), abs=0.01)
    assert "D" in axis.direction.split("negative")[0]


def test_an_axis_that_the_votes_hardly_know_is_questioned():
    axis = summaries.SecondAxis(0.3, 2, 0.1, ("A", "B"), ("C", "D"))
    assert axis.check().status == "questioned"
    assert "30 %" in axis.check().words
    assert summaries.SecondAxis(0.8, 20, 0.1, ("A", "B"), ("C", "D")).check().status == "fits"


def test_the_angle_of_a_roll_call_is_the_direction_of_its_yeas_also_across_180_degrees():
    tree = plane_tree(*normal_draws())
    table = summaries.with_slopes(pd.DataFrame({"vote_id": list("abc")}), tree)
    np.testing.assert_allclose(table["angle"], [0, 90, 135], atol=0.2)
    assert (table["angle_low"] < table["angle"]).all()
    assert (table["angle"] < table["angle_high"]).all()
    np.testing.assert_allclose(table["axis_2_share"], [0, 1, 0.4], atol=0.11)
    left = plane_tree(*[-x if i == 3 else x for i, x in enumerate(normal_draws())])
    leftward = summaries.with_slopes(pd.DataFrame({"vote_id": list("abc")}), left).iloc[0]
    assert abs(leftward["angle"]) == pytest.approx(180, abs=0.2)
    assert leftward["angle_high"] - leftward["angle_low"] < 10


def test_the_map_and_the_cutting_lines_show_every_member_on_axes_of_equal_units():
    ideal = pd.DataFrame(
        {"slug": list("abcdef"), "name": list("ABCDEF"), "party": "Democrat", "district": ""}
    )
    tree = plane_tree(*normal_draws())
    table = summaries.with_second_axis(ideal, tree).assign(
        mean=tree["posterior"]["xi"].mean(("chain", "draw")).to_numpy(), sd=0.1
    )
    rollcalls = pd.DataFrame(
        {"vote_id": list("abc"), "bill": ["HB 1", "", "HB 1"], "alpha": 0.0, "beta": [2, 0, -1.0],
         "beta_2": [0.0, 3.0, 1.0]}
    )  # fmt: skip
    chosen = lines_shown(rollcalls)
    assert chosen["vote_id"].tolist() == ["b", "c"]  # one a bill, the sharpest on axis 2
    for figure in (chamber_map(table), cutting_lines(table, chosen)):
        ax = figure.axes[0]
        figure.draw_without_rendering()
        unit = [
            np.diff(ax.transData.transform([(0, 0), d])[:, i])[0]
            for i, d in ((0, (1, 0)), (1, (0, 1)))
        ]
        assert unit[0] == pytest.approx(unit[1], rel=1e-6)
        for x, y in table[["mean", "mean_2"]].to_numpy():
            assert ax.get_xlim()[0] < x < ax.get_xlim()[1]
            assert ax.get_ylim()[0] < y < ax.get_ylim()[1]


def test_comparing_dimensions_of_two_chambers_is_refused():
    with pytest.raises(SpecError, match="one chamber"):
        tg.compare_dimensions(RunSpec(model="joint", chamber="both"))


# Few draws: what converges roughly is enough here.
QUIET = Settings(progress="none", threshold_rhat=1.1, threshold_ess=50)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A chamber of two dimensions, sampled with one and with two."""
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        votes, truth = simulated(2)
        write_votes(folder / "91st", votes)
        spec = RunSpec(session="91st", chamber="house", draws=300, tune=400, chains=2, min_votes=0)
        yield tg.compare_dimensions(spec, QUIET), truth, votes


@pytest.mark.slow
def test_two_dimensions_predict_a_chamber_of_two_dimensions_better(found):
    dimensions, _, _ = found
    assert dimensions.difference > 4 * dimensions.se
    assert "ask for two" in dimensions.answer
    table = dimensions.table.set_index("what")
    assert table.loc["accuracy", "two"] > table.loc["accuracy", "one"]


@pytest.mark.slow
def test_a_run_in_two_dimensions_finds_both_axes_and_records_them(found):
    dimensions, truth, votes = found
    run = mlflow.get_run(dimensions.two.run_id)
    assert run.data.params["dims"] == "2"
    assert run.data.params["prior.beta_2"] == "normal:0,1"
    assert "2d" in run.info.run_name
    assert 0 < run.data.metrics["axis/reliability_2"] < 1
    compared = tg.compare([dimensions.one.run_id, dimensions.two.run_id], long=True)
    assert {"R-hat(xi_2) max", "ESS(xi_2) min", "Known of axis 2"} <= set(compared["measure"])
    assert run.data.tags["axis_2.direction"].startswith("positive is where")
    # |r| with one dimension is recorded, but decides nothing
    assert 0 < run.data.metrics["abs_r"] < 1
    assert "|r| with the baseline" not in [c.name for c in dimensions.two.verdict.checks]
    ideal = dimensions.two.analysis.tables.ideal_points.set_index("slug").loc[list(votes.slugs)]
    assert abs(np.corrcoef(ideal["mean"], truth["xi"])[0, 1]) > 0.95
    assert abs(np.corrcoef(ideal["mean_2"], truth["xi_2"])[0, 1]) > 0.8
    page = Path(dimensions.two.report_path).read_text()
    assert "Map of the chamber" in page
    assert "What the second axis is about" in page


@pytest.mark.slow
def test_a_run_starts_from_both_axes_of_another_and_is_compared_on_both(found):
    dimensions, _, _ = found
    two = dimensions.two.run_id
    spec = tg.rerun_spec(two).model_copy(update={"init": f"run:{two}", "baseline": two, "seed": 7})
    again = tg.fit(spec, QUIET)
    metrics = mlflow.get_run(again.run_id).data.metrics
    assert metrics["baseline/abs_r_2"] > 0.98
    assert metrics["abs_r"] > 0.98


@pytest.mark.slow
def test_canonical_and_textbook_coordinates_give_the_same_posterior_within_monte_carlo_error():
    votes, _ = simulated(3, sizes=(8, 9), rollcalls=40)
    start = make_start(votes, "pca")
    means, errors = [], []
    for coordinates in ("canonical", "textbook"):
        model = build_model(votes, ModelSpec(**SPEC, coordinates=coordinates), start)
        tuned = SamplerSpec(draws=1500, tune=700, chains=4, seed=5)
        posterior = sample(model, votes, tuned, start.scores).trace["posterior"].to_dataset()
        names = ["xi", "xi_2", "mu_party", "sigma_within", "sigma_within_2"]
        summary = az.summary(posterior[names], round_to="none")
        assert summary["ess_bulk"].min() > 400
        means.append(summary["mean"].to_numpy(float))
        errors.append(summary["mcse_mean"].to_numpy(float))
    z = (means[0] - means[1]) / np.hypot(*errors)
    assert np.abs(z).max() < 4


@pytest.mark.slow
def test_intervals_cover_legislatures_drawn_from_the_model():
    ranks, covered = many(24)
    # Few legislatures: members of one go together, so about 24 to 100 independent numbers each.
    assert 0.82 < covered["xi"].mean() < 0.97
    assert 0.82 < covered["xi_2"].mean() < 0.97
    assert 0.82 < covered["angle"].mean() < 0.98
    for name in ("sigma_within", "sigma_within_2"):
        assert 0.78 < covered[name].mean() <= 1.0
        assert 35 < ranks[name].mean() < 65
