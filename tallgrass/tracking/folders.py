"""The folder of a local store: its name in an address, and whether it is where it was made."""

import re
import secrets
from pathlib import Path
from urllib.parse import quote, unquote

from tallgrass.errors import TrackingError
from tallgrass.tracking import address

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def use_plain_address() -> None:
    """Give MLflow the path of the default store as it is, where MLflow would encode it.

    MLflow writes the folder ``a b`` as ``a%20b`` into the address of its default store, and makes
    an empty folder of that name.

    Raises
    ------
    TrackingError
        When the folder's name holds what an address cannot hold: MLflow would try for minutes.
    """
    if address.is_chosen() or address.scheme_of(address.in_use()) != "sqlite":
        return
    path = Path(address.DATABASE).absolute()
    if "?" in str(path) or _ESCAPE.search(str(path)):
        raise TrackingError(
            "MLflow cannot keep a store in a folder whose name has ? or % and two digits",
            str(path.parent),
            "rename the folder, or set MLFLOW_TRACKING_URI to a database in another one",
        )
    if quote(str(path)) != str(path):
        address.choose(f"sqlite:///{path}")


def database_file() -> Path | None:
    """The file of the connected store; None where it is a server or in memory."""
    from sqlalchemy.engine import make_url

    uri = address.in_use()
    if address.scheme_of(uri) != "sqlite":
        return None
    name = make_url(uri).database
    # MLflow encodes the address of its default store, whose file has the name as it is.
    return None if not name or name == ":memory:" else Path(unquote(name)).absolute()


def beside_the_store(experiment: str) -> str | None:
    """A new folder for the artifacts of an experiment, beside its store.

    None where MLflow does so by itself: it makes ``mlruns`` in the current folder, wherever the
    file of the store is.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    """
    database = database_file()
    if database is None or database.parent == Path.cwd():
        return None
    name = re.sub(r"[^\w-]+", "-", experiment).strip("-")[:60]
    return str(database.parent / address.ARTIFACTS / f"{name}-{secrets.token_hex(4)}")


def check_place(experiment_id: str, artifact_location: str) -> None:
    """Refuse an experiment whose artifacts would go to the place that its store was moved from.

    Parameters
    ----------
    artifact_location : str
        Where MLflow has recorded that the experiment's artifacts are.

    Raises
    ------
    TrackingError
        When the artifacts are beside the store and recorded elsewhere.
    """
    if (here := _moved_to(experiment_id, artifact_location)) is not None:
        raise TrackingError(
            "this folder was moved or copied: its store has the artifacts in the old place",
            artifact_location,
            f"they are in {here.parent}: record that with tallgrass moved",
        )


def record_place() -> dict[str, str]:
    """Record for every experiment of the store that its artifacts are beside it.

    Returns
    -------
    dict of str to str
        Old place -> new place, of the experiments that had been moved.

    Raises
    ------
    TrackingError
        When the store is no file.
    """
    import sqlalchemy as sa

    database = database_file()
    if database is None:
        raise TrackingError("only a store that is a file can have been moved", None)
    engine = sa.create_engine(f"sqlite:///{database}")
    moved: dict[str, str] = {}
    try:
        with engine.begin() as connection:
            read = sa.text("SELECT experiment_id, artifact_location FROM experiments")
            for experiment_id, recorded in connection.execute(read).all():
                here = _moved_to(str(experiment_id), str(recorded))
                if here is None:
                    continue
                moved[str(recorded)] = str(here)
                values = {"old": str(recorded), "new": str(here), "id": experiment_id}
                connection.execute(
                    sa.text(
                        "UPDATE experiments SET artifact_location = :new WHERE experiment_id = :id"
                    ),
                    {"new": values["new"], "id": values["id"]},
                )
                connection.execute(
                    sa.text(
                        "UPDATE runs SET artifact_uri = :new || substr(artifact_uri, "
                        "length(:old) + 1) WHERE experiment_id = :id AND "
                        "substr(artifact_uri, 1, length(:old)) = :old"
                    ),
                    values,
                )
    finally:
        engine.dispose()
    return moved


def _moved_to(experiment_id: str, recorded: str) -> Path | None:
    """Where an experiment's artifacts are, if that is beside the store and recorded elsewhere."""
    database, place = database_file(), recorded.removeprefix("file://")
    if database is None or "://" in place:
        return None
    own = Path(place).name if Path(place).parent.name == address.ARTIFACTS else experiment_id
    here = database.parent / address.ARTIFACTS / own
    if not here.is_dir() or (Path(place).exists() and Path(place).samefile(here)):
        return None
    return here
