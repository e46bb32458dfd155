"""What this package needs of libraries beyond what they document: one test for each such use.

``docs/private-apis.md`` lists the uses. A test here fails when an upgrade has changed what one of
them needs, and says which file to look at. The libraries are real; nothing is replaced.
"""

import ast
import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import mlflow
import numba as nb
import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import sqlalchemy as sa
from example_store import default_store
from needs import missing

from tallgrass.inference import cache, plain_models
from tallgrass.inference.arrow import take_draws
from tallgrass.inference.compiled import compile_model
from tallgrass.inference.draws import STATISTICS
from tallgrass.inference.kernel.dense import reference, vote_loglik
from tallgrass.inference.loops import compiled_loops
from tallgrass.inference.pymc_nuts import _NO_DRAWS, _RETURNED_NAMES
from tallgrass.rollcalls.models import Model
from tallgrass.tracking import checks, pages
from tallgrass.tracking import store as tracking_store
from tallgrass.tracking.reading import database
from tallgrass.tracking.writing import start_run
from tallgrass.tracking.writing.opening import _GENERATED_NAME
from tallgrass.tracking.writing.operations import _WRONG_REQUESTS
from tallgrass.tracking.writing.view import VIEW_TAG, new_experiment_tags

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "private-apis.md"


@contextmanager
def contract(change: str, file: str) -> Iterator[None]:
    """Whatever fails in here means that a library has changed; the message says how, and where."""
    try:
        yield
    except Exception as error:
        pytest.fail(f"{change}: see {file}\n({type(error).__name__}: {error})")


# nutpie.


@pytest.fixture(scope="module")
def normal():
    """Three standard normal variables, and the seeds that nutpie asked for starts with."""
    with pm.Model(coords={"entry": ["a", "b", "c"]}) as graph:
        pm.Normal("x", dims="entry")
    starts = []

    def start(generator):
        starts.append(generator)
        return {"x": generator.normal(size=3)}

    return Model(graph, ("x",), start), starts


@pytest.fixture(scope="module")
def code(normal):
    return compile_model(normal[0])


def raw_draws(model, **settings):
    return nutpie.sample(
        model,
        draws=40,
        tune=30,
        chains=2,
        cores=2,
        seed=1,
        progress_bar=False,
        return_raw_trace=True,
        **settings,
    )


def test_nutpie_samples_a_model_made_of_c_functions(normal):
    change = "nutpie no longer samples a model that is built from compiled C functions"
    with contract(change, "tallgrass/inference/compiled.py and lab/benchmark/variants.py"):
        model = compile_model(normal[0]).model
        asked = len(normal[1])
        x = take_draws(raw_draws(model), model.coords)["posterior"]["x"].to_numpy()
        assert len(normal[1]) - asked == 2, "it does not ask the model for the start of a chain"
        assert x.shape == (2, 40, 3)
        assert 0.3 < x.std() < 3


def test_nutpie_hands_out_its_draws_as_arrow_batches(code):
    change = "nutpie's raw trace has another form"
    with contract(change, "tallgrass/inference/arrow.py and tallgrass/inference/follower.py"):
        draws, statistics = raw_draws(code.model).get_arrow_trace()
        assert [batch.num_rows for batch in (*draws, *statistics)] == [70] * 4
        metadata = draws[0].column("x").field.metadata
        assert (metadata[b"dims"], metadata[b"shape"]) == (b"entry", b"3")
        needed = {"diverging", "energy", "n_steps", "step_size", "depth", "maxdepth_reached"}
        needed |= {"mean_tree_accept", "logp"}
        assert needed <= set(STATISTICS)
        assert {*needed, "tuning"} <= set(statistics[0].column_names)


def test_nutpie_takes_the_setting_of_normal_trajectories(code):
    change = "nutpie no longer takes the setting exact_normal_trajectory"
    with contract(change, "tallgrass/inference/nutpie_chains.py"):
        x = [
            take_draws(raw_draws(code.model, exact_normal_trajectory=exact), code.model.coords)
            for exact in (False, True)
        ]
        assert not np.array_equal(*(tree["posterior"]["x"].to_numpy() for tree in x))


@pytest.mark.slow
def test_nutpie_trains_a_flow_on_our_log_density(normal):
    for library in ("jax", "flowjax", "equinox"):
        if not find_spec(library):
            missing(f"adaptation=flow needs {library}: pip install 'tallgrass[flow]'")
    from tallgrass.inference.flow import compile_flow

    change = "nutpie no longer takes a raw log-density function for its flow"
    with contract(change, "tallgrass/inference/flow.py"):
        model, asked = compile_flow(normal[0]), []
        raw = model._raw_logp_fn

        def recorded(x):
            asked.append(type(x).__module__)
            return raw(x)

        adapted = type(model)(**{**vars(model), "_raw_logp_fn": recorded})
        value = raw(np.array([0.5, -1.0, 2.0]))[0]
        assert float(value) == pytest.approx(-(0.25 + 1 + 4) / 2 - 1.5 * np.log(2 * np.pi))
        settings = {"draws": 4, "tune": 10, "chains": 1, "cores": 1, "seed": 1}
        tree = nutpie.sample(adapted, adaptation="flow", progress_bar=False, **settings)
        assert tree["posterior"]["x"].shape == (1, 4, 3)
        assert asked, "the flow does not ask for it"
        assert all(module.startswith("jax") for module in asked)


# numba.


_DOUBLE = """
import numba as nb

@nb.njit(cache=True)
def double(x):
    return 2 * x
"""


def test_numba_says_where_it_stores_code_and_fails_at_a_file_that_is_cut_short(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(nb.config.__dict__, "CACHE_DIR", "")
    (tmp_path / "doubling.py").write_text(_DOUBLE)

    def load():
        spec = importlib.util.spec_from_file_location("doubling", tmp_path / "doubling.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.double

    change = "numba stores its code elsewhere, or reads files that are cut short in another way"
    with contract(change, "tallgrass/inference/cache.py"):
        double = load()
        double(2)
        assert nb.extending.is_jitted(double)
        folder = Path(double.stats.cache_path)
        files = [list(folder.glob(pattern)) for pattern in cache._CODE_FILES]
        assert [len(paths) for paths in files] == [1, 1]
        for (path,) in files:
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
            with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is looked at below)
                load()(2)
            assert cache._is_unreadable(caught.value)
            path.write_bytes(content)


def test_numba_says_that_a_function_misses_a_global_before_it_compiles():
    def calls_inner(x):
        return inner(x)  # noqa: F821

    change = "numba raises another error where code that is not stored misses a global"
    with (
        contract(change, "tallgrass/inference/c_functions.py"),
        pytest.raises(nb.errors.TypingError),
    ):
        nb.cfunc(nb.types.double(nb.types.double))(calls_inner)


# PyTensor.


def test_pytensor_stores_functions_under_a_key_of_ours():
    from pytensor.link.numba.cache import NUMBA_CACHE_PATH, compile_numba_function_src

    source, key = "def doubled_by_contract(x):\n    return 2.0 * x\n", "contract"
    signature = nb.types.double(nb.types.double)

    def made():
        scope = {"__name__": __name__}
        function = compile_numba_function_src(
            source, "doubled_by_contract", scope, scope, cache_key=key
        )
        return nb.cfunc(signature, cache=True)(function)

    change = "PyTensor no longer stores numba's code under a key, in the folder that it names"
    with contract(change, "tallgrass/inference/c_functions.py and tallgrass/inference/cache.py"):
        try:
            made()
            stored = list(Path(NUMBA_CACHE_PATH).glob("*doubled_by_contract*"))
            assert {path.suffix for path in stored} == {".nbi", ".nbc"}
            again = made()
            assert again.cache_hits == 1
            assert again.ctypes(3.0) == 6.0
        finally:
            for path in Path(NUMBA_CACHE_PATH).glob("*doubled_by_contract*"):
                path.unlink()


def test_pytensor_stores_a_function_of_a_module_under_a_key_as_well():
    from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, NUMBA_CACHE_PATH

    def tripled_by_contract(x):
        return 3.0 * x

    change = "PyTensor no longer stores functions under the keys in CACHED_SRC_FUNCTIONS"
    with contract(change, "tallgrass/inference/jit.py"):
        try:
            CACHED_SRC_FUNCTIONS[tripled_by_contract] = "contract"
            function = nb.njit(cache=True)(tripled_by_contract)
            assert function(2.0) == 6.0
            assert Path(function.stats.cache_path) == Path(NUMBA_CACHE_PATH)
        finally:
            for path in Path(NUMBA_CACHE_PATH).glob("*tripled_by_contract*"):
                path.unlink()


def test_pytensor_hands_out_the_numba_function_of_a_graph():
    change = "PyTensor no longer hands out the function that its backend has compiled"
    with contract(change, "tallgrass/inference/compiled.py and tallgrass/inference/flow.py"):
        x = pt.vector("x")
        function = pytensor.function([x], [2 * x, x.sum()], mode="NUMBA").vm.jit_fn
        assert nb.extending.is_jitted(function)
        doubled, total = function(np.array([1.0, 2.0]))
        assert (doubled.tolist(), float(total)) == ([2.0, 4.0], 3.0)


def test_pytensor_compiles_the_kernel_with_numba(recwarn):
    change = "PyTensor no longer compiles an Op that is registered as ours are"
    with contract(change, "tallgrass/inference/kernel/dense.py and sparse.py"):
        votes, (v, a, b) = np.ones((2, 3), np.int8), (np.ones(n) for n in (2, 3, 3))
        inputs = [pt.matrix("votes", dtype="int8"), *pt.dvectors("v", "a", "b")]
        function = pytensor.function(inputs, vote_loglik(*inputs), mode="NUMBA")
        assert function(votes, v, a, b) == pytest.approx(reference(votes, v, a, b)[0])
        slow = [str(w.message) for w in recwarn if "object mode" in str(w.message)]
        assert slow == []


def test_pytensor_prepares_a_graph_that_loops_are_written_of(monkeypatch):
    change = "PyTensor's operations or rewrites are others, and models compile more slowly"
    with contract(change, "tallgrass/inference/loops/values.py and function.py"):
        x, index = pt.vector("x"), pt.lvector("index")
        parts = pt.set_subtensor(pt.inc_subtensor(pt.exp(x[index])[1:], 1.0)[0], 2.0)
        output = pt.inc_subtensor(x[index], parts.sum() * x[:, None].sum(axis=1)[index])

        def refuse(node, values):
            raise AssertionError(f"no loops are written of {node.op}")

        monkeypatch.setattr("tallgrass.inference.loops.function._call", refuse)
        function = compiled_loops([x, index], [output])
        found = nb.njit(function.py_func)(np.zeros(3), np.array([2, 0]))
        assert found[0].tolist() == [0.0, 0.0, 0.0]


# PyMC.


def test_pymc_gives_starts_and_densities_of_zero_as_it_samples_itself():
    change = "PyMC makes the start of a chain, or writes bounds of parameters, in another way"
    with contract(change, "tallgrass/inference/plain_models.py"):
        with pm.Model() as graph:
            pm.Normal("y", 0, pm.Flat("sigma"), observed=np.ones(3))
            pm.HalfNormal("tau")
        start = plain_models.starts(graph)
        assert set(start(1)) == {"sigma", "tau_log__"}
        assert start(1)["sigma"] == start(1)["sigma"] != start(2)["sigma"]
        for check_bounds, expected in ((True, -np.inf), (False, np.nan)):
            graph.check_bounds = check_bounds
            [density] = plain_models.prepared(graph, [graph.logp()])
            below = dict(zip(graph.value_vars, (-1.0, 0.0), strict=True))
            np.testing.assert_equal(float(density.eval(below)), expected)
        x = pt.scalar("x")
        plain_models.require_known([pt.logaddexp(x, 1.0)])


def two_normals():
    with pm.Model() as graph:
        pm.Normal("x", shape=2)
    return graph


def by_pymc(graph, chains=1, callback=None, **settings):
    with graph:
        return pm.sample(
            draws=5,
            tune=5,
            chains=chains,
            cores=chains,
            progressbar=False,
            callback=callback,
            compute_convergence_checks=False,
            nuts_sampler="pymc",
            compile_kwargs={"mode": "FAST_COMPILE"},
            random_seed=1,
            **settings,
        )


@pytest.mark.filterwarnings("ignore")
def test_pymc_says_in_these_words_that_no_chain_has_a_draw():
    def interrupt(trace, draw):
        raise KeyboardInterrupt

    change = "PyMC says otherwise that an interrupt came before the first draw"
    with contract(change, "tallgrass/inference/pymc_nuts.py"):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  (the words are compared below)
            by_pymc(two_normals(), callback=interrupt)
        assert str(caught.value) == _NO_DRAWS


@pytest.mark.filterwarnings("ignore")
def test_pymc_gives_its_callback_the_draws_and_statistics_made_so_far():
    seen = []

    def callback(trace, draw):
        names = [
            name for name in trace.sampler_vars[0] if _RETURNED_NAMES.get(name, name) in needed
        ]
        seen.append((len(trace), {n: trace.get_sampler_stats(n, 0, burn=2) for n in names}))
        assert [trace.get_values(name, burn=2).shape for name in trace.varnames] == [(8, 2)]
        assert {"diverging", "step_size"} <= set(draw.stats[0])

    needed = {"diverging", "energy", "n_steps", "step_size", "depth", "reached_max_treedepth"}
    needed |= {"mean_tree_accept", "lp"}
    change = "PyMC's traces have other statistics, or give them in another way"
    with contract(change, "tallgrass/inference/pymc_nuts.py"):
        tree = by_pymc(two_normals(), callback=callback)
        assert [n for n, _ in seen] == list(range(1, 11))
        assert {_RETURNED_NAMES.get(name, name) for name in seen[-1][1]} == needed
        returned = tree["sample_stats"].to_dataset()
        for name in ("model_logp", "tree_size"):
            kept = seen[-1][1][name]
            assert np.array_equal(kept[3:], returned[_RETURNED_NAMES[name]].to_numpy()[0])


@pytest.mark.filterwarnings("ignore")
def test_pymc_raises_this_error_when_a_chain_of_several_fails():
    from pytensor.raise_op import Assert

    with pm.Model() as graph:
        x = pm.Normal("x")
        pm.Potential("bound", Assert("too far")(0.0 * x, pt.abs(x) < 0.01))
    change = "PyMC raises another error when a chain of several fails"
    with contract(change, "tallgrass/inference/pymc_nuts.py"):
        from pymc.sampling.parallel import ParallelSamplingError

        with pytest.raises(ParallelSamplingError, match=r"\S"):
            by_pymc(graph, 2, initvals=[{"x": 0.0}] * 2, init="adapt_diag")


@pytest.mark.filterwarnings("ignore")
def test_pymc_takes_a_mass_matrix_with_a_weight():
    change = "PyMC takes its first mass matrix in another way"
    with contract(change, "tallgrass/inference/pymc_nuts.py"):
        from pymc.step_methods.hmc.quadpotential import QuadPotentialDiagAdapt

        variance = np.array([4.0, 0.25])
        potential = QuadPotentialDiagAdapt(2, np.zeros(2), variance, 10, rng=1)
        with pm.Model():
            pm.Normal("x", shape=2)
            step = pm.NUTS(potential=potential, target_accept=0.8, rng=1)
        assert step.potential is potential
        assert potential.velocity(np.ones(2)).tolist() == variance.tolist()


# MLflow.


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path) as folder:
        yield folder


def test_mlflow_keeps_runs_in_these_tables(store):
    change = "MLflow keeps runs in other tables"
    with contract(change, "tallgrass/tracking/reading/database.py"):
        with start_run(None, "a run") as run:
            run.log_params({"model": "flat"})
            run.log_metrics({"rhat_max": 1.01})
            run.set_tags({"verdict": "pass"})
        known = mlflow.MlflowClient().get_run(run.run_id)
        asked = {"params": ["model"], "metrics": ["rhat_max"], "tags": ["verdict"]}
        uri, experiments = mlflow.get_tracking_uri(), [known.info.experiment_id]
        (row,) = database.stored_runs(uri, experiments, asked)
        for column in ("run_id", "status", "start_time", "end_time", "experiment_id"):
            assert getattr(row, column) == getattr(known.info, column), column
        assert row.name == known.info.run_name
        assert (row.params, row.metrics) == ({"model": "flat"}, {"rhat_max": 1.01})
        assert row.tags["verdict"] == "pass"


def test_mlflow_names_its_default_store_and_keeps_the_chosen_one_in_this_variable(store):
    change = "MLflow has another default store, or keeps the chosen one elsewhere"
    with contract(change, "tallgrass/tracking/address.py"):
        assert mlflow.get_tracking_uri() == f"sqlite:///{store / 'mlflow.db'}"
        mlflow.set_tracking_uri("sqlite:///chosen.db")
        assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:///chosen.db"


def test_mlflow_lists_the_tables_of_a_run_in_this_tag(store):
    change = "MLflow lists the tables of a run in another tag, or in another form"
    with contract(change, "tallgrass/tracking/writing/run.py"):
        client, table = mlflow.MlflowClient(), pd.DataFrame({"x": [1]})
        with start_run(None, "ours") as run:
            run.log_table(table, "tables/one")
        other = client.create_run(run.experiment_id)
        client.log_table(other.info.run_id, table, "tables/one.json")
        ours, theirs = (client.get_run(x).data.tags for x in (run.run_id, other.info.run_id))
        listed = theirs["mlflow.loggedArtifacts"]
        assert json.loads(ours["mlflow.loggedArtifacts"]) == json.loads(listed)


def test_the_pages_of_mlflow_know_the_tags_that_we_set():
    change = "MLflow's pages no longer know a tag that we set on experiments"
    with contract(change, "tallgrass/tracking/writing/view.py and tallgrass/tracking/pages.py"):
        scripts = Path(mlflow.__file__).parent / "server/js/build/static/js"
        words = {VIEW_TAG.removesuffix(pages.VIEW), "viewStateShareKey"}
        tags = new_experiment_tags("")
        words |= {"mlflow.experimentKind", tags["mlflow.experimentKind"]}
        words |= set(json.loads(json.loads(tags[VIEW_TAG])["state"]))
        for path in scripts.glob("*.js"):
            text = path.read_text("utf-8", "replace")
            words = {word for word in words if word not in text}
        assert words == set()


def test_mlflow_makes_the_tables_of_a_database(store):
    change = "MLflow no longer makes a database by this class"
    with contract(change, "tallgrass/tracking/checks.py"):
        from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        # A copy of a database that has its tables: to make them takes ten seconds.
        (store / "new.db").write_bytes((store / "mlflow.db").read_bytes())
        uri = f"sqlite:///{store / 'new.db'}"
        made = SqlAlchemyStore(uri, DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
        made.engine.dispose()
        (default,) = mlflow.MlflowClient(uri).search_experiments()
        assert default.artifact_location.endswith("mlruns/0")


def test_mlflow_logs_the_making_of_tables_under_this_name():
    change = "MLflow logs the making of its tables under another name"
    with contract(change, "tallgrass/tracking/store.py"):
        from mlflow.store.db import utils

        assert utils._logger is logging.getLogger("mlflow.store.db.utils")


def test_mlflow_says_who_starts_a_run_and_where(store):
    change = "MLflow no longer gives the tags of whoever starts a run"
    with contract(change, "tallgrass/tracking/writing/opening.py"):
        from mlflow.tracking.context.registry import resolve_tags

        tags = resolve_tags({"schema_version": "1"})
        assert tags["schema_version"] == "1"
        expected = {"mlflow.user", "mlflow.source.name", "mlflow.source.type"}
        assert expected <= set(tags)


def test_mlflow_patches_functions_of_libraries_and_takes_its_patches_back(monkeypatch):
    change = "MLflow's autologging patches functions in another way"
    with contract(change, "tallgrass/tracking/autologging.py"):
        from tallgrass.tracking import autologging

        library = ModuleType("made_up_library")
        asked = []
        library.__getattr__ = lambda name: asked.append(name) or _missing(name)
        library.compute = plain = lambda x: x + 1
        monkeypatch.setitem(sys.modules, library.__name__, library)

        def enable(disable=False, silent=False):
            patches = {"compute": lambda original, x: original(x) and called.append(x)}
            autologging.patch_when_imported(library.__name__, patches)

        called = []
        autologging.switch(enable, {"silent": True})
        assert library.compute(1) == 2
        assert called == [1]
        assert autologging.option("silent") is True
        assert asked == []  # PyMC would import ArviZ's plots
        autologging.switch(enable, {"disable": True})
        assert library.compute is plain


def test_mlflow_watches_the_machine_for_a_run(store, monkeypatch):
    change = "MLflow's monitor of system metrics has another form"
    with contract(change, "tallgrass/tracking/writing/system_metrics.py"):
        from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
        assert MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.get() is True
        run_id = mlflow.MlflowClient().create_run("0").info.run_id
        monitor = SystemMetricsMonitor(run_id, resume_logging=False)
        monitor.start()
        monitor.finish()


def _missing(name):
    raise AttributeError(name)


def test_mlflow_gives_names_of_this_form_to_runs_that_nobody_named(store):
    change = "MLflow gives names of another form to runs that nobody named"
    with contract(change, "tallgrass/tracking/writing/opening.py"):
        run = mlflow.MlflowClient().create_run("0")
        assert _GENERATED_NAME.fullmatch(run.info.run_name), run.info.run_name


class _Refusing(BaseHTTPRequestHandler):
    """A server that knows nobody."""

    def do_POST(self):
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b"You are not authenticated.")

    do_GET = do_POST

    def log_message(self, *_):
        pass


def test_mlflow_says_in_its_errors_what_the_network_said(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    server = HTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = mlflow.MlflowClient(f"http://127.0.0.1:{server.server_port}")

    def said():
        with pytest.raises(mlflow.exceptions.MlflowException) as caught:
            client.search_experiments()
        return caught.value

    change = "MLflow words its errors about servers in another way"
    with contract(change, "tallgrass/tracking/store.py"):
        try:
            error = said()
            assert checks.brief(error) == "error code 401"
            assert "MLFLOW_TRACKING_USERNAME" in tracking_store._advice("http", error)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        assert checks.brief(said()).startswith("[Errno ")


def test_mlflow_says_unique_when_two_runs_name_one_new_dataset_at_once(store):
    from mlflow.entities import Dataset, DatasetInput

    client = mlflow.MlflowClient()
    runs = [client.create_run("0").info.run_id for _ in range(2)]
    inputs = [DatasetInput(Dataset("d", "1", "local", "{}"), [])]
    other_begins, here = threading.Event(), threading.get_ident()

    def insert_first(connection, cursor, statement, *_):
        # MLflow has looked, and found no such dataset; before it inserts one, another run does.
        wanted = statement.startswith("INSERT INTO datasets") and threading.get_ident() == here
        if wanted and not other_begins.is_set():
            other_begins.set()
            other = threading.Thread(target=client.log_inputs, args=(runs[1], inputs))
            other.start()
            other.join()

    change = "MLflow words the error of a dataset that is there already in another way"
    with contract(change, "tallgrass/tracking/writing/operations.py"):
        sa.event.listen(sa.Engine, "before_cursor_execute", insert_first)
        try:
            with pytest.raises(mlflow.exceptions.MlflowException) as caught:
                client.log_inputs(runs[0], inputs)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", insert_first)
        assert "unique" in str(caught.value).lower()


def test_mlflow_has_these_codes_for_wrong_requests():
    change = "MLflow has other codes for wrong requests"
    with contract(change, "tallgrass/tracking/writing/operations.py"):
        from mlflow.protos.databricks_pb2 import ErrorCode

        assert set(ErrorCode.keys()) >= _WRONG_REQUESTS


# pandas and Python.


def test_pandas_begins_its_errors_about_tables_with_these_words(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    change = "pandas begins its errors about tables with other words"
    with contract(change, "tallgrass/inputs/tables.py"):
        with pytest.raises(pd.errors.ParserError) as caught:
            pd.read_csv(path)
        assert str(caught.value).startswith("Error tokenizing data. C error: ")


# As a Dask worker, a daemon that is started by spawning.
_PARENT_OF_A_PARENT = """
import multiprocessing

def end():
    pass

def be_a_parent():
    multiprocessing.current_process().daemon = False
    child = multiprocessing.get_context("spawn").Process(target=end)
    child.start()
    child.join()
    assert child.exitcode == 0

if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=be_a_parent, daemon=True)
    worker.start()
    worker.join()
    raise SystemExit(worker.exitcode)
"""


def test_python_lets_a_process_that_is_no_longer_a_daemon_start_others(tmp_path):
    change = "a daemonic process can no longer be made one that may start others"
    with contract(change, "tallgrass/experiment/worker.py"):
        (tmp_path / "parent.py").write_text(_PARENT_OF_A_PARENT)
        subprocess.run(
            [sys.executable, "parent.py"], cwd=tmp_path, check=True, capture_output=True, timeout=60
        )


# The page.


def private_names(path: Path) -> set[str]:
    """Names with an underscore that a file takes from an object or module of somebody else."""
    used, own = set(), set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            is_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            (own if is_self else used).add(node.attr)
        elif isinstance(node, ast.keyword):
            used.add(node.arg or "")
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("tallgrass"):
            used.update((node.module or "").split("."), (alias.name for alias in node.names))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.FunctionDef):
            own.add(node.name)
    return {name for name in used - own if re.match(r"_(?!_)", name)}


# Of named tuples, documented so; and of Python, the way for a process to end at once.
DOCUMENTED = {"_replace", "_asdict", "_fields", "_exit"}


def test_the_page_lists_every_private_name_of_a_library_that_is_used():
    page = PAGE.read_text("utf-8")
    used = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted((ROOT / "tallgrass").rglob("*.py"))
        for name in private_names(path)
        if name not in DOCUMENTED
    }
    assert {(path, name) for path, name in used if f"`{name}`" not in page} == set()


def test_the_page_names_files_and_tests_that_exist():
    page = PAGE.read_text("utf-8")
    files = set(re.findall(r"`(tallgrass/[\w/]+\.py)`", page))
    assert files
    assert {name for name in files if not (ROOT / name).is_file()} == set()
    here = {name for name in globals() if name.startswith("test_")}
    guarded = set(re.findall(r"`(test_\w+)`", page))
    assert guarded - here == set()
    unlisted = {name for name in here - guarded if not name.startswith("test_the_page_")}
    assert unlisted == set()
