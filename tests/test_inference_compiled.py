"""The code that nutpie runs, and its cache on disk."""

import ctypes
import hashlib
import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from toy import Density, numeric_jacobian, toy_model, toy_votes, usual_votes

from tallgrass.errors import SamplingError
from tallgrass.inference import cache, compiled
from tallgrass.inference.graph_key import graph_key
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.trace import sample

TESTS = Path(__file__).parent
VOTES = usual_votes()


@pytest.fixture(scope="module")
def hierarchical():
    return toy_model(VOTES, model="hierarchical")


def call_logp(code, x):
    """Return code, value and gradient of nutpie's C function at x."""
    doubles = ctypes.POINTER(ctypes.c_double)
    value, gradient = np.full(1, np.nan), np.full(len(x), np.nan)
    function = code.model.compiled_logp_func.ctypes
    status = function(
        len(x),
        *(array.ctypes.data_as(doubles) for array in (x, gradient, value)),
        ctypes.c_void_p(code.model.user_data.ctypes.data),
    )
    return status, value[0], gradient


@pytest.mark.parametrize(
    ("model", "spec"),
    [
        ("flat", {}),
        ("hierarchical", {}),
        # Of these PyTensor's own fusion of loops has given wrong gradients.
        pytest.param("flat", {"dims": 2}, marks=pytest.mark.slow),
        pytest.param("hierarchical", {"dims": 2}, marks=pytest.mark.slow),
        pytest.param(
            "hierarchical", {"dims": 2, "coordinates": "textbook"}, marks=pytest.mark.slow
        ),
        pytest.param("hierarchical", {"discrimination": "equal"}, marks=pytest.mark.slow),
    ],
)
def test_code_that_was_compiled_once_is_the_density_of_any_legislature_and_prior(model, spec):
    # Votes, sizes and numbers are passed by pointer: they must not meet those of the first one.
    cases = [
        (usual_votes(1), {}),
        (toy_votes(3, 21, 17, seed=5), {"alpha_prior": "normal:0.4,3", "beta_prior": "normal:1,2"}),
    ]
    if "discrimination" in spec:  # equal discriminations have no prior
        del cases[1][1]["beta_prior"]
    codes = []
    for votes, priors in cases:
        built = toy_model(votes, model=model, **spec, **priors)
        density, code = Density(built), compiled.compile_model(built)
        codes.append(code)
        x = density.flat(built.start(np.random.default_rng(3)))
        status, value, gradient = call_logp(code, x)
        assert status == 0
        assert value == pytest.approx(density.logp(x), rel=1e-12)
        numeric = numeric_jacobian(lambda x, density=density: [density.logp(x)], x)[0]
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-6)
    assert codes[1].from_cache


def test_the_compiled_code_reports_a_density_that_is_not_finite(hierarchical):
    code = compiled.compile_model(hierarchical)
    x = Density(hierarchical).flat(hierarchical.start(np.random.default_rng(0)))
    for i in (0, len(x) // 2, len(x) - 1):
        broken = x.copy()
        broken[i] = np.nan
        assert call_logp(code, broken)[0] in (3, 4)
    assert call_logp(code, x[:-1])[0] < 0


def key_of(model):
    """The key under which the model's code is stored."""
    graph = model.graph
    outputs = [graph.logp(), *graph.replace_rvs_by_values([graph[name] for name in model.public])]
    return graph_key(outputs, list(graph.value_vars))


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_code_is_stored_by_the_form_of_a_model_and_found_again(model, coordinates):
    form = {"model": model, "coordinates": coordinates}
    others = [{"beta_prior": "halfnormal:1"}, {"beta_prior": "lognormal:0,1"}]
    if model == "hierarchical":
        others += [{"sigma_prior": "lognormal:0,1"}]
    keys = [key_of(toy_model(VOTES, **form, **other)) for other in [{}, *others]]
    assert len(set(keys)) == len(keys)
    assert key_of(toy_model(VOTES, **form)) == keys[0]


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_sizes_votes_and_numbers_of_priors_are_no_part_of_the_code(model, coordinates):
    form = {"model": model, "coordinates": coordinates}
    key = key_of(toy_model(VOTES, **form))
    numbers = [{"alpha_prior": "normal:0.1,4"}, {"beta_prior": "normal:0,2"}]
    if model == "hierarchical":
        numbers += [{"mu_prior": "normal:1,3"}, {"sigma_prior": "halfnormal:2"}]
    for other in numbers:
        assert key_of(toy_model(VOTES, **form, **other)) == key
    # Of one member, of few, of many: how the spread of a party is sampled is a number as well.
    for votes in (usual_votes(9), toy_votes(7, 8, 29), toy_votes(1, 9, 30), toy_votes(33, 6, 31)):
        assert key_of(toy_model(votes, **form)) == key


# The cache on disk.


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A folder that stands in for PyTensor's, with two files of code and one that is not."""
    monkeypatch.setattr(cache, "NUMBA_CACHE_PATH", tmp_path)
    monkeypatch.setattr(
        cache, "_OURS", "tests_double"
    )  # the stored kernels are left to other tests
    for name in ("f.1.nbc", "f.nbi", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


_DOUBLE = """
import numba as nb

@nb.njit(cache=True)
def double(x):
    return 2 * x
"""


@pytest.fixture(params=["*.nbi", "*.nbc"])
def cut_short(request, stored, monkeypatch):
    """A compiled function of ours, not called yet, one of whose two files ends too soon."""
    monkeypatch.setitem(numba.config.__dict__, "CACHE_DIR", "")

    def load():
        source = stored / "tests_double.py"
        source.write_text(_DOUBLE)
        spec = importlib.util.spec_from_file_location("tests_double", source)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "tests_double", module)
        spec.loader.exec_module(module)
        return module.double

    load()(2)
    (path,) = (stored / "__pycache__").glob(request.param)
    return load(), path


@pytest.mark.parametrize("kept", [0.0, 0.5])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_file_that_cannot_be_read_empties_the_cache_and_the_code_is_made_again(
    stored, cut_short, kept, wrapped
):
    double, path = cut_short
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])

    def make():
        try:
            return double(4)
        except Exception as error:
            if wrapped:
                raise RuntimeError("lowering failed") from error
            raise

    assert cache.with_readable_cache(make) == 8
    assert not {"f.1.nbc", "f.nbi"} & {path.name for path in stored.iterdir()}


def test_where_a_run_meets_such_a_file_the_next_one_has_it_made_again(cut_short):
    double, path = cut_short
    path.write_bytes(b"")
    with pytest.raises(SamplingError, match="run the command again"), cache.mended_cache():
        double(4)
    with cache.mended_cache():
        assert double(4) == 8


def test_a_worker_that_died_is_no_reason_to_empty_the_cache(stored):
    with pytest.raises(EOFError), cache.mended_cache():
        cache.with_readable_cache(lambda: pickle.loads(b""))
    assert len(list(stored.iterdir())) == 3


def test_any_other_error_leaves_the_cache_alone(stored):
    def make():
        raise ValueError("no such graph")

    with pytest.raises(ValueError, match="no such graph"):
        cache.with_readable_cache(make)
    assert len(list(stored.iterdir())) == 3


# Other processes. Compiling without any cache takes 10 to 30 seconds.

_SAMPLE = """
import hashlib
from numba.core.event import install_recorder
from toy import toy_model, usual_votes
from tallgrass.inference.graph_key import graph_key
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.trace import sample

votes = usual_votes()
model = toy_model(votes, model="flat")
with install_recorder("numba:compile") as compilations:
    sampled = sample(model, votes, SamplerSpec(draws=300, tune=200, chains=2, seed=3))
xi = sampled.trace["posterior"]["xi"].values
print(hashlib.sha256(xi.tobytes()).hexdigest(), sampled.from_cache, len(compilations.buffer) // 2)
"""


def in_another_process(folder):
    """Digest of the draws of a process whose caches are in this folder, and where code was from."""
    environment = os.environ | {
        "PYTENSOR_FLAGS": f"base_compiledir={folder}",
        "NUMBA_CACHE_DIR": str(folder / "user"),
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", _SAMPLE],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def cold(tmp_path_factory):
    """A folder of caches that one process has filled, and what that process said."""
    folder = tmp_path_factory.mktemp("cold")
    return folder, in_another_process(folder)


@pytest.mark.slow
def test_another_process_with_a_cold_or_a_warm_cache_gives_identical_draws(cold):
    folder, first = cold
    spec = SamplerSpec(draws=300, tune=200, chains=2, seed=3)
    xi = sample(toy_model(VOTES, model="flat"), VOTES, spec).trace["posterior"]["xi"].values
    here = hashlib.sha256(xi.tobytes()).hexdigest()
    assert first[:2] == [here, "False"]
    assert in_another_process(folder)[:2] == [here, "True"]


@pytest.mark.slow
def test_a_model_is_one_function_for_numba_and_not_one_for_each_operation(cold):
    folder, (_, _, compilations) = cold
    # PyTensor's own functions of this model are 120.
    assert int(compilations) < 40
    assert int(in_another_process(folder)[2]) == 0


@pytest.mark.slow
@pytest.mark.faults
def test_files_of_the_cache_that_were_cut_short_are_replaced(cold):
    folder, (digest, *_) = cold
    for pattern in ("*.nbi", "*.nbc"):
        files = sorted(folder.rglob(pattern))
        assert len(files) > 2
        for i, path in enumerate(files):
            content = path.read_bytes()
            path.write_bytes(content[: i % 3 * len(content) // 3])
        assert in_another_process(folder)[:2] == [digest, "False"]
    assert in_another_process(folder)[:2] == [digest, "True"]


def test_files_of_the_cache_that_vanish_while_they_are_listed_stop_nobody(tmp_path):
    """As those that numba writes beside the finished ones: another run has just moved them."""
    others = (
        "import pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "print('begun', flush=True)\n"
        "while True:\n"
        "    for number in range(50):\n"
        "        (folder / f'tmp.{number}').touch()\n"
        "    for number in range(50):\n"
        "        (folder / f'tmp.{number}').unlink()\n"
    )
    words = [sys.executable, "-c", others, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            for _ in range(300):
                cache.keep_private(tmp_path)
        finally:
            process.kill()
