"""People on a page: their marks in pictures, their rows in tables, and a card for each."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

_SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "v"}


def person_id(key: str) -> str:
    """The id of a person on the page, safe in any markup, from the key in the data.

    Examples
    --------
    >>> from tallgrass.report.people import person_id
    >>> person_id("rep_blex_douglas_1") == person_id("rep_blex_douglas_1")
    True
    """
    return f"who-{hashlib.blake2s(key.encode(), digest_size=6).hexdigest()}"


def last_name_first(name: str) -> str:
    """A name as in a directory; what follows in brackets stays behind it.

    Examples
    --------
    >>> from tallgrass.report.people import last_name_first
    >>> last_name_first("Douglas Blex (R-12)")
    'Blex, Douglas (R-12)'
    >>> last_name_first("Tom Kessler Jr.")
    'Kessler, Tom, Jr.'
    >>> last_name_first("FEINGOLD (D WI)")
    'FEINGOLD (D WI)'
    """
    whole, bracket, rest = name.partition(" (")
    words = whole.split()
    if len(words) < 2 or "," in whole:
        return name
    suffix = words.pop() if words[-1].strip(".").lower() in _SUFFIXES and len(words) > 2 else ""
    parts = [words[-1], " ".join(words[:-1]), suffix]
    return ", ".join(part for part in parts if part) + bracket + rest


@dataclass(frozen=True)
class Statement:
    """A line of a card that leads to another person's card when ``who`` is given."""

    text: str
    who: str = ""


@dataclass(frozen=True)
class Card:
    """What the page knows of one person.

    Parameters
    ----------
    who : str
        From :func:`person_id`.
    name : str
        As the page names the person.
    party, district : str
        What the page can be filtered by; empty where it is not known.
    facts : tuple of (name, value)
        Short facts.
    lists : tuple of (title, statements)
        Longer ones.
    """

    who: str
    name: str
    party: str
    district: str
    facts: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, tuple[Statement, ...]], ...] = ()


@dataclass(frozen=True)
class Cards:
    """A card for every person, folded away under ``fold``; a script shows one at a time."""

    kind: ClassVar[str] = "cards"
    fold: str
    cards: tuple[Card, ...]

    @property
    def parties(self) -> list[str]:
        """The parties to filter by, in their alphabet."""
        return sorted({card.party for card in self.cards if card.party})
