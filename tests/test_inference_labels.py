"""Names of the entries of a variable."""

import numpy as np
import xarray as xr

from tallgrass.inference.labels import entry_label, entry_names, metric_name


def test_entries_are_named_by_their_coordinates_or_counted():
    def names(dims, **coords):
        array = np.zeros((2, 3) + (2,) * len(dims))
        return entry_names(xr.DataArray(array, coords, ("chain", "draw", *dims)))

    assert names(()) == [""]
    assert names(("k",)) == ["0", "1"]
    assert names(("k",), k=["a", "b"]) == ["a", "b"]
    assert names(("j", "k"), k=["a", "b"]) == ["0, a", "0, b", "1, a", "1, b"]


def test_a_scalar_is_labelled_by_its_variable_alone():
    assert entry_label("mu", "") == "mu"
    assert entry_label("theta", "a, 1") == "theta[a, 1]"


def test_a_name_that_mlflow_refuses_is_changed_and_others_are_kept():
    assert metric_name("theta[1]|x%") == "theta_1__x_"
    assert metric_name("group/beta_2.5") == "group/beta_2.5"
    assert len(metric_name("x" * 300)) == 200
