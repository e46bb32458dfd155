"""The stores that this user's runs went to, so that a command in another folder can name them."""

import json
import os
from pathlib import Path

_FILE = "stores.json"
_MOST = 10


def note_store(state: Path, uri: str) -> None:
    """Remember that a run goes to this store; what cannot be written is forgotten.

    Parameters
    ----------
    state : Path
        From :func:`tallgrass.tracking.lifecycle.state_dir`.
    uri : str
        The store's absolute address, its passwords masked.
    """
    known = _read(state)
    if known[:1] == [uri]:
        return
    stores = [uri, *(other for other in known if other != uri)][:_MOST]
    beside = state / f".{_FILE}.{os.getpid()}"
    try:
        beside.write_text(json.dumps(stores), "utf-8")
        beside.replace(state / _FILE)
    except OSError:
        beside.unlink(missing_ok=True)


def seen_stores(state: Path) -> list[str]:
    """The stores of earlier runs that are still there, the latest first."""
    return [uri for uri in _read(state) if _may_be_there(uri)]


def _read(state: Path) -> list[str]:
    try:
        stores = json.loads((state / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [uri for uri in stores if isinstance(uri, str)] if isinstance(stores, list) else []


def _may_be_there(uri: str) -> bool:
    """Whether the file of a store is there; of a server nothing is known."""
    scheme, _, path = uri.partition(":///")
    return scheme.partition("+")[0] != "sqlite" or Path(path).is_file()
