"""The place and time of a session in words: Kansas House, 91st (2025-2026)."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from tallgrass.rollcalls.analysis import RollCallAnalysis

_STATES = {
    "al": "Alabama", "ak": "Alaska", "az": "Arizona", "ar": "Arkansas", "ca": "California",
    "co": "Colorado", "ct": "Connecticut", "de": "Delaware", "fl": "Florida", "ga": "Georgia",
    "hi": "Hawaii", "id": "Idaho", "il": "Illinois", "in": "Indiana", "ia": "Iowa", "ks": "Kansas",
    "ky": "Kentucky", "la": "Louisiana", "me": "Maine", "md": "Maryland", "ma": "Massachusetts",
    "mi": "Michigan", "mn": "Minnesota", "ms": "Mississippi", "mo": "Missouri", "mt": "Montana",
    "ne": "Nebraska", "nv": "Nevada", "nh": "New Hampshire", "nj": "New Jersey",
    "nm": "New Mexico", "ny": "New York", "nc": "North Carolina", "nd": "North Dakota",
    "oh": "Ohio", "ok": "Oklahoma", "or": "Oregon", "pa": "Pennsylvania", "ri": "Rhode Island",
    "sc": "South Carolina", "sd": "South Dakota", "tn": "Tennessee", "tx": "Texas", "ut": "Utah",
    "vt": "Vermont", "va": "Virginia", "wa": "Washington", "wv": "West Virginia",
    "wi": "Wisconsin", "wy": "Wyoming",
}  # fmt: skip
_NAMES = {name.lower(): name for name in _STATES.values()}
_YEARS = re.compile(r"_(\d{4}-\d{4})$")
_LEGISCAN = re.compile(r"([A-Z]{2})_(\d{4}-\d{4}_.+)")
_SAMPLE = "sample"


def chamber_words(run: RollCallAnalysis) -> str:
    """Place, chamber and session of a run."""
    return body_words(run.votes.chamber, run.votes.session, run.prepared.data.location)


def body_words(chamber: str, session: str, location: str = "") -> str:
    """Place, chamber and session.

    Parameters
    ----------
    chamber : str
        ``senate``, ``house`` or ``both``.
    session : str
        As the data call it.
    location : str
        Where the data are; a folder named after a state says which state's they are.

    Examples
    --------
    >>> from tallgrass.rollcalls.report.place import body_words
    >>> body_words("house", "91st_2025-2026", "data/kansas/91st_2025-2026")
    'Kansas House, 91st (2025-2026)'
    >>> body_words("senate", "KS_2025-2026_Regular_Session")
    'Kansas Senate, 2025-2026 Regular Session'
    >>> body_words("senate", "sample")
    'US Senate, 109th Congress (2005-2006)'
    """
    words = "House and Senate" if chamber == "both" else chamber.capitalize()
    if session == _SAMPLE:
        return f"US {words}, 109th Congress (2005-2006)"
    found = _LEGISCAN.fullmatch(session)
    if found and found[1].lower() in _STATES:
        return f"{_STATES[found[1].lower()]} {words}, {found[2].replace('_', ' ')}"
    state = _state(PurePath(location).parts)
    return f"{state} {words}, {session_words(session)}".strip()


def session_words(session: str) -> str:
    """A session as a reader writes it.

    Examples
    --------
    >>> from tallgrass.rollcalls.report.place import session_words
    >>> session_words("91st_2025-2026")
    '91st (2025-2026)'
    """
    return _YEARS.sub(r" (\1)", session)


def _state(folders: Sequence[str]) -> str:
    """The state that a folder is named after, the innermost; empty if none is."""
    names = (folder.lower().replace("_", " ").replace("-", " ") for folder in reversed(folders))
    return next((_NAMES[name] for name in names if name in _NAMES), "")
