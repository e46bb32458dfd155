"""Paths that were given relative to another folder than the current one."""

from pathlib import Path


def as_given_from(folder: Path, text: str) -> str:
    """What a path meant where it was given: made absolute where such a file is in ``folder``.

    Parameters
    ----------
    folder : Path
        The working folder of the process that was given the text.
    text : str
        A path, or another text (the name of a session, an address), which stays as it is.

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
    except OSError:  # a text that no path can be, too long for instance
        return text
