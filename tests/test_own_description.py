"""What a PyMC model is made of."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from own_models import eight_schools, of_several_shapes, with_discrete, without_free_variables

from tallgrass.errors import SpecError
from tallgrass.own.description import Description, describe, describe_draws, model_of
from tallgrass.own.model import chosen_sampler, prepared_model


def by_name(model):
    return {variable.name: variable for variable in describe(model).variables}


def test_every_variable_has_its_kind_prior_dimensions_and_shape():
    found = by_name(eight_schools())
    assert {name: v.kind for name, v in found.items()} == {
        "mu": "free",
        "tau": "free",
        "unit": "free",
        "theta": "deterministic",
        "effect": "observed",
        "errors": "data",
    }
    assert found["mu"].text == "Normal(0, 5)"
    assert found["unit"].dims == ("school",)
    assert found["unit"].shape == (8,)
    assert found["mu"].shape == ()


def test_shapes_are_those_on_the_constrained_scale():
    found = by_name(of_several_shapes())
    assert found["share"].shape == (3,)
    assert found["table"].shape == (2, 3)
    assert found["penalty"].kind == "potential"
    assert describe(of_several_shapes()).n_parameters == 1 + 3 + 6


def test_the_digest_of_the_data_changes_with_a_value_and_with_a_constant():
    def digest(observed, errors):
        with pm.Model() as model:
            sigma = pm.Data("sigma", errors)
            pm.Normal("y", pm.Normal("mu", 0, 1), sigma, observed=observed)
        return describe(model).data_sha256

    first = digest([1.0, 2.0], [1.0, 1.0])
    assert digest([1.0, 2.0], [1.0, 1.0]) == first
    assert digest([1.0, 2.5], [1.0, 1.0]) != first
    assert digest([1.0, 2.0], [1.0, 2.0]) != first


def test_the_form_of_a_model_does_not_depend_on_its_data():
    forms = {describe(eight_schools()).form_sha256, describe(eight_schools()).form_sha256}
    assert len(forms | {describe(eight_schools(centred=True)).form_sha256}) == 2


def test_a_description_survives_its_json_form():
    description = describe(eight_schools())
    assert Description.from_json(description.to_json()) == description
    assert description.graph.startswith("graph TD")


def test_draws_alone_say_names_dimensions_and_observed_data():
    trace = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"x": (("chain", "draw", "k"), np.zeros((2, 5, 3)))}),
            "observed_data": xr.Dataset({"y": ("i", [1.0, 2.0])}),
        }
    )
    description = describe_draws(trace)
    assert (description.variables[0].dims, description.variables[0].shape) == (("k",), (3,))
    assert description.n_data == 2
    assert description.data_sha256


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (without_free_variables, "without free variables"),
        (lambda: 3, "no PyMC model: received 'int'"),
        ("a model", "no PyMC model: received 'str'"),
        (pm.Model, "without free variables"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, words):
    with pytest.raises(SpecError, match=words):
        model_of(model)


def test_a_model_with_discrete_variables_is_sampled_by_pymc():
    assert chosen_sampler("auto", eight_schools()) == "nutpie"
    assert chosen_sampler("auto", with_discrete()) == "pymc"
    with pytest.raises(SpecError, match="switch"):
        chosen_sampler("nutpie", with_discrete())
    with pytest.raises(SpecError, match="unknown sampler"):
        chosen_sampler("stan", eight_schools())


def test_the_variables_to_keep_are_those_named():
    model = eight_schools()
    kept = prepared_model(model, describe(model), ["theta", "mu"])
    assert dict(kept.variables) == {"theta": (("school",), (8,)), "mu": ((), ())}
    with pytest.raises(SpecError, match="did you mean theta"):
        prepared_model(model, describe(model), ["thetas"])


def test_a_variable_that_is_called_as_a_dimension_of_traces_is_refused():
    with pm.Model() as model:
        pm.Normal("draw", 0, 1)
    with pytest.raises(SpecError, match="rename it"):
        prepared_model(model, describe(model), None)
