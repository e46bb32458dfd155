"""The graph of a model as boxes and arrows."""

import pymc as pm
import pytest
from own_models import eight_schools, of_several_shapes

from tallgrass.own.description import Description, describe
from tallgrass.own.graph import MOST, layout
from tallgrass.own.plots import model_graph


def test_a_variable_stands_below_all_that_it_depends_on():
    placed = layout(describe(eight_schools()))
    depth = {name: i for i, row in enumerate(placed.rows) for name in row}
    assert set(placed.arrows) == {
        ("mu", "theta"),
        ("tau", "theta"),
        ("unit", "theta"),
        ("theta", "effect"),
        ("errors", "effect"),
    }
    assert all(depth[above] < depth[below] for above, below in placed.arrows)


def test_the_container_of_observed_data_stands_above_what_is_observed():
    with pm.Model() as model:
        y = pm.Data("y", [1.0, 2.0])
        pm.Normal("seen", pm.Normal("mu"), 1, observed=y)
    placed = layout(describe(model))
    assert ("y", "seen") in placed.arrows
    assert placed.rows[-1] == ("seen",)


def test_names_with_signs_keep_their_arrows():
    with pm.Model(name="sub") as model:
        a = pm.Normal("a b", shape=3)
        pm.Normal("b:c", a, 1, observed=[1.0, 2.0, 3.0])
    assert layout(describe(model)).arrows == (("sub::a b", "sub::b:c"),)


@pytest.mark.parametrize("n", [MOST, MOST + 1])
def test_a_model_that_nobody_could_read_is_not_drawn(n):
    with pm.Model() as model:
        for i in range(n):
            pm.Normal(f"x{i}")
    assert (layout(describe(model)) is None) == (n > MOST)


def test_draws_without_a_model_have_no_graph():
    assert layout(Description(())) is None


@pytest.mark.parametrize("make", [eight_schools, of_several_shapes])
def test_every_variable_has_a_box_with_its_name(make):
    description = describe(make())
    axes = model_graph(description, layout(description)).axes[0]
    texts = {text.get_text() for text in axes.texts}
    assert {variable.name for variable in description.variables} <= texts
    assert len(axes.patches) == len(description.variables)
