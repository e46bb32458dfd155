from importlib.util import find_spec

import numpy as np
import pytest
from needs import missing
from toy import toy_model, toy_votes

from tallgrass.inference.kernel import dense as kernel
from tallgrass.inference.kernel import jax_form, several
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.trace import sample

pytestmark = pytest.mark.slow  # CI adds JAX after the default tests, which pass without it


@pytest.fixture(autouse=True)
def registered():
    if not find_spec("jax"):
        missing("JAX is an optional extra: pip install 'tallgrass[flow]'")
    jax_form.register()


def problem(scale=1.0):
    generator = np.random.default_rng(3)
    cells = generator.integers(-1, 2, (7, 5), dtype=np.int8)
    cells[2], cells[:, 3] = 0, 0
    return cells, *(scale * generator.normal(size=n) for n in (7, 5, 5))


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_jax_agrees_with_the_reference(scale):
    arguments = problem(scale)
    value, *gradients = jax_form.vote_loglik_jax(*arguments)
    expected, *expected_gradients = kernel.reference(*arguments)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for found, wanted in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_jax_differentiates_the_value_to_the_gradients_it_returns():
    import jax

    votes, *vectors = problem()
    value = lambda v, a, b: jax_form.vote_loglik_jax(votes, v, a, b)[0]  # noqa: E731
    _, *expected = kernel.reference(votes, *vectors)
    for found, wanted in zip(jax.grad(value, (0, 1, 2))(*vectors), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_pytensor_compiles_the_op_for_jax():
    import pytensor
    import pytensor.tensor as pt

    inputs = [pt.matrix("votes", dtype="int8"), *pt.dvectors("v", "a", "b")]
    function = pytensor.function(inputs, kernel.vote_loglik(*inputs), mode="JAX")
    arguments = problem()
    np.testing.assert_allclose(function(*arguments), kernel.reference(*arguments)[0], rtol=1e-12)


def test_the_op_of_two_dimensions_has_the_same_value_and_gradients_in_jax():
    import pytensor
    import pytensor.tensor as pt

    votes, v, a, b = problem()
    places, slopes = np.stack([v, v[::-1] ** 2]), np.stack([b, b[::-1] - 1])
    inputs = [pt.matrix("votes", dtype="int8"), *pt.dvectors("a", "x", "y", "b", "c")]
    outputs = several.SeveralVoteLogLikelihood(2)(*inputs)
    found = pytensor.function(inputs, outputs, mode="JAX")(votes, a, *places, *slopes)
    value, grad_v, grad_a, grad_b = several.reference(votes, places, a, slopes)
    for mine, wanted in zip(found, (value, grad_a, *grad_v, *grad_b), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-10, atol=1e-12)


def test_flow_samples_the_same_public_variables_as_the_default():
    votes = toy_votes(9, 10, 25)
    built = toy_model(votes, model="hierarchical")
    spec = SamplerSpec(adaptation="flow", draws=100, tune=200, chains=2, seed=1)
    seen = []
    flow = sample(built, votes, spec, observer=seen.append)
    default = sample(built, votes, spec.model_copy(update={"adaptation": "diag", "draws": 1000}))
    assert set(flow.trace["posterior"].data_vars) == set(built.public)
    assert seen
    means = [
        trace["posterior"]["xi"].mean(("chain", "draw")) for trace in (flow.trace, default.trace)
    ]
    assert np.corrcoef(*means)[0, 1] > 0.99
