"""Which roll calls a run is about: a window of dates, words of the title, bills, final actions."""

from dataclasses import dataclass
from datetime import date

from tallgrass.errors import SpecError, nearest

_KINDS = ("from", "until", "title", "bills", "final")
_MEND = "write, for example, from:2025-01-01;until:2025-03-31;title:tax;bills:FILE;final"


@dataclass(frozen=True)
class Selection:
    """Conditions that a roll call must meet, all of them.

    Parameters
    ----------
    since, until : str
        First and last date, as 2025-01-31; empty for no limit. A roll call without a date meets
        neither.
    titles : tuple of str
        Texts of which each must be in the bill's title or the motion, in any case.
    bills : str
        A file with bill numbers, one a line; empty for all bills.
    final : bool
        Only final actions, or passages in the words of other states.
    """

    since: str = ""
    until: str = ""
    titles: tuple[str, ...] = ()
    bills: str = ""
    final: bool = False

    @classmethod
    def parse(cls, text: str) -> "Selection":
        """Read conditions separated by semicolons.

        Raises
        ------
        SpecError
            When a condition is unknown, empty, repeated (but for title) or no date.

        Examples
        --------
        >>> Selection.parse("from:2025-01-01;title:tax;final")
        Selection(since='2025-01-01', until='', titles=('tax',), bills='', final=True)
        """
        found: dict[str, str] = {}
        titles = []
        for part in filter(None, (piece.strip() for piece in text.split(";"))):
            kind, _, value = (word.strip() for word in part.partition(":"))
            if kind not in _KINDS:
                raise SpecError("rollcalls: unknown condition", part, nearest(kind, list(_KINDS)))
            if (kind == "final") == bool(value):
                raise SpecError("rollcalls: a condition without its value", part, _MEND)
            if kind == "title":
                titles.append(value)
                continue
            if kind in found:
                raise SpecError("rollcalls: a condition given twice", part, _MEND)
            if kind in ("from", "until"):
                _require_date(value)
            found[kind] = value
        return cls(
            found.get("from", ""),
            found.get("until", ""),
            tuple(titles),
            found.get("bills", ""),
            "final" in found,
        )

    @property
    def text(self) -> str:
        """The conditions as :meth:`parse` reads them."""
        parts = [("from", self.since), ("until", self.until)]
        parts += [("title", title) for title in self.titles] + [("bills", self.bills)]
        words = [f"{kind}:{value}" for kind, value in parts if value]
        return ";".join([*words, *(["final"] if self.final else [])])


def _require_date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise SpecError("rollcalls: not a date", text, "write it as 2025-01-31") from None
