"""Find the files of a session, and sessions by their names."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tallgrass.errors import DataError, nearest, shown
from tallgrass.inputs.paths import zip_in
from tallgrass.tracking import store

BUILT_IN = ("sample", "simulated")
ALL = "HSall"  # Voteview's files of every Congress
_PART = re.compile(r"(?P<name>.+)_(?:votes|rollcalls|legislators|members)\.csv(?:\.gz)?")


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """The files ``<folder>/<name>_<part>.csv[.gz]`` of one session."""

    folder: Path
    name: str

    @classmethod
    def of(cls, path: Path) -> "SessionFiles | None":
        """The session of a folder or of one of its files; None if there is not exactly one."""
        if path.is_dir():
            names = _names(path)
            if path.name in names:
                return cls(path, path.name)
            return cls(path, names[0]) if len(names) == 1 else None
        match = _PART.fullmatch(path.name)
        return cls(path.parent, match["name"]) if match and path.is_file() else None

    @classmethod
    def at(cls, path: Path) -> "SessionFiles":
        """As :meth:`of`, but a DataError if there is not exactly one session."""
        files = cls.of(path)
        if files is None:
            raise DataError("no session, or more than one, in this folder", str(path))
        return files

    def find(self, part: str) -> Path | None:
        """The file of one part, plain before gzipped, or None."""
        for suffix in (".csv", ".csv.gz"):
            path = self.folder / f"{self.name}_{part}{suffix}"
            if path.is_file():
                return path
        return None

    def find_or_all(self, part: str) -> Path | None:
        """The file of one part, else that of every Congress."""
        return self.find(part) or SessionFiles(self.folder, ALL).find(part)

    def require(self, part: str) -> Path:
        """The file of one part; a DataError if it is missing."""
        path = self.find(part)
        if path is None:
            existing = sorted(p.name for p in self.folder.iterdir() if p.name.startswith(self.name))
            raise DataError(
                f"session {shown(self.name)} without its file {self.name}_{part}.csv[.gz]",
                ", ".join(existing),
                f"add it to {self.folder}",
            )
        return path


def available_sessions(folder: Path, depth: int = 3) -> dict[str, Path]:
    """Sessions in a folder and up to ``depth`` folders below: name -> path to read.

    Hidden folders and links to folders are skipped. Sessions with the same name are listed under
    their full paths.
    """
    if not _exists(folder):
        return {}
    sessions: list[tuple[str, Path]] = []
    for folder_path, subfolders, files in os.walk(folder):
        current = Path(folder_path)
        if len(current.relative_to(folder).parts) >= depth:
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        sessions += [(Path(f).stem, current / f) for f in files if f.lower().endswith(".zip")]
        for name in _names(current, files):
            votes = SessionFiles(current, name).find("votes")
            if votes:
                sessions.append((name, current if current.name == name else votes))
    sessions.sort()
    names = [name for name, _ in sessions]
    return {str(path) if names.count(name) > 1 else name: path for name, path in sessions}


def find_session(session: str, data_dir: Path | None) -> Path:
    """The path of a session.

    Built-in names stand for themselves. A name with a separator, and ``.`` and ``..``, are paths.
    Any other name is compared with the sessions under ``data_dir``, then with the current folder,
    then with the beginnings of the names under ``data_dir``. It is never joined to a path, so it
    cannot lead outside these folders.

    Raises
    ------
    DataError
        When no session is found (with the nearest names), or more than one session fits.
    """
    if session in BUILT_IN:
        return Path(session)
    path = _absolute(session)
    if Path(session).name != session or session == "..":
        if _exists(path) or zip_in(path) is not None:
            return path
        # Only one folder deep, because the parent of a mistyped path may be the root folder.
        raise _not_found(session, path.parent, depth=1)
    sessions = available_sessions(data_dir) if data_dir else {}
    fits = {p for name, p in sessions.items() if session in (name, p.name, p.stem, p.parent.name)}
    if not fits and _exists(path):
        return path
    if not fits:
        fits = {p for p in sessions.values() if p.name.startswith(session)}
    if len(fits) > 1:
        received = f"{session}: {', '.join(sorted(p.name for p in fits))}"
        raise DataError("more than one session fits", received, "write more of the name, or a path")
    if not fits:
        raise _not_found(session, data_dir)
    return fits.pop()


def _not_found(session: str, folder: Path | None, depth: int = 3) -> DataError:
    names = [*BUILT_IN, *(available_sessions(folder, depth) if folder else ())]
    searched = (
        f"looked in {folder} (--data-dir names another folder)"
        if folder
        else "no data directory is set: --data-dir names one"
    )
    mend = f"{searched}; {nearest(Path(session).name, names)}"
    if store.inside_project() and not Path(session).is_absolute():
        mend += (
            f". mlflow run works in its copy of the project, {Path.cwd()}: give an absolute path, "
            "as -P session=/data/91st_2025-2026"
        )
    return DataError("session not found", session, mend)


def _names(folder: Path, files: list[str] | None = None) -> list[str]:
    """Names of the sessions with at least one file directly in a folder."""
    listed = [path.name for path in folder.iterdir()] if files is None else files
    names = {match["name"] for name in listed if (match := _PART.fullmatch(name))}
    # Beside one Congress' votes the files of all of them describe it, and are no session.
    return sorted(names - {ALL} or names)


def _absolute(session: str) -> Path:
    try:
        return Path(session).expanduser().absolute()
    except RuntimeError:  # ~name, and no user has that name
        return Path(session).absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long or contains a NUL
        return False
