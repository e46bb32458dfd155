"""What surrounds a run: one that meets stored code that is cut short."""

import pickle
from pathlib import Path

import mlflow
import pytest
from example_store import default_store

from tallgrass.errors import SamplingError
from tallgrass.inference import cache
from tallgrass.settings import Settings
from tallgrass.study import surroundings


def test_a_run_that_meets_code_cut_short_ends_failed_and_the_code_is_removed(tmp_path, monkeypatch):
    # An error of a pickle that counts as numba's: the real ones are met in test_sampling_compiled.
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "f.nbi").write_bytes(b"")
    monkeypatch.setattr(cache, "NUMBA_CACHE_PATH", stored)
    # The stored kernels are left to other tests.
    monkeypatch.setattr(cache, "_OURS", "none of them")
    monkeypatch.setattr(cache, "_NUMBA", Path(__file__).parent)
    settings = Settings(progress="none", state_dir=tmp_path / "state")
    with default_store(tmp_path):
        with (
            pytest.raises(SamplingError, match="run the command again"),
            surroundings.place(settings) as where,
            surroundings.open_run(where, settings, "title", "name", {}) as (run, _),
        ):
            pickle.loads((stored / "f.nbi").read_bytes())
        assert mlflow.MlflowClient().get_run(run.run_id).info.status == "FAILED"
    assert list(stored.iterdir()) == []


def test_code_stored_by_a_version_with_other_names_counts_as_unreadable(tmp_path, monkeypatch):
    # What numba does with an index whose pickle names a class that was renamed since.
    folder = tmp_path / "numba"
    folder.mkdir()
    (folder / "caching.py").write_text("import pickle\ndef load(data): return pickle.loads(data)\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(cache, "_NUMBA", folder)
    from caching import load

    for named in (b"ctallgrass.errors\nGone\n.", b"ctallgrass.no_such_room\nGone\n."):
        with pytest.raises((AttributeError, ImportError)) as error:
            load(named)
        assert cache._is_unreadable(error.value)
    assert not cache._is_unreadable(AttributeError("of something else"))
