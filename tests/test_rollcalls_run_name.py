import pytest

from tallgrass.rollcalls.run_name import run_name
from tallgrass.rollcalls.spec import RunSpec


def test_a_name_has_session_chamber_model_sampler_and_start():
    spec = RunSpec(chamber="house", session="data/kansas/91st_2025-2026")
    assert run_name(spec, "91st_2025-2026") == "91st House · hierarchical · nutpie pca"


def test_what_is_not_the_default_is_named_priors_first_and_two_at_most():
    spec = RunSpec(
        beta_prior="lognormal:0,0.5", draws=500, seed=1, init="none", target_accept=0.9, dims=2
    )
    name = run_name(spec, "sample")
    differences = "beta lognormal:0,0.5 · draws 500 · +2"
    assert name == f"sample Senate · hierarchical 2d · nutpie none · {differences}"


@pytest.mark.parametrize("text", ["typical", "auto"])
@pytest.mark.parametrize("shape", [{}, {"model": "flat", "dims": 2}, {"model": "mine.py:model"}])
def test_how_anchors_are_chosen_is_not_named_where_a_model_has_none(shape, text):
    assert "anchors" not in run_name(RunSpec(anchors=text, **shape), "sample")


def test_anchors_of_the_flat_model_are_named_where_they_are_not_the_default():
    assert "anchors" not in run_name(RunSpec(model="flat"), "sample")
    assert run_name(RunSpec(model="flat", anchors="auto"), "sample").endswith(" · anchors auto")


def test_what_changes_no_draw_is_not_named():
    spec = RunSpec(chamber="both", model="joint", strict=True, fit_checks=False, baseline="none")
    assert run_name(spec, "a" * 60) == f"{'a' * 23}… both chambers · joint · nutpie pca"
