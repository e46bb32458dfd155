"""Resolve paths that are relative to another folder than the current one."""

from pathlib import Path


def as_given_from(folder: Path, text: str) -> str:
    """The text as an absolute path, if it is a path that exists in ``folder``; else unchanged.

    Parameters
    ----------
    folder : Path
        The working folder of the process that received the text.
    text : str
        A path, or another text, such as the name of a session or an address.

    Examples
    --------
    >>> as_given_from(Path("/no/such/folder"), "sample")
    'sample'
    """
    if not text or Path(text).is_absolute():
        return text
    path = folder / text
    try:
        return str(path) if path.exists() else text
    except OSError:  # not a possible path, for example too long
        return text
