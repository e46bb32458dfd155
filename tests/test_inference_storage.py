"""The file of a trace: what is rounded, what stays exact, how much room it takes."""

import h5py
import numpy as np
import pytest
import xarray as xr
from example_trace import example_trace, example_votes

from tallgrass.inference import storage
from tallgrass.inference.diagnostics import diagnose


@pytest.fixture(scope="module")
def trace():
    return example_trace(*example_votes(40, 120), draws=500)


@pytest.fixture(scope="module")
def narrow(trace):
    return storage.rounded(trace, "float32")


@pytest.fixture(scope="module")
def path(narrow, tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "idata.nc"
    path.write_bytes(storage.file_of(narrow))
    return path


def of_draws(values):
    """A trace with one variable; ``values`` of shape (draw,) become those of four chains."""
    draws = np.asarray(values, float).reshape(4, -1, 1)
    posterior = xr.Dataset({"x": (("chain", "draw", "entry"), draws)})
    return xr.DataTree.from_dict({"/posterior": posterior})


def rounded_draws(values):
    tree = storage.rounded(of_draws(values), "float32")
    return tree["posterior"]["x"].to_numpy().ravel()


def test_a_file_gives_back_exactly_the_draws_that_the_run_went_on_with(narrow, path):
    back = storage.read_file(path)
    assert set(back.children) == set(narrow.children)
    for name in narrow.children:
        xr.testing.assert_identical(
            back[name].to_dataset().reset_coords(drop=True),
            narrow[name].to_dataset().reset_coords(drop=True),
        )
    assert back["posterior"]["xi"].dtype == np.float64
    assert back.attrs["trace_precision"] == "float32"


def test_a_rounded_trace_of_the_usual_length_takes_a_quarter_of_its_doubles():
    trace = example_trace(*example_votes(20, 60), draws=2000)
    plain = len(trace.to_netcdf(engine="h5netcdf"))
    assert len(storage.file_of(storage.rounded(trace, "float32"))) < plain / 4


def test_every_draw_is_within_a_450th_of_the_spread_of_its_entry(trace, narrow):
    for name, exact in trace["posterior"].data_vars.items():
        off = np.abs(narrow["posterior"][name] - exact).max(("chain", "draw"))
        assert (off <= exact.std(("chain", "draw")) / 450).all(), name


def test_rounding_changes_no_figure_of_convergence_by_a_tenth_of_its_own_noise(trace, narrow):
    before, after = (diagnose(tree).table for tree in (trace, narrow))
    for column in ("ess_bulk", "ess_tail"):
        assert after[column].to_numpy() == pytest.approx(before[column].to_numpy(), rel=0.02)
    assert after["rhat"].to_numpy() == pytest.approx(before["rhat"].to_numpy(), abs=1e-4)


def test_statistics_data_and_whole_numbers_are_stored_exactly(trace, path):
    back = storage.read_file(path)
    for group in ("sample_stats", "observed_data", "constant_data"):
        for name, values in trace[group].data_vars.items():
            assert back[group][name].dtype == values.dtype
            np.testing.assert_array_equal(back[group][name], values)


def test_float64_stores_every_bit(trace, tmp_path):
    whole = storage.rounded(trace, "float64")
    (tmp_path / "idata.nc").write_bytes(storage.file_of(whole))
    back = storage.read_file(tmp_path / "idata.nc")
    for name, values in trace["posterior"].data_vars.items():
        np.testing.assert_array_equal(back["posterior"][name], values)


def test_draws_are_chunked_by_entry_shuffled_and_compressed(path):
    with h5py.File(path) as file:
        alpha = file["posterior/alpha"]
        assert alpha.dtype == np.float32
        assert alpha.chunks == (4, 500, 1)
        assert (alpha.compression, alpha.shuffle) == ("gzip", True)


def test_an_entry_that_is_held_keeps_its_position():
    assert (rounded_draws(np.full(200, -1.0)) == -1.0).all()


def test_no_draw_becomes_zero():
    draws = np.abs(np.random.default_rng(1).normal(size=4000))
    draws[:5] = 1e-7
    after = rounded_draws(draws)
    assert (after > 0).all()
    assert after[0] == pytest.approx(1e-7)


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e300])
def test_draws_that_32_bits_cannot_hold_stay_doubles(odd):
    draws = np.random.default_rng(1).normal(size=400)
    draws[7] = odd
    np.testing.assert_array_equal(rounded_draws(draws), draws)


def test_a_variable_far_from_zero_with_a_small_spread_stays_exact():
    draws = 1e6 + 1e-3 * np.random.default_rng(1).normal(size=400)
    np.testing.assert_array_equal(rounded_draws(draws), draws)


def test_rounding_again_changes_nothing(narrow):
    again = storage.rounded(narrow, "float32")
    xr.testing.assert_equal(again["posterior"].to_dataset(), narrow["posterior"].to_dataset())


def test_thinning_keeps_every_nth_draw_with_its_number_and_says_so(narrow):
    fewer = storage.thinned(storage.thinned(narrow, 5), 2)
    assert fewer["posterior"].sizes["draw"] == fewer["sample_stats"].sizes["draw"] == 50
    assert list(fewer["posterior"]["draw"].to_numpy()[:3]) == [0, 10, 20]
    assert fewer["observed_data"].sizes == narrow["observed_data"].sizes
    assert fewer.attrs["trace_thinned"] == 10
