"""A PostgreSQL server of a test's own, on a free port of this machine, gone afterwards."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def postgres_server() -> Iterator[str]:
    """URI of an empty database; skips, or in CI fails, where PostgreSQL is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(programs[-1]) if programs else None)
    if found is None:
        reason = "PostgreSQL's server is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    binaries = Path(found).parent
    # It refuses to run as root; its package makes a user of its own.
    root = os.geteuid() == 0
    user = "postgres" if root else getpass.getuser()
    as_user = ["runuser", "-u", user, "--"] if root else []
    with tempfile.TemporaryDirectory() as folder:
        if root:
            shutil.chown(folder, user)
        data, port = f"{folder}/data", free_port()

        def call(program: str, *arguments: str) -> None:
            command = [*as_user, str(binaries / program), "-D", data, *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

        call("initdb", "--auth", "trust", "--username", "tallgrass", "--no-sync")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        call("pg_ctl", "start", "-w", "-l", f"{folder}/log", "-o", options)
        try:
            yield f"postgresql+psycopg2://tallgrass@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
