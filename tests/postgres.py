"""A PostgreSQL cluster of the tests' own, for real: made in a temporary folder, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from needs import missing

USER, PASSWORD = "teller", "s3cret-word"


def binaries() -> Path | None:
    """The folder of the newest server's programs, or None where there is none."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a server that listens on this machine only, with password authentication.

    PostgreSQL refuses to run as root: there it runs as the user that its package makes.
    """
    programs = binaries()
    if programs is None:
        missing("no PostgreSQL server: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="tallgrass-postgres-") as place:
        folder = Path(place)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        as_user = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            shutil.chown(secret, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]

        def run(program: str, *arguments: object) -> None:
            words = [*as_user, str(programs / program), *map(str, arguments)]
            done = subprocess.run(
                words, cwd=folder, capture_output=True, text=True, check=False, timeout=120
            )
            assert done.returncode == 0, (
                (folder / "log").read_text() if program == "pg_ctl" else done.stderr
            )

        data, port = folder / "data", free_port()
        run("initdb", "-D", data, "-U", USER, f"--pwfile={secret}", "-A", "scram-sha-256", "-N")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        start = ["-D", data, "-o", options, "-l", folder / "log", "-w", "-t", "60"]
        # Its output must not hold our pipe open for as long as the server lives.
        run("pg_ctl", "start", *start)
        try:
            yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "stop", "-D", data, "-m", "immediate")


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """The address of a new, empty database of the server."""
    _administer(server, f'CREATE DATABASE "{name}"')
    try:
        yield f"{server}/{name}"
    finally:
        _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def engine_of(address: str) -> sa.Engine:
    """A SQLAlchemy engine of an address as users write it."""
    url = sa.make_url(address)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return sa.create_engine(url, poolclass=sa.pool.NullPool)


def _administer(server: str, statement: str) -> None:
    with engine_of(f"{server}/postgres").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)
