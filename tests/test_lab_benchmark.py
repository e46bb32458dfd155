import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from example_session import write_votes
from toy import usual_votes

from tallgrass.cli import main
from tallgrass.cli.bench import comparison_table, growth_table, kernel_table
from tallgrass.inference.progress import ChainProgress
from tallgrass.lab.benchmark.comparison import Measured, columns_of, pooled, z_scores
from tallgrass.lab.benchmark.kernel import growth, kernel_speed, plain_loop
from tallgrass.lab.benchmark.machine import processor
from tallgrass.lab.benchmark.variants import _Clock, adaptations, posterior_means, three_ways
from tallgrass.rollcalls.spec import RunSpec


def one(ess=100.0, sampling_s=2.0, mean=0.0, mcse=1.0, **other):
    values = {
        "compile_s": 1.0,
        "sampling_s": sampling_s,
        "tuning_share": 0.5,
        "gradients_tuning": 3000.0,
        "gradients": 5000.0,
        "ess": ess,
        "limited_by": "xi[m1]",
        "rhat": 1.001,
        "divergences": 0,
        "parallel": 2,
        "means": pd.DataFrame({"mean": [mean], "mcse": [mcse]}, index=["xi[m1]"]),
    }
    return Measured(**{**values, **other})


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return write_votes(tmp_path_factory.mktemp("bench") / "tiny", usual_votes())


def test_rates_are_by_the_whole_time_by_the_time_after_tuning_and_by_gradients():
    measured = one(ess=120, sampling_s=4, tuning_share=0.25)
    assert measured.ess_per_s == 30
    assert measured.ess_per_s_tuned == 40
    assert measured.ess_per_1000_gradients == 24
    assert measured.us_a_gradient == 1000  # two chains at a time, 4 s, 8000 gradients


def test_the_ratio_is_the_median_over_rounds_of_rates_in_the_same_round():
    slow = [one(ess=10, sampling_s=1), one(ess=10, sampling_s=2), one(ess=10, sampling_s=4)]
    fast = [one(ess=100, sampling_s=1), one(ess=200, sampling_s=2), one(ess=900, sampling_s=1)]
    a, b = columns_of({"a": slow, "b": fast})
    assert a.ratio == 1
    assert b.ratio == 20  # of 10, 20 and 360
    assert b.ess_per_s == 100
    assert b.ess_per_s_range == (100, 900)


def test_agreement_is_in_standard_errors_of_both_means():
    base = pd.DataFrame({"mean": [1.0, 2.0], "mcse": [3.0, 0.3]}, index=["xi[a]", "xi[b]"])
    other = pd.DataFrame({"mean": [2.0, 11.0], "mcse": [0.4, 4.0]}, index=["xi[b]", "xi[a]"])
    np.testing.assert_allclose(np.sort(z_scores(other, base)), [0, 2])
    a, b = columns_of({"a": [one(means=base)], "b": [one(means=other)]})
    assert math.isnan(a.z_max)
    assert b.z_max == pytest.approx(2)
    assert b.z_sd == pytest.approx(1)


def test_means_of_rounds_are_averaged_with_a_smaller_error():
    both = pooled([one(mean=1.0, mcse=3.0), one(mean=2.0, mcse=4.0)])
    assert both["mean"].item() == 1.5
    assert both["mcse"].item() == 2.5


def test_a_way_has_converged_only_where_every_round_has():
    (way,) = columns_of({"a": [one(rhat=1.002), one(rhat=1.02)]})
    assert not way.converged
    (way,) = columns_of({"a": [one(rhat=1.002), one(rhat=1.009)]})
    assert way.converged


def test_the_table_has_a_row_a_measure_and_a_column_a_way():
    heads, rows = comparison_table(columns_of({"a": [one()], "b": [one(ess=500, sampling_s=1)]}))
    assert heads == ["", "a", "b"]
    cells = {name: values for name, *values in rows}
    assert cells["ratio of ESS/s"] == ["1", "10"]
    assert cells["ESS/s with tuning"] == ["50", "500"]
    assert cells["means: largest |z|"] == ["-", "0.00"]
    assert "  lowest round" not in cells  # there is one round only


def test_what_a_sampler_does_not_count_is_a_dash():
    _, rows = comparison_table(columns_of({"c": [one(gradients_tuning=np.nan)]}))
    cells = {name: values for name, *values in rows}
    assert cells["gradients, tuning"] == ["-"]
    assert cells["us a gradient"] == ["-"]


def test_the_clock_counts_time_after_tuning_only():
    clock = _Clock()
    clock((ChainProgress(0, 5, 20, True, 0, 0.1),))
    assert clock.time_after_tuning == 0
    clock((ChainProgress(0, 11, 20, False, 0, 0.1),))
    clock((ChainProgress(0, 20, 20, False, 0, 0.1),))
    ended = clock.time_after_tuning
    assert ended > 0
    clock((ChainProgress(0, 20, 20, False, 0, 0.1),))
    assert clock.time_after_tuning == ended


def test_the_plain_way_differs_from_the_default_in_all_that_was_changed():
    plain, default, pymc = three_ways(RunSpec(target_accept=0.7))
    assert plain.plain
    assert (plain.spec.coordinates, plain.spec.likelihood) == ("textbook", "gather")
    assert plain.spec.target_accept == 0.8
    assert (default.spec.coordinates, default.spec.likelihood) == ("canonical", "kernel")
    assert default.spec.target_accept == 0.7
    assert (pymc.spec.sampler, pymc.spec.coordinates) == ("pymc", "canonical")


def test_adaptations_differ_in_nothing_else():
    ways = adaptations(RunSpec(), ["diag", "low_rank"])
    assert [way.spec.adaptation for way in ways] == ["diag", "low_rank"]
    assert {way.spec.model_copy(update={"adaptation": "auto"}) for way in ways} == {RunSpec()}


def test_means_leave_out_anchors_and_carry_their_error():
    import xarray as xr

    draws = np.random.default_rng(0).normal(2.0, 1.0, size=(2, 500, 3))
    draws[:, :, 1] = 1.0
    dims = ("chain", "draw", "legislator")
    posterior = xr.Dataset({"xi": (dims, draws)}, {"legislator": ["a", "anchor", "b"]})
    table = posterior_means(xr.DataTree.from_dict({"posterior": posterior}))
    assert list(table.index) == ["xi[a]", "xi[b]"]
    np.testing.assert_allclose(table["mean"], draws[:, :, [0, 2]].mean(axis=(0, 1)))
    np.testing.assert_allclose(table["mcse"], 1 / np.sqrt(1000), rtol=0.3)


@pytest.mark.parametrize("divide", [False, True])
def test_the_plain_loop_makes_the_operations_it_is_timed_for(divide):
    x = np.array([0.0, 0.5, 1.0])
    out = np.empty(3)
    plain_loop(3, divide)(x, out, 1)
    expected = ((0.5 * x + 0.25) * x + 0.25) * x + 0.25
    np.testing.assert_allclose(out, 1 / expected if divide else expected)


def test_the_kernel_is_timed_beside_its_limit():
    cells = np.random.default_rng(0).integers(-1, 2, (40, 64), dtype=np.int8)
    speed = kernel_speed(cells, repeats=5)
    assert (speed.n_legislators, speed.n_rollcalls) == cells.shape
    assert 0 < speed.multiply_adds_ns < speed.limit_ns
    assert speed.share_of_limit == speed.limit_ns / speed.kernel_ns
    assert dict(kernel_table(speed)[1])["kernel, 40 x 64"] == f"{speed.kernel_ns:.3f}"


def test_growth_is_measured_in_a_process_of_its_own():
    (grown,) = growth([(30, 50)], repeats=1)
    assert grown.votes == 1500
    assert grown.seconds > 0
    assert grown.ns_a_vote == pytest.approx(1e9 * grown.seconds / 1500)
    assert growth_table([grown])[1][0][0] == "2e+03"


def test_a_vote_costs_about_a_byte_of_memory():
    (grown,) = growth([(4000, 5000)], repeats=1)
    assert 0.9 < grown.bytes_a_vote < 1.2


def test_the_processor_is_named():
    found = processor()
    assert found.model
    assert str(found.cores) in str(found)


@pytest.mark.slow
def test_bench_compares_the_three_ways(session, capsys):
    flags = ["--chamber=house", "--model=flat", "--draws=30", "--tune=40", "--chains=2"]
    assert main(["bench", f"--session={session}", *flags, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    plain, default, pymc = answer["ways"]
    assert [way["name"][:3] for way in answer["ways"]] == ["(a)", "(b)", "(c)"]
    assert plain["ratio"] == 1
    assert default["ratio"] == pytest.approx(default["ess_per_s"] / plain["ess_per_s"])
    assert pymc["gradients_tuning"] is None
    assert min(way["gradients"] for way in answer["ways"]) > 0
    assert answer["spec"]["model"] == "flat"
    assert "15 legislators, " in answer["notes"][0]


@pytest.mark.slow
def test_bench_compares_adaptations_in_a_plain_table(session, capsys):
    flags = ["--chamber=house", "--model=flat", "--draws=30", "--tune=40", "--chains=2"]
    assert main(["bench", f"--session={session}", *flags, "--adaptations=low_rank,diag"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split("\n")[0].split() == ["diag", "low_rank"]
    assert re.search(r"^ratio of ESS/s +1 ", printed.out, re.MULTILINE)
    assert "round 1 of 1, low_rank: sampled in" in printed.err


@pytest.mark.parametrize(
    ("flag", "named"),
    [("--adaptations=diag,quick", "quick"), ("--repeats=0", "repeats"), ("--model=joint", "joint")],
)
def test_bench_refuses_what_it_cannot_measure(session, capsys, flag, named):
    assert main(["bench", f"--session={session}", flag]) == 2
    assert named in capsys.readouterr().err
