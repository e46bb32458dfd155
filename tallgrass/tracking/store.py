"""Choose the MLflow store and check within seconds that it can be used."""

import logging
import os
import re
import socket
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tallgrass import escaping
from tallgrass.errors import TrackingError
from tallgrass.tracking import folders

if TYPE_CHECKING:
    from mlflow import MlflowClient

UI_PORT = 5000  # MLflow's default
VIEW = "results"  # key of the view with our columns, in all of our experiments
_PROBE_SECONDS = 3
_DATABASES = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}  # scheme -> usual port
_SQLITE_MAGIC = b"SQLite format 3\0"

_checked: set[str] = set()
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
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"cannot {action} ({brief(error)})", None, mend) from error
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


def brief(error: Exception) -> str:
    """The first line of an error, or the network error that it contains."""
    text = masked(str(error))
    if network := re.search(r"\[Errno -?\d+\] [\w ,]+|timed out|error code \d{3}", text):
        return network[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__


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
    if uri and not inside_project():
        mlflow.set_tracking_uri(uri)
    _check_no_file_store()
    folders.use_plain_address()
    uri_in_use = mlflow.get_tracking_uri()
    scheme = urlsplit(uri_in_use).scheme.partition("+")[0]
    if scheme == "sqlite":
        _check_sqlite(uri_in_use)
    elif scheme in _DATABASES:
        _check_database(uri_in_use, _DATABASES[scheme])
    from mlflow.exceptions import MlflowException

    try:
        with _impatient():
            mlflow.MlflowClient().search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        message = f"cannot use the MLflow store {masked(uri_in_use)} ({brief(error)})"
        raise TrackingError(message, None, _advice(scheme, str(error))) from error
    _checked.add(uri_in_use)


def client() -> "MlflowClient":
    """A client of the connected store; without one, connects to the default store."""
    import mlflow

    if mlflow.get_tracking_uri() not in _checked:
        connect()
    return mlflow.MlflowClient()


def inside_project() -> bool:
    """Whether ``mlflow run`` started this process and already made a run."""
    return bool(os.environ.get("MLFLOW_RUN_ID") and os.environ.get("MLFLOW_TRACKING_URI"))


def page(experiment_id: str | None, run_id: str | None = None, port: int = UI_PORT) -> str:
    """The address in the MLflow UI of an experiment's runs, of one run, or of the start page.

    A local store has no server, so its address is that of ``tallgrass ui``.
    """
    import mlflow

    uri = urlsplit(mlflow.get_tracking_uri())
    base = f"http://127.0.0.1:{port}"
    if uri.scheme in ("http", "https"):
        base = f"{uri.scheme}://{uri.netloc.rpartition('@')[2]}{uri.path.rstrip('/')}"
    if experiment_id is None:
        return f"{base}/#/experiments"
    return f"{base}/#/experiments/{experiment_id}/runs" + (f"/{run_id}" if run_id else "")


def results_page(experiment_id: str | None, port: int = UI_PORT) -> str:
    """The address of an experiment's table of runs with our columns."""
    address = page(experiment_id, port=port)
    return address if experiment_id is None else f"{address}?viewStateShareKey={VIEW}"


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


def server_command(port: int) -> tuple[list[str], dict[str, str]] | None:
    """Command and environment of a local MLflow server for the connected store.

    None if the store is a server.
    """
    import mlflow

    uri = mlflow.get_tracking_uri()
    if urlsplit(uri).scheme in ("http", "https"):
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


def _quieten() -> None:
    """Hide MLflow's log lines about creating its tables, and bars for the files that it reads.

    Not where the user set the log level, or asked for the bars.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)


def _check_no_file_store() -> None:
    """Refuse MLflow's old file store, which MLflow no longer supports."""
    import mlflow

    if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("1", "true"):
        return
    uri = mlflow.get_tracking_uri()
    if urlsplit(uri).scheme not in ("", "file") or uri in ("databricks", "uc"):
        return
    if os.environ.get("MLFLOW_TRACKING_URI"):  # also set by mlflow.set_tracking_uri
        raise TrackingError(
            "MLflow no longer writes runs into a plain folder",
            masked(uri),
            "use a database, such as sqlite:///mlflow.db, or the http address of a server",
        )
    stale = sorted(
        path for path in Path("mlruns").glob("*/meta.yaml") if path.parent.name.isdigit()
    )
    raise TrackingError(
        "an old MLflow file store blocks the default store mlflow.db",
        ", ".join(str(path) for path in stale),
        "move the folder mlruns elsewhere (or import its runs with mlflow migrate-filestore), "
        "or set MLFLOW_TRACKING_URI=sqlite:///mlflow.db",
    )


def _check_sqlite(uri: str) -> None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        database = make_url(uri).database
    except ArgumentError:
        raise TrackingError("tracking URI that is not a URL", masked(uri)) from None
    if not database or database == ":memory:":
        return
    path = Path(database).absolute()
    mend = "set MLFLOW_TRACKING_URI to a database in a folder that can be written"
    try:
        if path.exists():
            with path.open("r+b") as file:
                magic = file.read(len(_SQLITE_MAGIC))
            if magic and magic != _SQLITE_MAGIC:
                raise TrackingError("the MLflow store is not an SQLite database", str(path), mend)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Writing a file is the only sure test: a file system may be read-only despite permissions.
        for folder in {path.parent, _artifact_folder()}:
            tempfile.TemporaryFile(dir=folder).close()
        if not path.exists():
            _make_sqlite(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TrackingError(f"cannot write the MLflow store ({reason})", str(path), mend) from None


def _make_sqlite(path: Path) -> None:
    """Create MLflow's database in another file, which is moved to ``path`` when complete.

    MLflow cannot use a database whose creation was interrupted by a signal or a power cut.
    """
    from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        new = Path(folder, path.name)
        with translated(f"make the MLflow store {path}"):
            location = f"sqlite:///{new}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
            store = SqlAlchemyStore(*location)  # type: ignore[no-untyped-call]
        store.engine.dispose()
        try:
            os.link(new, path)  # unlike a rename, it does not replace the file of another process
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            if not path.exists():
                new.rename(path)


def _artifact_folder() -> Path:
    """The folder to test for artifacts: ``./mlruns``, or its parent if it does not exist."""
    return Path("mlruns") if Path("mlruns").is_dir() else Path()


def _check_database(uri: str, port: int) -> None:
    """Connect once, because MLflow would try ten times, for minutes."""
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    mend = "check the address, the name and the password, and that the database runs"
    try:
        url = sqlalchemy.make_url(uri)
        if url.host:
            socket.create_connection((url.host, url.port or port), timeout=_PROBE_SECONDS).close()
        sqlalchemy.create_engine(url).connect().close()
    except ImportError as error:
        raise TrackingError(
            f"the database of the MLflow store needs a driver ({error.name})",
            masked(uri),
            f"install the Python package {error.name}",
        ) from None
    except ArgumentError:
        raise TrackingError("tracking URI that is not a URL", masked(uri)) from None
    except (OSError, SQLAlchemyError) as error:
        raise TrackingError(
            f"cannot reach the database of the MLflow store ({brief(error)})", masked(uri), mend
        ) from None


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


def _advice(scheme: str, error: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in error:
        return "set MLFLOW_TRACKING_SERVER_CERT_PATH to the certificate of your own authority"
    if "error code 401" in error or "not authenticated" in error:
        return "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    if scheme in ("http", "https"):
        return "check the address and that the MLflow server runs, or unset MLFLOW_TRACKING_URI"
    if scheme == "sqlite":
        return "move the database away, or upgrade it to this MLflow with mlflow db upgrade"
    return "use sqlite:///mlflow.db, or the http address of an MLflow server"
