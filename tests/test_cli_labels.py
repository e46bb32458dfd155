"""Name, tags and note of a run from the command line."""

import json

import mlflow
import pytest
from example_store import default_store

from tallgrass.cli import main

FEW = ["--draws=20", "--tune=20", "--chains=2", "--fit-checks=false", "--progress=none"]
LABELS = ["--name=mine", "--tag=team=a, phase = b", "--note=A first try."]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


def run_of(words, capsys):
    assert main([*words, "--json"]) == 0
    return mlflow.get_run(json.loads(capsys.readouterr().out)["run_id"])


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--session=simulated", "--model=flat", *FEW],
        ["calibrate", "--responses=simulated", "--engine=map", "--fit-checks=false"],
    ],
)
def test_a_run_and_a_calibration_have_the_name_the_tags_and_the_note(store, capsys, words):
    run = run_of([*words, *LABELS], capsys)
    assert run.info.run_name == "mine"
    assert (run.data.tags["team"], run.data.tags["phase"]) == ("a", "b")
    # What the run gave follows.
    assert run.data.tags["mlflow.note.content"].startswith("A first try.\n\n<!-- by tallgrass -->")


def test_a_calibration_inside_a_run_of_the_users_own_is_its_child(store, capsys):
    with mlflow.start_run(run_name="outer") as outer:
        words = ["calibrate", "--responses=simulated", "--engine=map", "--fit-checks=false"]
        run = run_of(words, capsys)
    assert run.data.tags["mlflow.parentRunId"] == outer.info.run_id


@pytest.mark.parametrize("tag", ["team", "=a", "a=b,team"])
def test_a_tag_without_key_or_value_is_refused_before_a_run_exists(store, capsys, tag):
    before = len(mlflow.search_runs(search_all_experiments=True))
    assert main(["run", "--session=simulated", *FEW, f"--tag={tag}"]) == 2
    assert "write it as key=value" in capsys.readouterr().err
    assert len(mlflow.search_runs(search_all_experiments=True)) == before


def test_several_engines_take_no_name(capsys):
    words = ["calibrate", "--responses=simulated", "--engines=map,mml", "--name=mine"]
    assert main(words) == 2
    assert "name goes with one engine" in capsys.readouterr().err
