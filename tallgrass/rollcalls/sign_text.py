"""The signs of roll calls as text: ``vote_id:+,vote_id:-``."""

from tallgrass.errors import SpecError

_FORM = "write, for example, v0012:+,v0040:- (+: the yeas stand to the right)"
_SIGNS = {"+": 1, "-": -1, "\N{MINUS SIGN}": -1}


def parse_signs(text: str) -> dict[str, int]:
    """The sign asked of each roll call, +1 or -1, in the order of the text; empty for none.

    Raises
    ------
    SpecError
        When the text has another form, or one roll call has both signs or is named twice.

    Examples
    --------
    >>> parse_signs("v0012:+, HB 2001:-")
    {'v0012': 1, 'HB 2001': -1}
    """
    signs: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, sign = (piece.strip() for piece in part.rpartition(":"))
        if not name or sign not in _SIGNS:
            raise SpecError("rollcall_signs: no roll call with a sign", part, _FORM)
        if name in signs:
            both = signs[name] != _SIGNS[sign]
            what = "one roll call with both signs" if both else "one roll call twice"
            raise SpecError(f"rollcall_signs: {what}", name, "name each once")
        signs[name] = _SIGNS[sign]
    return signs


def signs_text(signs: dict[str, int]) -> str:
    """The text that :func:`parse_signs` reads."""
    return ",".join(f"{name}:{'+' if sign > 0 else '-'}" for name, sign in signs.items())
