"""Commands in processes that are forked from one which has imported the program already.

Why it is there: a command spends three seconds on imports before it does anything, and the tests of
faults and of the manual start more than a hundred. What is forked is a process as any other: an
id, signals, a session, descriptors, a folder and an environment of its own, and an exit status; it
goes through ``tallgrass/__main__.py``, or the code that it is given.

What it does not cover: the start itself. What is read while modules are imported (``HOME``, folders
of caches, options of Python and of numba) is as it was for the process that was forked: where the
environment asked for is another one in more than variables of Tallgrass and MLflow, a new process
is started instead. Tests of installations, containers, users without a home and the like start
their own, and so do those of commands in ``test_cli``, ``test_home``, ``test_mlproject`` and
``test_wheel``.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# What runs of every kind import, and what they do so late. Modules that import JAX are not among
# them: libraries ask whether it is there.
PACKAGES = ("rollcalls", "items", "own", "study", "recovery", "report", "tracking", "experiment")
MODULES = (
    "tallgrass.cli.run", "tallgrass.cli.calibrate", "tallgrass.cli.recover", "tallgrass.fitting",
    "tallgrass.serving", "mlflow", "mlflow.store.tracking.sqlalchemy_store", "h5netcdf",
    "sqlalchemy.dialects.sqlite", "dask.array", "git", "pyarrow.parquet", "arro3.core",
    "PIL.PngImagePlugin", "matplotlib.backends.backend_agg", "numba.typed",
    "numba.np.ufunc.parallel",
)  # fmt: skip
# Which only some installs have: make attacks does without them.
IF_INSTALLED = ("sparse",)
# Not read while something is imported, so that they may be others in every process.
FREE = ("TALLGRASS_", "MLFLOW_", "PYTEST_", "PATH", "PWD", "OLDPWD", "SHLVL", "_", "COLUMNS")
# Set by libraries when they are imported: JAX, scikit-learn, PyMC, MLflow and ourselves. A test
# that imports one of them must not make every later command a new process.
SET_BY_IMPORTS = (
    "TF_CPP_MIN_LOG_LEVEL", "TPU_SKIP_MDS_QUERY", "KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK",
    "_MLFLOW_TELEMETRY_SESSION_ID", "HDF5_USE_FILE_LOCKING",
)  # fmt: skip
SHIM = """\
#!{python} -IS
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({address!r})
    words = [*{words!r}, *sys.argv[1:]]
    asked = {{"words": words, "cwd": os.getcwd(), "env": dict(os.environ), "session": False}}
    asked["env"].pop("JPY_PARENT_PID", None)  # a kernel would miss this parent at once
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
    server.sendmsg([json.dumps(asked).encode()], [rights])
    server.recv(99)
    status = int(server.recv(99))
os.kill(os.getpid(), -status) if status < 0 else sys.exit(status)
"""


class Forked:
    """A process that was forked; what the tests use of ``subprocess.Popen``."""

    def __init__(self, words: Sequence[str], server: socket.socket) -> None:
        self.args, self._server = words, server
        self.pid = int(server.recv(99))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._server.settimeout(timeout)
            try:
                self.returncode = int(self._server.recv(99))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._server.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forkery:
    """A process that has imported the program, and forks where it is asked to; made once used.

    Parameters
    ----------
    environment : mapping of str to str
        The variables with which it imports.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = _fixed(environment)

    @functools.cached_property
    def folder(self) -> Path:
        """Where its socket is, with commands for shells, ``tallgrass`` and ``forked-python``."""
        made = tempfile.TemporaryDirectory(prefix="tallgrass-forked-")
        address = str(Path(made.name, "socket"))
        process = subprocess.Popen(
            [sys.executable, __file__, address],
            # Threads of linear algebra are none of its own: only one thread can be forked.
            env={**self._environment, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        assert process.stdout.read() == b"ready"

        def end() -> None:
            process.stdin.close()
            process.wait()
            made.cleanup()

        atexit.register(end)
        for name, words in (("tallgrass", ["-m", "tallgrass"]), ("forked-python", [])):
            shim = Path(made.name, name)
            shim.write_text(SHIM.format(python=sys.executable, address=address, words=words))
            shim.chmod(0o755)
        return Path(made.name)

    def popen(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdout: IO[bytes],
        stderr: IO[bytes],
    ) -> "Forked | subprocess.Popen":
        """Python with ``-m`` or ``-c`` and their words, in a session of its own."""
        if _fixed(env) != self._environment or not hasattr(os, "pidfd_open"):
            return subprocess.Popen(
                [sys.executable, *words], cwd=cwd, env=env, stdout=stdout, stderr=stderr,
                start_new_session=True,
            )  # fmt: skip
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.connect(str(self.folder / "socket"))
        asked = {"words": [*words], "cwd": str(cwd), "env": dict(env), "session": True}
        with Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), stdout.fileno(), stderr.fileno()]
            socket.send_fds(server, [json.dumps(asked).encode()], files)
        return Forked(words, server)

    def run(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """As ``popen``, and waits; what it says is kept."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.popen(words, cwd=cwd, env=env, stdout=out, stderr=err)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            out.seek(0)
            err.seek(0)
            said = out.read().decode(), err.read().decode()
        return subprocess.CompletedProcess([*words], status, *said)


def _fixed(environment: Mapping[str, str]) -> dict[str, str]:
    """What has to be the same for a process to be forked."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(FREE[:3]) and name not in (*FREE[3:], *SET_BY_IMPORTS)
    }


def _import_all() -> dict[str, str]:
    """The variables that modules set when they are imported."""
    before = dict(os.environ)
    import tallgrass

    for package in PACKAGES:
        folder = str(Path(tallgrass.__file__).parent / package)
        for module in pkgutil.walk_packages([folder], f"tallgrass.{package}."):
            importlib.import_module(module.name)
    installed = [name for name in IF_INSTALLED if importlib.util.find_spec(name)]
    for name in (*MODULES, *installed):
        importlib.import_module(name)
    assert "jax" not in sys.modules
    # A thread of the allocator of Arrow is prepared for a fork; others are not.
    threads = [Path(task, "comm").read_text() for task in Path("/proc/self/task").iterdir()]
    others = [name for name in threads if not name.startswith("jemalloc")]
    assert len(others) == 1, others
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def _files() -> set[int]:
    """The descriptors that are open, without that of the listing itself."""
    listed = list(Path("/proc/self/fd").iterdir())
    return {int(path.name) for path in listed if path.is_symlink()}


def _serve(address: str) -> list[str]:
    """Fork for everybody who asks; the words of the command, in the process that was forked."""
    gc.set_threshold(1_000_000, 20, 100)
    made = _import_all()
    gc.freeze()
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    kept = _files()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(0, selectors.EVENT_READ)
    os.write(1, b"ready")
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    while True:
        for key, _ in selector.select():
            if key.fd == 0:  # the tests have ended
                sys.exit()
            if key.fileobj is listener:
                client, _ = listener.accept()
                text, files, *_ = socket.recv_fds(client, 1 << 20, 3)
                pid = os.fork()
                if not pid:
                    return _become(json.loads(text), files, kept, made)
                for file in files:
                    os.close(file)
                client.send(b"%d" % pid)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, client))
            else:
                pid, client = key.data
                selector.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(pid, 0)
                with client, contextlib.suppress(OSError):  # nobody waits for it
                    client.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(
    asked: dict, files: Sequence[int], kept: set[int], made: Mapping[str, str]
) -> list[str]:
    """Make the process that was asked for out of a fresh fork; its words."""
    import numpy as np

    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in _files() - kept:
        os.close(file)
    if asked["session"]:
        os.setsid()
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update({**made, **asked["env"]})
    np.random.seed()  # noqa: NPY002
    # Whether it can be sought in was asked of the file that was there before.
    for file, name in enumerate(("stdin", "stdout", "stderr")):
        lines, mode = name == "stderr" or os.isatty(file), "w" if file else "r"
        old = getattr(sys, name)
        kind = {"encoding": old.encoding, "errors": old.errors, "closefd": False}
        new = open(file, mode, buffering=1 if lines else -1, **kind)  # noqa: PTH123, SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    return asked["words"]


def _main() -> None:
    option, what, *rest = _serve(sys.argv[1])
    importlib.invalidate_caches()
    if option == "-m":
        sys.argv, sys.path[0] = [what, *rest], str(Path.cwd())
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = ["-c", *rest], ""
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    _main()
