"""Choose the MLflow store and check within seconds that it can be used."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tallgrass import escaping
from tallgrass.errors import TrackingError
from tallgrass.tracking import address, folders
from tallgrass.tracking.checks import (
    DATABASES,
    LOGIN,
    brief,
    check_address,
    check_answers,
    check_database,
    check_no_file_store,
    check_sqlite,
    of_a_store,
    wants_login,
)
from tallgrass.tracking.proxies import Proxy, proxy_for

if TYPE_CHECKING:
    from mlflow import MlflowClient

_checked: set[str] = set()
_readable: set[str] = set()
_files: dict[Path, tuple[int, int]] = {}  # database -> what the system calls the file that it was
masked = escaping.masked


@contextmanager
def translated(action: str, mend: str = "") -> Iterator[None]:
    """Turn errors of MLflow and of the file system into a TrackingError that names the action.

    Parameters
    ----------
    action : str
        The action, worded to follow "cannot" ("read run 1234").
    mend : str, optional
        What the user can do about it.
    """
    try:
        yield
    except Exception as error:
        if not of_a_store(error):
            raise
        advice = LOGIN if wants_login(error) else mend
        raise TrackingError(f"cannot {action} ({brief(error)})", None, advice) from error
    except KeyboardInterrupt as interrupt:
        release(interrupt)
        raise


def release(error: BaseException | None) -> None:
    """Drop what the functions that an error ended still hold, above all open database cursors.

    An interrupt in the middle of a query leaves its cursor in a frame of the traceback. It keeps
    an SQLite database locked, so that no process could write before this one has ended.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def connect(uri: str | None = None) -> None:
    """Choose the MLflow store and check that it can be written.

    Parameters
    ----------
    uri : str, optional
        Tracking URI. The default is ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` in the
        current folder, with artifacts in ``./mlruns``. Inside ``mlflow run``, ``uri`` is ignored,
        because the store of that command already has the run.

    Raises
    ------
    TrackingError
        When the store is an old file store, cannot be reached within a few seconds, cannot be
        written, or is of an unknown kind. Passwords in the URI are masked.
    """
    import mlflow

    _quieten()
    check_address(uri or address.in_use())
    if uri and not inside_project():
        mlflow.set_tracking_uri(uri)
    check_no_file_store()
    folders.use_plain_address()
    uri_in_use = mlflow.get_tracking_uri()
    scheme = _check(uri_in_use)
    try:
        with _impatient():
            some = mlflow.MlflowClient().search_experiments(max_results=1)
            if not some and scheme in ("http", "https"):
                check_answers(uri_in_use)
    except Exception as error:
        if not of_a_store(error):
            raise
        proxy = proxy_for(uri_in_use)
        through = f" through the proxy {masked(proxy.address)} of {proxy.variable}" if proxy else ""
        message = f"cannot use the MLflow store {masked(uri_in_use)}{through} ({brief(error)})"
        raise TrackingError(message, None, _advice(scheme, error, proxy)) from error
    _checked.add(uri_in_use)
    if (file := folders.database_file()) is not None and file.is_file():
        _files[file] = _identity(file)


def is_gone() -> bool:
    """Whether the database file of the store was deleted or replaced since it was connected.

    MLflow goes on writing into a file that was deleted, and nothing of it stays.
    """
    file = folders.database_file()
    if file is None or file not in _files:
        return False
    return not file.is_file() or _identity(file) != _files[file]


def _identity(file: Path) -> tuple[int, int]:
    about = file.stat()
    return about.st_dev, about.st_ino


def connect_to_read(uri: str | None = None) -> None:
    """Choose the MLflow store, as :func:`connect` does, for a command that only reads.

    A database is read without MLflow, whose import takes longer than everything else.

    Parameters
    ----------
    uri : str, optional
        As for :func:`connect`.

    Raises
    ------
    TrackingError
        As for :func:`connect`.
    """
    check_address(uri or address.in_use())
    if uri and not inside_project():
        address.choose(uri)
    in_use = address.in_use()
    if not address.readable(in_use) or not _is_there(in_use):
        connect(uri)
        return
    folders.use_plain_address()
    _check(address.in_use())
    _readable.add(address.in_use())


def absent_database(uri: str | None = None) -> Path | None:
    """The file of the chosen store, where there is none yet; MLflow would make an empty one.

    Parameters
    ----------
    uri : str, optional
        As for :func:`connect`.
    """
    check_address(uri or address.in_use())
    if uri and not inside_project():
        address.choose(uri)
    if address.readable(address.in_use()) and not _is_there(address.in_use()):
        return folders.database_file()
    return None


def readable_database() -> str | None:
    """URI of the connected store's database; None if the store is a server.

    Without a connection, connects to the default store.
    """
    uri = address.in_use()
    if not address.readable(uri):
        return None
    if uri not in _readable | _checked:
        connect_to_read()
    return address.in_use()


def client() -> "MlflowClient":
    """A client of the connected store; without one, connects to the default store."""
    import mlflow

    if mlflow.get_tracking_uri() not in _checked:
        connect()
    return mlflow.MlflowClient()


def inside_project() -> bool:
    """Whether ``mlflow run`` started this process and already made a run."""
    return bool(os.environ.get("MLFLOW_RUN_ID") and os.environ.get("MLFLOW_TRACKING_URI"))


def absolute_uri() -> str:
    """The URI of the connected store, valid from any folder of this machine."""
    import mlflow
    from sqlalchemy.engine import make_url

    uri = str(mlflow.get_tracking_uri())
    if urlsplit(uri).scheme.partition("+")[0] != "sqlite":
        return uri
    database = make_url(uri).database
    if not database or database == ":memory:":
        return uri
    return f"sqlite:///{Path(database).absolute()}"


def on_server() -> bool:
    """Whether the connected store is a server, whose pages are there without ``tallgrass ui``."""
    return address.scheme_of(address.in_use()) in ("http", "https")


def server_command(port: int) -> tuple[list[str], dict[str, str]] | None:
    """Command and environment of a local MLflow server for the connected store.

    None if the store is a server.
    """
    import mlflow

    uri = mlflow.get_tracking_uri()
    if on_server():
        return None
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    # Artifacts that are made in the UI are files, so they stay readable without the server.
    command += ["--no-serve-artifacts", "--default-artifact-root", "./mlruns", "--workers", "1"]
    environment = {
        # Not an argument, because it may contain a password and arguments are visible to all users.
        "MLFLOW_BACKEND_STORE_URI": uri,
        # Else the server starts seven workers of about 230 MB each, for jobs that we do not use.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    return command, environment


def _check(uri: str) -> str:
    """Check what can be checked of a store before MLflow meets it; returns its scheme."""
    check_address(uri)
    scheme = address.scheme_of(uri)
    if scheme == "sqlite":
        check_sqlite(uri)
    elif scheme in DATABASES:
        check_database(uri, DATABASES[scheme])
    return scheme


def _is_there(uri: str) -> bool:
    """Whether a database is there to be read; MLflow makes one that is not."""
    if address.scheme_of(uri) != "sqlite":
        return True
    from sqlalchemy.exc import ArgumentError

    try:
        file = folders.database_file()
    except ArgumentError:  # which the full connection words
        return False
    return file is not None and file.is_file()


def _quieten() -> None:
    """Hide MLflow's lines about its tables and the addresses of runs, and bars for its files.

    Not where the user set the log level, or asked for the bars.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # MLflow's line has the address of the server with its password; ours has none.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        # Its errors, with their tracebacks, become one line of ours.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@contextmanager
def _impatient() -> Iterator[None]:
    """Make MLflow ask a server only once and briefly; by default it retries for minutes."""
    limits = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    earlier = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in earlier.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _advice(scheme: str, error: Exception, proxy: Proxy | None = None) -> str:
    if proxy is not None and "Proxy" in str(error):
        host = proxy.host
        return f"check the proxy, or reach {host} without it: NO_PROXY={host}"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "set MLFLOW_TRACKING_SERVER_CERT_PATH to the certificate of your own authority"
    if wants_login(error):
        return LOGIN
    if scheme in ("http", "https"):
        return "check the address and that the MLflow server runs, or unset MLFLOW_TRACKING_URI"
    if scheme == "sqlite":
        return "move the database away, or upgrade it to this MLflow with mlflow db upgrade"
    return "use sqlite:///mlflow.db, or the http address of an MLflow server"
