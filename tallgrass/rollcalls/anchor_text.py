"""The text form of the flat model's anchors: ``slug:value,slug:value``, or an automatic choice."""

import math

from tallgrass.errors import SpecError

DEFAULT = "typical"
EARLIER = "auto"  # the choice of earlier versions
AUTOMATIC = (DEFAULT, EARLIER)
_FORM = "use typical, auto or <slug>:<position>,<slug>:<position>, such as smith_a:1,jones_b:-1"


def parse_anchors(text: str) -> dict[str, float] | None:
    """Named anchors by slug, in the order of the text; None for an automatic choice.

    Raises
    ------
    SpecError
        When the text has another form, names fewer than two legislators or one twice, or gives all
        of them one position or one that is not finite.
    """
    if text in AUTOMATIC:
        return None
    named: dict[str, float] = {}
    for part in text.split(","):
        slug, colon, number = (piece.strip() for piece in part.rpartition(":"))
        try:
            position = float(number)
        except ValueError:
            position = math.nan
        if not (slug and colon) or not math.isfinite(position):
            raise SpecError("anchors: neither a choice nor legislators with positions", text, _FORM)
        if slug in named:
            raise SpecError("anchors: one legislator twice", slug, "name each once")
        named[slug] = position
    if len(named) < 2:
        raise SpecError("anchors: a scale needs two", text, _FORM)
    if len(set(named.values())) == 1:
        raise SpecError(
            "anchors: all at one position, so that the scale has no unit", text, "use two positions"
        )
    return named


def anchors_text(named: dict[str, float]) -> str:
    """The text of named anchors that :func:`parse_anchors` reads."""
    # repr reads back as the same number, which :g does not always
    return ",".join(
        f"{slug}:{repr(position).removesuffix('.0')}" for slug, position in named.items()
    )
