"""The way of a run, with a small study of the tests' own: the ground needs neither wing."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from example_store import default_store
from matplotlib.figure import Figure

from tallgrass.errors import TrackingError
from tallgrass.inference import stream
from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.draws import as_tree, dims_and_shapes, statistics
from tallgrass.inference.samplers import sample_and_assemble
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.verdict import judge
from tallgrass.report.html import Head, html_page
from tallgrass.report.page import Section, Text
from tallgrass.settings import Settings
from tallgrass.study.analysis import Analysis, DataSet, Declaration
from tallgrass.study.clock import Clock
from tallgrass.study.study import Context, Study
from tallgrass.study.way import carry_out
from tallgrass.tracking.lifecycle import all_statuses
from tallgrass.tracking.writing import ActiveRun

ROOT = Path(__file__).parent.parent
EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SPEC = SamplerSpec(draws=150, tune=150, chains=2, seed=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class SchoolsAnalysis(Analysis):
    """The effects of eight schools."""

    effects: pd.DataFrame

    def recorded_tables(self):
        return super().recorded_tables() | {"tables/effects": self.effects}


@dataclass(frozen=True, eq=False)
class Schools(Study[SchoolsAnalysis]):
    """Eight schools (Rubin 1981), non-centred."""

    shift: float = 0.0
    again: bool = False  # whether a second fit is asked for

    @property
    def name(self):
        return "eight schools"

    @property
    def chains(self):
        return SPEC.chains

    def declaration(self):
        data = DataSet("schools", "5" * 64, {"num_rows": 8}, "Rubin 1981")
        return Declaration({"n": 8}, {"model": "schools"}, {"data/n": 8.0}, data, {"note.md": "hi"})

    def attributes(self):
        return {"model": "schools"}

    def draw(self, sampling):
        def assembled(raw, settings):
            groups = {
                "posterior": raw["posterior"].to_dataset(),
                "sample_stats": statistics(raw["sample_stats"].to_dataset()),
                "observed_data": xr.Dataset({"y": ("school", EFFECTS)}),
            }
            return as_tree(groups, {}, {**settings, **sampling.attributes})

        return sample_and_assemble(
            _Model(self.shift), SPEC, assembled, sampling.observer, sampling.sink, sampling.stopped
        )

    def refined(self, sampled):
        return Schools(self.shift, again=False) if self.again else None

    def analysed(self, sampled, run_id, thresholds, clock):
        diagnostics = diagnose(sampled.trace)
        effects = sampled.trace["posterior"]["theta"].mean(("chain", "draw")).to_numpy()
        return SchoolsAnalysis(
            run_id=run_id,
            diagnostics=diagnostics,
            verdict=judge(diagnostics, thresholds),
            thresholds=thresholds,
            timings=clock.total(),
            effects=pd.DataFrame({"school": list("ABCDEFGH"), "effect": effects}),
        )

    def figures(self, analysis):
        figure = Figure()
        figure.subplots().plot(analysis.effects["effect"])
        return {"effects": figure}

    def page(self, analysis, pngs):
        head = Head("schools", "Eight schools", "Hierarchical", "pass", "", (), None, ())
        return html_page(head, [None, Section("a", "Effects", (Text("of coaching"),))], pngs)


class _Model:
    public = ("mu", "tau", "theta")
    trajectory = "leapfrog"
    adaptation = "diag"

    def __init__(self, shift):
        with pm.Model(coords={"school": list("ABCDEFGH")}) as self.graph:
            mu, tau = pm.Normal("mu", 0, 10), pm.HalfNormal("tau", 10)
            unit = pm.Normal("unit", 0, 1, dims="school")
            theta = pm.Deterministic("theta", mu + tau * unit, dims="school")
            pm.Normal("y", theta, ERRORS, observed=EFFECTS + shift)

    @property
    def variables(self):
        return dims_and_shapes(self.graph, self.public)

    def start(self, generator):
        return {
            "mu": generator.normal(), "tau_log__": np.asarray(1.0), "unit": generator.normal(size=8)
        }  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


@pytest.fixture
def settings(store):
    return Settings(progress="none", state_dir=store / "state")


def run_of(study, settings, context=None):
    return carry_out(lambda *_: study, settings, Clock(), context or Context())


@pytest.fixture(scope="module")
def outcome(store):
    return run_of(Schools(), Settings(progress="none", state_dir=store / "state"))


def test_a_study_that_is_of_neither_wing_becomes_a_finished_run(outcome):
    run = mlflow.MlflowClient().get_run(outcome.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "eight schools"
    assert run.data.params == {"n": "8"}
    assert run.data.tags["model"] == "schools"
    assert run.data.tags["verdict"] == outcome.analysis.verdict.status
    assert run.data.metrics["rhat_max"] == pytest.approx(outcome.metrics["rhat_max"], rel=1e-3)
    assert {"sampling_s", "total_s", "time/compile_s", "time/report_s"} <= set(run.data.metrics)
    assert run.inputs.dataset_inputs[0].dataset.digest == "5" * 36


def test_it_holds_its_trace_tables_pictures_and_page(outcome):
    client = mlflow.MlflowClient()
    paths = [entry.path for entry in client.list_artifacts(outcome.run_id)]
    assert sorted(paths) == [
        "env", "metrics.json", "note.md", "plots", "report", "tables", "trace",
    ]  # fmt: skip
    page = Path(client.download_artifacts(outcome.run_id, "report/index.html")).read_text()
    assert "of coaching" in page
    assert outcome.report_path.endswith("report/index.html")
    table = json.loads(
        Path(client.download_artifacts(outcome.run_id, "tables/effects.json")).read_text()
    )
    assert [row[0] for row in table["data"]] == list("ABCDEFGH")


def test_a_study_may_ask_for_a_second_fit_whose_draws_are_kept(settings):
    seen = []

    class Twice(Schools):
        def draw(self, sampling):
            seen.append(self.again)
            return super().draw(sampling)

        def refined(self, sampled):
            return Twice(again=False) if self.again else None

    run_of(Twice(again=True), settings)
    assert seen == [True, False]


def test_the_trace_is_stored_before_anything_is_computed_from_it(settings):
    stored = []

    class Fails(Schools):
        def analysed(self, sampled, run_id, thresholds, clock):
            entries = mlflow.MlflowClient().list_artifacts(run_id, "trace")
            stored.append([entry.path for entry in entries])
            raise RuntimeError("the analysis fails")

    with pytest.raises(RuntimeError):
        run_of(Fails(), settings)
    assert stored == [["trace/idata.nc"]]


def test_a_trace_that_mlflow_does_not_take_is_an_error_that_says_where_it_is(settings, monkeypatch):
    take = ActiveRun.log_artifact

    def refuse(self, path, folder):
        if folder == "trace":
            raise TrackingError("cannot write trace/idata.nc", None, "")
        take(self, path, folder)

    monkeypatch.setattr(ActiveRun, "log_artifact", refuse)
    with pytest.raises(TrackingError, match="The draws are safe in") as error:
        run_of(Schools(), settings)
    path = Path(str(error.value).split("safe in ")[1].split()[0].rstrip("."))
    assert xr.open_datatree(path, engine="h5netcdf")["posterior"].sizes["draw"] == 150
    # The draws that were kept while sampling stay as well: nothing of them is in MLflow.
    newest, _ = all_statuses(settings.state_dir)[0]
    assert stream.lengths(newest / "draws") == (150, 150)


def test_names_and_tags_of_the_context_are_those_of_the_run(settings):
    outcome = run_of(Schools(), settings, Context(name="mine", tags={"season": "spring"}))
    run = mlflow.MlflowClient().get_run(outcome.run_id)
    assert (run.info.run_name, run.data.tags["season"]) == ("mine", "spring")


def test_the_ground_is_imported_without_either_wing():
    code = (
        "import importlib, pkgutil, sys\n"
        "import tallgrass\n"
        "for room in ('inputs', 'inference', 'report', 'tracking', 'study'):\n"
        "    package = importlib.import_module(f'tallgrass.{room}')\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if 'jax' not in module.name:\n"  # an extra, which users may lack
        "            importlib.import_module(module.name)\n"
        "wings = ('tallgrass.rollcalls', 'tallgrass.items')\n"
        "assert [name for name in sys.modules if name.startswith(wings)] == []\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert ended.returncode == 0
