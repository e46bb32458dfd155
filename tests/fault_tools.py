"""Servers that fail on demand, and runs in processes of their own, for the tests of faults."""

import contextlib
import functools
import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from example_store import migrated
from forked import Forked, Forkery

from tallgrass.inference import stream
from tallgrass.tracking import lifecycle
from tallgrass.tracking.lifecycle import Status

ROOT = Path(__file__).parent.parent
PATHS = os.pathsep.join([*sys.path, str(ROOT)])  # before a test has made them others
# A real legislature that is sampled in seconds.
RUN = ["run", "--session=simulated", "--fit-checks=false", "--progress=none", "--chains=2"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def empty_store() -> bytes:
    """A migrated database without experiments: the server makes its default one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.db"
        path.write_bytes(migrated())
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("DELETE FROM experiments")
        return path.read_bytes()


class Server:
    """A real MLflow server that can be stopped and started again on the same port."""

    def __init__(self, folder: Path, store: str | None = None, *options: str, **variables: str):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options, self._process = options, None
        folder.mkdir(exist_ok=True)
        if store is None and not (folder / "server.db").exists():
            (folder / "server.db").write_bytes(empty_store())
        self._variables = {
            **environment(),
            "MLFLOW_BACKEND_STORE_URI": store or f"sqlite:///{folder}/server.db",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            **variables,
        }
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
            self._variables.pop(name, None)

    def start(self) -> None:
        words = ["-m", "mlflow", "server", "--host", "127.0.0.1"]
        words += ["--port", str(self.port), "--workers", "1", "--serve-artifacts"]
        words += ["--artifacts-destination", str(self.folder / "artifacts"), *self._options]
        with (self.folder / "log").open("ab") as log:
            self._process = forkery().popen(
                words, env=self._variables, cwd=self.folder, stdout=log, stderr=log
            )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.2)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def server(folder: Path, store: str | None = None, *options: str, **variables: str):
    made = Server(folder, store, *options, **variables)
    made.start()
    try:
        yield made
    finally:
        made.kill()


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server, or answers 500 or 401, as ``mode`` says.

    ``cuts`` uploads are cut off in the middle first: what came until then is passed on.
    """

    def __init__(self, upstream: str):
        self.upstream, self.mode, self.refused = urlsplit(upstream).netloc, "pass", 0
        self.delay, self.cuts = 0.0, 0
        super().__init__(("127.0.0.1", 0), _Passing)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_):
        """A client that went away is no news."""


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        if self.command == "PUT" and self.server.cuts > 0:
            self.server.cuts -= 1
            self._cut_off()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = self._chunks()
        time.sleep(self.server.delay)
        if self.server.mode != "pass":
            self.server.refused += 1
            self.send_response(int(self.server.mode))
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"broke")
            return
        onward = http.client.HTTPConnection(self.server.upstream, timeout=60)
        left_out = ("host", "transfer-encoding", "content-length", "connection")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in left_out}
        onward.request(self.command, self.path, body, headers)
        answer = onward.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        onward.close()

    def _cut_off(self) -> None:
        half = self.rfile.read(int(self.headers["Content-Length"]) // 2)
        host, _, port = self.server.upstream.partition(":")
        with socket.create_connection((host, int(port))) as onward:
            head = f"{self.requestline}\r\n{self.headers}".replace("\n", "\r\n")
            onward.sendall(head.replace("\r\r\n", "\r\n").encode() + half)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

    def log_message(self, *_):
        """In silence."""


@contextlib.contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    made = Proxy(upstream)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


def start(
    folder: Path,
    *words: str,
    command: Sequence[str] = RUN,
    code: str | None = None,
    by: Forkery | None = None,
    **variables: str,
) -> Forked | subprocess.Popen:
    """``tallgrass run`` in a process of its own, its runs' state in ``folder/state``.

    ``code`` takes the command's words in place of ``tallgrass``, and runs them another way.
    """
    variables = {**environment(), "TALLGRASS_STATE_DIR": str(folder / "state"), **variables}
    with (folder / "said").open("ab") as said:
        return (by or forkery()).popen(
            [*(["-c", code] if code else ["-m", "tallgrass"]), *command, *words],
            cwd=folder,
            env=variables,
            stdout=said,
            stderr=said,
        )


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TALLGRASS_")}
    return kept | {"PYTHONPATH": PATHS}


@functools.cache
def forkery() -> Forkery:
    return Forkery(environment())


def statuses(folder: Path) -> list[Status]:
    found = lifecycle.all_statuses(lifecycle.state_dir(folder / "state"))
    return [status for _, status in found]


def status_of(folder: Path, process: Forked | subprocess.Popen) -> Status | None:
    return next((one for one in statuses(folder) if one.pid == process.pid), None)


def wait_until(condition, process: Forked | subprocess.Popen, folder: Path, seconds: float = 300):
    """Wait for a condition that a process is to bring about."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        assert process.poll() is None, (folder / "said").read_text()
        time.sleep(0.02)
    raise AssertionError((folder / "said").read_text())


def sampling(folder: Path, process: Forked | subprocess.Popen, least: int = 1) -> Status:
    """Wait until every chain has made ``least`` draws, tuning included."""

    def far() -> Status | None:
        one = status_of(folder, process)
        chains = one.chains if one else []
        return one if chains and min(chain.finished for chain in chains) >= least else None

    return wait_until(far, process, folder)


def keeping(
    folder: Path, process: Forked | subprocess.Popen, least: int = 1, writings: int = 1
) -> int:
    """Wait until ``least`` draws of every chain are on disk; as many as the shortest chain has.

    They are written now and then, one chain after the other. A chain whose turn has not come may
    be so far behind that recovering leaves it out: that moment is waited for to pass. It can come
    again before the process is killed, but not where every chain was written twice.
    """
    seen: dict[int, set[int]] = {}

    def kept() -> int | None:
        headers = lifecycle.state_dir(folder / "state").rglob("header.json")
        lengths = next((stream.lengths(one.parent) for one in headers), (0,))
        for chain, length in enumerate(lengths):
            seen.setdefault(chain, set()).add(length)
        written = min(len(seen[chain] - {0}) for chain in range(len(lengths)))
        near = 2 * min(lengths) >= max(*lengths, 2 * least)
        return min(lengths) if near and written >= writings else None

    return wait_until(kept, process, folder)
