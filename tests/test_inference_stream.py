import json
import logging

import numpy as np
import pytest
import xarray as xr
from toy import toy_model, usual_votes

from tallgrass.errors import DataError
from tallgrass.inference.draws import Interrupted
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.stream import DrawFiles, has_draws, lengths, read_trace
from tallgrass.rollcalls.trace import sample

VOTES = usual_votes()
GROUPS = ("posterior", "sample_stats", "warmup_sample_stats")


@pytest.fixture(scope="module")
def model():
    return toy_model(VOTES)


def sampled_into(folder, model, sampler):
    spec = SamplerSpec(sampler=sampler, draws=300, tune=200, chains=2)
    files = DrawFiles(folder)
    trace = sample(model, VOTES, spec, sink=files, attributes={"run_id": "r"}).trace
    files.close()
    return trace


def assert_same_draws(kept, trace):
    for group in GROUPS:
        if group in trace.children:
            for name, x in trace[group].data_vars.items():
                assert kept[group][name].dtype == x.dtype
                assert kept[group][name].dims == x.dims
                np.testing.assert_array_equal(kept[group][name], x)
            for name, labels in trace[group].coords.items():
                np.testing.assert_array_equal(kept[group].coords[name], labels)
    for group in ("observed_data", "constant_data"):
        assert kept[group].to_dataset().identical(trace[group].to_dataset())


def test_draws_kept_while_sampling_are_those_of_the_trace(tmp_path, model):
    trace = sampled_into(tmp_path / "draws", model, "nutpie")
    kept = read_trace(tmp_path / "draws")
    assert lengths(tmp_path / "draws") == (300, 300)
    assert_same_draws(kept, trace)
    assert kept.attrs["run_id"] == "r"
    assert kept.attrs["data_sha256"] == trace.attrs["data_sha256"]


@pytest.mark.slow
def test_draws_kept_of_pymc_are_those_of_its_trace(tmp_path, model):
    trace = sampled_into(tmp_path / "draws", model, "pymc")
    assert_same_draws(read_trace(tmp_path / "draws"), trace)


def test_keeping_draws_does_not_change_them(tmp_path, model):
    trace = sampled_into(tmp_path / "draws", model, "nutpie")
    spec = SamplerSpec(draws=300, tune=200, chains=2)
    plain = sample(model, VOTES, spec).trace
    for name, x in plain["posterior"].data_vars.items():
        np.testing.assert_array_equal(trace["posterior"][name], x)


def made_files(folder, rows=(5, 4), tuning=2):
    """Two chains of a variable of shape (3,), as they are while sampling."""
    frame = xr.DataTree.from_dict({"constant_data": xr.Dataset({"k": ("item", [1, 2, 3])})})
    files = DrawFiles(folder)
    files.begin(2, {"x": (("item",), (3,))}, frame)
    for chain, n in enumerate(rows):
        total = tuning + n
        files.append(
            chain,
            np.arange(total) < tuning,
            {"x": np.arange(total * 3.0).reshape(total, 3) + 100 * chain},
            {"diverging": np.zeros(total), "energy": np.arange(total, dtype=float)},
        )
    files.close()
    return files


def test_a_row_that_was_cut_off_is_left_out(tmp_path):
    made_files(tmp_path)
    with (tmp_path / "draws-0.f8").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 3)
    assert lengths(tmp_path) == (4, 4)
    trace = read_trace(tmp_path)
    assert trace["posterior"]["x"].shape == (2, 4, 3)
    np.testing.assert_array_equal(trace["posterior"]["x"][1, 0], [106, 107, 108])
    assert trace["sample_stats"]["diverging"].dtype == bool


def test_a_chain_that_is_still_tuning_is_left_out(tmp_path):
    made_files(tmp_path, rows=(6, 0))
    trace = read_trace(tmp_path)
    assert trace["posterior"].sizes == {"chain": 1, "draw": 6, "item": 3}


def test_tuning_draws_alone_are_nothing_to_recover(tmp_path):
    made_files(tmp_path, rows=(0, 0))
    assert not has_draws(tmp_path)
    assert read_trace(tmp_path) is None


def test_a_folder_without_draws_or_of_another_format_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no draws"):
        lengths(tmp_path)
    (tmp_path / "header.json").write_text(json.dumps({"format": "tallgrass draws 99"}))
    with pytest.raises(DataError, match="another version"):
        lengths(tmp_path)


def test_a_sink_that_cannot_write_says_so_once_and_sampling_goes_on(tmp_path, model, caplog):
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING, "tallgrass"):
        trace = sampled_into(tmp_path / "file" / "draws", model, "nutpie")
    assert trace["posterior"].sizes["draw"] == 300
    assert [r.message for r in caplog.records if "no longer kept" in r.message] != []
    assert len(caplog.records) == 1


def test_a_request_to_stop_ends_sampling_with_the_draws_made(model):

    far = []

    def observer(progress):
        far.append(min(chain.finished for chain in progress))

    spec = SamplerSpec(draws=1_000_000, tune=200, chains=2)
    with pytest.raises(Interrupted) as caught:
        sample(model, VOTES, spec, observer=observer, stopped=lambda: bool(far) and far[-1] > 400)
    assert 100 < caught.value.sampled.trace["posterior"].sizes["draw"] < 900_000
