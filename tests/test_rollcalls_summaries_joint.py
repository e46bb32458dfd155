"""What single bills do to the link of the joint model."""

import numpy as np
import pytest
import xarray as xr
from toy_chambers import toy_chambers

from tallgrass.errors import DataError
from tallgrass.rollcalls.summaries.joint import link_without

N_DRAWS = 3


@pytest.fixture
def joint():
    return toy_chambers(rollcalls=(7, 8), matched=6)


@pytest.fixture
def trace(joint):
    generator = np.random.default_rng(4)
    names = list(joint.combined.vote_ids)
    size = (1, N_DRAWS, len(names))
    posterior = {
        "alpha": (("chain", "draw", "rollcall"), generator.normal(size=size)),
        "beta": (("chain", "draw", "rollcall"), 2 * generator.normal(size=size)),
        "delta": (("chain", "draw"), generator.normal(size=size[:2])),
        "k": (("chain", "draw"), np.exp(0.3 * generator.normal(size=size[:2]))),
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(posterior, {"rollcall": names})})


def least_squares(trace, matches, i):
    """delta and k that the Senate's logits at its party means give, bill by bill, in one draw."""
    drawn = trace["posterior"].isel(chain=0, draw=i)
    delta, k = float(drawn["delta"]), float(drawn["k"])
    rows, values = [], []
    for match in matches:
        (a, b), (a_senate, b_senate) = (
            [float(drawn[name].sel(rollcall=vote)) for name in ("alpha", "beta")]
            for vote in (match.house, match.senate)
        )
        for side in (-1, 1):
            rows.append([b, side * b])
            values.append(b_senate * (delta + side * k) - a_senate + a)
    return np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]


@pytest.mark.parametrize("left_out", [["HB 2"], ["HB 0", "HB 5"]])
def test_the_link_without_bills_is_that_of_least_squares_over_the_others(joint, trace, left_out):
    matched = [one for one in joint.matches if one.status == "matched"]
    bills = {match.bill for match in matched if match.bill in left_out}
    assert len(bills) == len(left_out)
    others = [match for match in matched if match.bill not in bills]
    expected = np.mean(
        [
            least_squares(trace, others, i) - least_squares(trace, matched, i)
            for i in range(N_DRAWS)
        ],
        axis=0,
    )
    np.testing.assert_allclose(link_without(trace, joint, bills), expected, rtol=1e-9)


def test_bills_that_do_not_deviate_change_nothing(joint, trace):
    posterior = trace["posterior"]
    for match in joint.matches:
        if match.status == "matched":
            for name in ("alpha", "beta"):
                values = posterior[name]
                values.loc[{"rollcall": match.senate}] = values.sel(rollcall=match.house)
    np.testing.assert_allclose(link_without(trace, joint, {"HB 1"}), 0.0, atol=1e-12)


def test_a_link_without_any_bill_is_refused(joint, trace):
    with pytest.raises(DataError, match="no matched bill is left"):
        link_without(trace, joint, {match.bill for match in joint.matches})
