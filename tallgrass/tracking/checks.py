"""Check within seconds that the store of an address can be used: a file or a database server."""

import os
import re
import socket
import ssl
import tempfile
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tallgrass.errors import TrackingError
from tallgrass.escaping import masked
from tallgrass.tracking import address

DATABASES = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}  # scheme -> usual port
_PROBE_SECONDS = 3
LOGIN = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
_NO_LOGIN = re.compile(r"error code 401|401 Client Error|not authenticated")
_NETWORK = re.compile(
    r"\[Errno -?\d+\] [\w ,]+|timed out|error code \d{3}"
    r"|\d{3} (?:Client|Server) Error: [\w ]+(?= for)"
)
_VERSION = re.compile(r"\d+\.\d+[\w.]*")
# Whose errors tell that a store is in trouble, beside those of the system.
_LIBRARIES = {"mlflow.exceptions", "sqlalchemy.exc", "google.protobuf.json_format"}
_SQLITE_MAGIC = b"SQLite format 3\0"
# What is no address may have a password with a space or a slash, which ends one elsewhere.
_WHO = re.compile(r"://.*@", re.DOTALL)


def brief(error: Exception) -> str:
    """The first line of an error, or the network error that it contains."""
    text = masked(str(error))
    if network := _NETWORK.search(text):
        return network[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__


def wants_login(error: BaseException) -> bool:
    """Whether a server refused a request because it does not know who asks."""
    return _NO_LOGIN.search(str(error)) is not None


def of_a_store(error: BaseException) -> bool:
    """Whether an error is one that a store causes: its server, its database, its disk.

    Told by names, so that a command that reads a database need not import MLflow for it.
    """
    kinds = type(error).__mro__
    return isinstance(error, OSError) or any(kind.__module__ in _LIBRARIES for kind in kinds)


def check_address(uri: str) -> None:
    """Refuse what is no address at all."""
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError as error:
        mend = "write it as http://host:port, or sqlite:///mlflow.db"
        raise TrackingError(
            f"tracking URI that is no address ({error})", masked(_WHO.sub("://***@", uri)), mend
        ) from None


def check_answers(uri: str) -> None:
    """Refuse a server that lists no experiment and does not know its version: it is no MLflow."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    asked = Request(f"{parts.scheme}://{host}{parts.path.rstrip('/')}/version")
    certificate = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None
    try:
        context = ssl.create_default_context(cafile=certificate)
        with urlopen(asked, timeout=_PROBE_SECONDS, context=context) as answer:
            told = answer.read(100).decode("utf-8", "replace").strip()
            known = _VERSION.fullmatch(told) is not None
    except HTTPError as error:
        known = error.code in (401, 403)  # it wants the password, and had it for the list
    except ssl.SSLError:
        known = True  # MLflow, which asked before, has its own rules for certificates
    if not known:
        raise TrackingError(
            "the server does not answer as an MLflow server does",
            masked(uri),
            "check the address, its path too",
        )


def check_no_file_store() -> None:
    """Refuse MLflow's old file store, which MLflow no longer supports."""
    if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("1", "true"):
        return
    uri = address.in_use()
    if urlsplit(uri).scheme not in ("", "file") or uri in ("databricks", "uc"):
        return
    if address.is_chosen():
        raise TrackingError(
            "MLflow no longer writes runs into a plain folder",
            masked(uri),
            "use a database, such as sqlite:///mlflow.db, or the http address of a server",
        )
    raise TrackingError(
        "an old MLflow file store blocks the default store mlflow.db",
        ", ".join(map(str, address.stale_experiments())),
        "move the folder mlruns elsewhere (or import its runs with mlflow migrate-filestore), "
        "or set MLFLOW_TRACKING_URI=sqlite:///mlflow.db",
    )


def check_sqlite(uri: str) -> None:
    """Check that the file of a database can be written; it is made where there is none.

    Raises
    ------
    TrackingError
        When it cannot be written or is something else.
    """
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
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        new = Path(folder, path.name)
        try:
            location = f"sqlite:///{new}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
            store = SqlAlchemyStore(*location)  # type: ignore[no-untyped-call]
        except MlflowException as error:
            what = f"cannot make the MLflow store {path} ({brief(error)})"
            raise TrackingError(what, None) from error
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
    return Path(address.ARTIFACTS) if Path(address.ARTIFACTS).is_dir() else Path()


def check_database(uri: str, port: int) -> None:
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
