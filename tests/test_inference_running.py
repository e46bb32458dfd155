"""R-hat and ESS of the draws so far, read from the files that a sampler writes."""

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from tallgrass.inference.running import running_convergence
from tallgrass.inference.stream import DrawFiles


def written(folder, *chains):
    """A folder with draws of a vector ``x``, shape (draws, entries) for every chain."""
    files = DrawFiles(folder)
    entries = chains[0].shape[1]
    frame = xr.DataTree.from_dict({"constant_data": xr.Dataset({"n": 1})})
    files.begin(len(chains), {"x": (["entry"], [entries])}, frame)
    for number, draws in enumerate(chains):
        tuning = np.zeros(len(draws), bool)
        files.append(number, tuning, {"x": draws}, {"lp": np.zeros(len(draws))})
    files.close()
    return folder


def test_the_running_figures_are_those_of_the_worst_entry(tmp_path):
    rng = np.random.default_rng(1)
    chains = rng.normal(size=(4, 150, 30))
    chains[0, :, 7] += 2
    running = running_convergence(written(tmp_path / "draws", *chains))
    expected = arviz_stats.rhat(chains[:, :, 7], chain_axis=0, draw_axis=1, method="split")
    assert running.rhat_max == pytest.approx(float(expected))
    ess = [arviz_stats.ess(chains[:, :, i], chain_axis=0, draw_axis=1) for i in range(30)]
    assert running.ess_min == pytest.approx(min(map(float, ess)))


def test_a_chain_that_has_just_begun_is_not_counted(tmp_path):
    rng = np.random.default_rng(1)
    chains = rng.normal(size=(3, 200, 5))
    with_late = written(tmp_path / "late", chains[0], chains[1], chains[2, :30] + 9)
    without = written(tmp_path / "two", chains[0], chains[1])
    assert running_convergence(with_late) == running_convergence(without)


def test_there_is_nothing_to_say_before_two_chains_have_draws(tmp_path):
    assert running_convergence(tmp_path / "nothing") is None
    one = written(tmp_path / "one", np.zeros((50, 2)), np.zeros((3, 2)))
    assert running_convergence(one) is None
