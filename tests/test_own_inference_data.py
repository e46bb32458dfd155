"""Draws from anywhere as one trace."""

import arviz_base
import numpy as np
import pytest
import xarray as xr
from arviz_stats import ess, rhat
from arviz_stats.base import array_stats

from tallgrass.errors import DataError
from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.verdict import judge
from tallgrass.own.inference_data import as_trace

RNG = np.random.default_rng(3)
DRAWS = {"mu": RNG.normal(size=(4, 200)), "theta": RNG.normal(size=(4, 200, 3))}
STATS = {"diverging": RNG.random((4, 200)) < 0.01, "energy": RNG.normal(size=(4, 200))}
TREE = arviz_base.from_dict({"posterior": DRAWS, "sample_stats": STATS})


class OldInferenceData:
    """The face of ArviZ's InferenceData before version 1.0."""

    def __init__(self, tree):
        self._tree = tree

    def groups(self):
        return list(self._tree.children)

    def extend(self, other):
        raise NotImplementedError

    def __getitem__(self, name):
        return self._tree[name].to_dataset()


@pytest.fixture
def netcdf(tmp_path):
    TREE.to_netcdf(tmp_path / "idata.nc", engine="h5netcdf")
    return tmp_path / "idata.nc"


@pytest.mark.parametrize("kind", ["tree", "old", "path", "text", "dataset", "arrays"])
def test_draws_of_every_kind_are_one_trace(kind, netcdf):
    given = {
        "tree": TREE,
        "old": OldInferenceData(TREE),
        "path": netcdf,
        "text": str(netcdf),
        "dataset": TREE["posterior"].to_dataset(),
        "arrays": DRAWS,
    }[kind]
    trace = as_trace(given)
    np.testing.assert_array_equal(trace["posterior"]["theta"], DRAWS["theta"])
    if kind not in ("dataset", "arrays"):
        assert set(trace["sample_stats"].data_vars) == {"diverging", "energy"}


def test_diagnostics_equal_those_of_arviz():
    found = diagnose(as_trace(TREE))
    expected = {
        "rhat": rhat(TREE)["theta"],
        "ess_bulk": ess(TREE)["theta"],
        "ess_tail": ess(TREE, method="tail", prob=(0.05, 0.95))["theta"],
    }
    rows = found.table[found.table["variable"] == "theta"]
    for column, values in expected.items():
        np.testing.assert_allclose(rows[column], values, rtol=1e-8)
    np.testing.assert_allclose(found.ebfmi, array_stats.bfmi(STATS["energy"]), rtol=1e-8)
    assert sum(found.divergences) == STATS["diverging"].sum()


def test_without_statistics_their_rows_and_metrics_are_left_out():
    found = diagnose(as_trace(DRAWS))
    names = {check.name for check in judge(found, Thresholds()).checks}
    assert not {"divergences", "E-BFMI min"} & names
    assert not [name for name in found.metrics() if "nuts/" in name or "diverg" in name]


def test_divergences_without_energies_are_judged_all_the_same():
    trace = as_trace(TREE)
    trace["sample_stats"] = xr.DataTree(trace["sample_stats"].to_dataset()[["diverging"]])
    found = diagnose(trace)
    checks = {check.name: check.value for check in judge(found, Thresholds()).checks}
    assert checks["divergences"] == STATS["diverging"].sum()
    assert "E-BFMI min" not in checks
    assert "ebfmi_min" not in found.metrics()


def test_integers_booleans_constants_empty_and_undefined_entries_behave():
    given = {
        "count": RNG.integers(0, 3, (4, 100)),
        "flag": RNG.random((4, 100)) < 0.5,
        "constant": np.ones((4, 100)),
        "empty": np.zeros((4, 100, 0)),
        "broken": np.where(RNG.random((4, 100)) < 0.1, np.nan, 1.0),
        "matrix": RNG.normal(size=(4, 100, 2, 2)),
    }
    found = diagnose(as_trace(given))
    assert found.n_constant == 1
    assert found.not_finite == ("broken",)
    assert set(found.table["variable"]) == {"count", "flag", "broken", "matrix"}
    assert list(found.table.index[-4:]) == [
        "matrix[0, 0]", "matrix[0, 1]", "matrix[1, 0]", "matrix[1, 1]",
    ]  # fmt: skip
    assert np.isfinite(found.table.loc["flag", "rhat"])


def test_one_chain_has_no_rhat_and_is_unresolved():
    verdict = judge(diagnose(as_trace({"x": RNG.normal(size=(1, 900))})), Thresholds())
    assert verdict.status == "unresolved"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "kind that is not known: received 'int'"),
        ({"x": [1.0, 2.0]}, r"x: shape \(2,\)"),
        ({"x": [[1.0], [1.0, 2.0]]}, "no array"),
        ({"x": np.zeros((2, 5)), "y": np.zeros((2, 6))}, "different numbers"),
        ({"x": np.zeros((4, 0))}, "4 chains, 0 draws each"),
        ({"x": np.full((2, 5), "a")}, "no variable of the posterior is a number"),
        (xr.DataTree.from_dict({"prior": xr.Dataset()}), "without a group posterior"),
        (xr.Dataset({"x": ("k", [1.0])}), "without the dimension chain"),
        ("nowhere.nc", "no such file of draws"),
    ],
)
def test_what_is_no_set_of_draws_is_refused_in_one_line(given, words):
    with pytest.raises(DataError, match=words):
        as_trace(given)


def test_a_file_that_is_no_netcdf_file_is_refused(tmp_path):
    (tmp_path / "idata.nc").write_text("no draws")
    with pytest.raises(DataError, match="not a NetCDF file"):
        as_trace(tmp_path / "idata.nc")


def test_seconds_and_sampler_are_taken_from_the_attributes():
    tree = TREE.copy()
    tree["posterior"].attrs |= {"sampling_time": 2.5, "inference_library": "numpyro"}
    trace = as_trace(tree)
    assert trace.attrs["sampling_s"] == 2.5
    assert trace.attrs["sampler"] == "numpyro"
