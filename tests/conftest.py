import gc
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import postgres
import pytest
from attack_figures import figures
from example_session import LEGISLATORS, ROLLCALLS, VOTES
from hypothesis import settings
from needs import missing

# Machines that sample at the same time are slow at times; a test's speed is measured elsewhere.
settings.register_profile("default", deadline=None, max_examples=30)
settings.register_profile("ci", deadline=None, max_examples=100)
settings.load_profile("ci" if os.environ.get("CI") else "default")

ROOT = Path(__file__).parents[1]

# They take longest, the longest first: none is left for one worker at the end, when the other is
# done.
FIRST = (
    "test_manual_browser", "test_manual", "test_lab_sbc", "test_faults_ownership", "test_home",
    "test_docstrings", "test_faults_recovery", "test_rollcalls_models_dynamic_calibrated",
    "test_rollcalls_plane", "test_inference_compiled", "test_items_models_anchored",
    "test_items_project", "test_items_reference", "test_faults", "test_lab_warm",
    "test_faults_server", "test_lab_benchmark_many_runs", "test_items_agreement",
    "test_rollcalls_run_joint", "test_experiment_cluster", "test_items_run",
    "test_experiment_runner", "test_rollcalls_models_joint_calibrated",
    "test_rollcalls_models_posterior",
)  # fmt: skip


# In CI, tests that take longer are named with their time, so that a run that does not end says why.
LONG_S = 30


def pytest_configure(config):
    # Runs of the tests are not among the user's own, and do not wait for those.
    folder = tempfile.TemporaryDirectory(prefix="tallgrass-state-")
    os.environ["XDG_STATE_HOME"] = folder.name
    config.add_cleanup(folder.cleanup)
    # A shell starts background jobs with Ctrl-C ignored, and tests send it to themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.set_threshold(200_000, 20, 100)
    if getattr(config.option, "numprocesses", None):
        # As many workers as cores: threads of linear algebra would only wait for each other. The
        # workers, and what tests start, take it from here.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if os.environ.get("CI") and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(LongTests(config))


def pytest_collection_finish():
    """Leave out what was imported when garbage is looked for: it lives as long as the tests."""
    gc.collect()
    gc.freeze()


class LongTests:
    """Names the tests that take long, when they end."""

    def __init__(self, config):
        self.plugins, self.began = config.pluginmanager, time.monotonic()

    def pytest_runtest_logreport(self, report):
        terminal = self.plugins.get_plugin("terminalreporter")
        if terminal is not None and report.duration > LONG_S:
            minutes = (time.monotonic() - self.began) / 60
            terminal.ensure_newline()
            terminal.write_line(f"{report.duration:.0f} s, at {minutes:.1f} min: {report.nodeid}")


def pytest_terminal_summary(terminalreporter):
    """Say what attacks found, where some were made."""
    ids = {
        outcome: [report.nodeid for report in terminalreporter.stats.get(outcome, ())]
        for outcome in ("passed", "failed", "error")
    }
    if line := figures(ids["passed"], ids["failed"] + ids["error"]):
        terminalreporter.write_line(line)


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="module", autouse=True)
def variables_of_dask():
    """What Dask sets for its workers, and leaves, is set no more after the tests of a module."""
    names = ["MALLOC_TRIM_THRESHOLD_", "PYTHONHASHSEED", "__DASK_PARENT_PID"]
    names += [f"{library}_NUM_THREADS" for library in ("OMP", "MKL", "OPENBLAS")]
    before = {name: os.environ.get(name) for name in names}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real votes; where they are not, tests skip, but not in CI."""
    folder = ROOT / os.environ.get("TALLGRASS_TEST_DATA", "../shared/data")
    if not (folder / "kansas").is_dir():
        missing(f"no real data in {folder}: set TALLGRASS_TEST_DATA")
    return folder.resolve()


@pytest.fixture
def write_session(tmp_path: Path) -> Callable[..., Path]:
    """Writes a session of three representatives and a senator; each file can be replaced."""

    def write(name: str = "small", **files: str | bytes | None) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        parts = {"votes": VOTES, "rollcalls": ROLLCALLS, "legislators": LEGISLATORS} | files
        for part, text in parts.items():
            if text is not None:
                data = text.encode() if isinstance(text, str) else text
                (folder / f"{name}_{part}.csv").write_bytes(data)
        return folder

    return write


@pytest.fixture(scope="session")
def postgres_server():
    """The address of a PostgreSQL server; users without one skip, CI fails."""
    with postgres.cluster() as address:
        yield address


@pytest.fixture
def postgres_url(postgres_server, request):
    """The address of an empty PostgreSQL database of this test's own."""
    name = f"test {abs(hash(request.node.nodeid))}"
    with postgres.database(postgres_server, name) as address:
        yield address
