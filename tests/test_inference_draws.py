import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from tallgrass.inference.draws import complete_part


def ragged(lengths, longest):
    """Draws as nutpie leaves them after an interrupt: filled up with NaN, False and 0."""
    shape = (len(lengths), longest)
    done = np.arange(longest) < np.array(lengths)[:, None]
    x = np.where(done[..., None], np.arange(np.prod(shape) * 3).reshape(*shape, 3), np.nan)
    steps = np.where(done, 7, 0)
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"x": (("chain", "draw", "i"), x)}),
            "sample_stats": xr.Dataset({"n_steps": (("chain", "draw"), steps)}),
            "warmup_sample_stats": xr.Dataset({"n_steps": (("chain", "draw"), 0 * steps[:, :1])}),
        }
    )


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_of_ragged_chains_the_most_draws_that_form_a_rectangle_are_kept(lengths):
    raw = ragged(lengths, max(lengths))
    kept = complete_part(raw)
    best = max((n * sum(m >= n for m in lengths) for n in lengths), default=0)
    if best == 0:
        assert kept is None
        return
    sizes = kept["posterior"].sizes
    assert sizes["chain"] * sizes["draw"] == best
    assert kept["posterior"]["x"].notnull().all()
    assert (kept["sample_stats"]["n_steps"] == 7).all()
    assert kept["warmup_sample_stats"].sizes == {"chain": sizes["chain"], "draw": 1}


def test_a_chain_that_is_far_behind_is_left_out():
    kept = complete_part(ragged([100, 3, 90, 0], 100))
    assert dict(kept["posterior"].sizes) == {"chain": 2, "draw": 90, "i": 3}
