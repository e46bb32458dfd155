"""Filters that no run matches say what no run has."""

import pytest
from example_store import default_store, made_run

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.errors import TrackingError


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    """A store with a run of the Senate."""
    with default_store(tmp_path_factory.mktemp("unmatched")) as folder:
        made_run()
        yield folder


def said(capsys, *words):
    assert main(["runs", *words]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("--chamber=senat", "no run has chamber 'senat': did you mean senate?"),
        ("--sampler=pymc", "no run has sampler 'pymc': known: nutpie"),
        ("--verdict=passed", "no run has verdict 'passed': did you mean pass?"),
        ("--filter=metrics.rhat < 1", "no run has metrics.'rhat': did you mean rhat_max?"),
        ("--filter=params.`smapler` = 'x'", "no run has params.'smapler': did you mean sampler or"),
    ],
)
def test_a_value_or_key_that_no_run_has_is_named_with_the_nearest(flag, reason, capsys):
    first, second = said(capsys, flag)
    assert first == "no runs match"
    assert second.startswith(reason)


def test_a_filter_of_values_that_runs_have_is_only_said_to_match_none(capsys):
    assert said(capsys, "--chamber=senate", "--filter=metrics.rhat_max > 2") == ["no runs match"]


@pytest.mark.parametrize("text", ["rhat_max < 1", "metrics.rhat_max << 1", "metrics.rhat_max"])
def test_a_filter_that_mlflow_refuses_is_answered_with_one_that_it_takes(text, capsys):
    assert main(["runs", f"--filter={text}"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("tallgrass: error: bad filter (")
    example = "metrics.rhat_max < 1.01 and params.init = 'pca'"
    assert error.endswith(f"for example: {example}\n")
    assert len(tg.runs(filter=example)) == 1
    with pytest.raises(TrackingError, match="bad filter"):
        tg.runs(filter=text)
