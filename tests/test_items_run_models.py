"""Whole calibrations by models other than 2PL: what is stored, shown and refused."""

from pathlib import Path

import mlflow
import pytest
from example_store import default_store

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.items.earlier import item_table
from tallgrass.items.monthly import engines_of
from tallgrass.items.specs import make_calibration_spec
from tallgrass.settings import Settings

SCIENCE = Path(__file__).parent / "data" / "science.csv"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")):
        spec = make_calibration_spec(
            responses=str(SCIENCE), item_model="graded", engine="map", min_responses=1
        )
        yield tg.calibrate(spec, Settings(progress="none"))


def test_a_graded_run_stores_its_thresholds_and_its_model(graded):
    items = item_table(graded.run_id)
    assert (items["b_1"] < items["b_2"]).all()
    assert (items["b_2"] < items["b_3"]).all()
    assert ((items["b_1"] + items["b_2"] + items["b_3"]) / 3 - items["b"]).abs().max() < 1e-9
    run = mlflow.MlflowClient().get_run(graded.run_id)
    assert run.data.tags["item_model"] == "graded"
    assert run.data.tags["verdict"] == "pass"


def test_a_run_keeps_pairs_of_items_by_their_dependence(graded):
    run = mlflow.MlflowClient().get_run(graded.run_id)
    pairs = graded.analysis.dependence.pairs
    assert len(pairs) == 6
    worst = pairs.iloc[pairs["z"].abs().argmax()]
    assert run.data.metrics["q3/worst"] == pytest.approx(worst["q3"])
    assert run.data.metrics["q3/n_pairs"] == 6
    assert run.data.tags["q3.worst"] == f"{worst['item']}, {worst['other']}"
    files = mlflow.MlflowClient().list_artifacts(graded.run_id, "tables")
    assert "tables/local_dependence.csv" in [file.path for file in files]
    page = Path(graded.report_path.removeprefix("file://")).read_text("utf-8")
    assert "Items that depend on each other" in page


def test_the_report_of_a_graded_run_speaks_of_thresholds_and_points(graded):
    page = Path(graded.report_path.removeprefix("file://")).read_text("utf-8")
    assert "Graded-response model, posterior mode" in page
    assert "gives at least the answer k" in page
    assert ">Points<" in page
    assert "answers an item correctly" not in page
    assert "the share of its points to be expected" in page
    assert "was not looked at" not in page
    assert "items are beyond 3 standard deviations" in page


def test_a_graded_run_says_which_items_fit_beside_what_chance_gives(graded):
    run = mlflow.MlflowClient().get_run(graded.run_id)
    items = item_table(graded.run_id)
    assert items[["infit_z", "outfit_z"]].notna().all(axis=None)
    assert run.data.metrics["fit/misfit_items_by_chance"] == pytest.approx(0.008 * len(items))
    names = {check.name: check.status for check in graded.analysis.fit_verdict.checks}
    assert "not checked" not in names.values()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--engine", "gibbs"], "gibbs samples item_model=2pl alone"),
        (["--engines", "map,gibbs"], "gibbs samples item_model=2pl alone"),
        (["--anchors", "anchors.csv"], "no such file of item parameters"),
        (["--population", "free"], "without anchors nothing fixes the scale"),
    ],
)
@pytest.mark.parametrize("item_model", ["1pl", "3pl", "graded"])
def test_what_a_model_does_not_have_ends_with_status_2_and_no_run(
    graded, capsys, item_model, flags, words
):
    client = mlflow.MlflowClient()
    before = len(client.search_runs(["0", "1"]))
    assert main(["calibrate", "--item-model", item_model, *flags]) == 2
    assert words in capsys.readouterr().err
    assert len(client.search_runs(["0", "1"])) == before


def test_a_month_of_another_model_leaves_gibbs_out():
    assert "gibbs" in engines_of(make_calibration_spec())
    assert engines_of(make_calibration_spec(item_model="3pl")) == ("nuts", "mml")
