"""Single precision is refused before anything is sampled."""

import pytensor
import pytest

from tallgrass.errors import SpecError
from tallgrass.inference.precision import require_double
from tallgrass.rollcalls.prepare import prepare
from tallgrass.rollcalls.reading import read
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings


def test_a_run_in_single_precision_is_refused_with_the_setting_that_asks_for_it():
    spec = RunSpec(model="flat", baseline="none")
    data = read(spec, Settings())
    with (
        pytensor.config.change_flags(floatX="float32"),
        pytest.raises(SpecError, match=r"floatX=float32.*PYTENSOR_FLAGS"),
    ):
        prepare(spec, data)


def test_double_precision_is_taken():
    require_double()
