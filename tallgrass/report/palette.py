"""Colours, markers and styles of the groups that a page or a picture shows.

Which groups these are is a property of the data, and known to whoever begins a page: inside
:func:`showing` everything that is drawn has its colours by them. Elsewhere they are Democrats and
Republicans. The ends of ColorBrewer's RdBu stay apart under every common colour blindness; the
markers and the words say the same without colour. Groups of other chambers have colours that no
large party of the world is known by.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

OTHER = "Other"
BLUE, RED, GREY = "#2166ac", "#b2182b", "#6d6d6d"

_PARTIES = ("Democrat", "Republican")
_OF_PARTIES = (BLUE, RED)
_OF_GROUPS = ("#00796b", "#c8590a", "#5e35b1", "#8c6d31", "#d6418f", "#3f6fb5")
_MARKERS = ("o", "s", "D", "v", "P", "X")
_HATCHES = ("//", "..", "xx", "\\\\", "oo", "++")
_MOST_LETTERS = 4
MOST = len(_OF_GROUPS)  # groups with a colour of their own
STYLES = ("democrat", "republican", *(f"group-{i + 1}" for i in range(MOST)), "other")

_shown: ContextVar[tuple[str, ...]] = ContextVar("groups", default=_PARTIES)


@contextmanager
def showing(groups: Sequence[str]) -> Iterator[None]:
    """Inside, groups have their colours in this order, and everybody else is Other.

    Examples
    --------
    >>> with showing(("Labour", "Conservative")):
    ...     style_of("Labour"), style_of("Democrat")
    ('group-1', 'other')
    """
    token = _shown.set(tuple(groups))
    try:
        yield
    finally:
        _shown.reset(token)


def shown() -> tuple[str, ...]:
    """The groups with a colour of their own, the lower end of the scale first."""
    return _shown.get()[:MOST]


def group(party: str) -> str:
    """The colour group of a party: itself, or Other."""
    return party if party in shown() else OTHER


def letters(party: str) -> str:
    """The first letter of a party, or as many as tell it from the groups that are shown.

    Examples
    --------
    >>> letters("Republican")
    'R'
    >>> with showing(("Labour", "Conservative", "Liberal")):
    ...     letters("Labour"), letters("Conservative")
    ('La', 'C')
    """
    others = [name for name in shown() if name != party]
    for n in range(1, _MOST_LETTERS):
        if not any(name[:n].casefold() == party[:n].casefold() for name in others):
            return party[:n]
    return party[:_MOST_LETTERS]


def style_of(party: str) -> str:
    """The class of a group's marks and cells on a page: one of ``STYLES``."""
    groups = shown()
    if party not in groups:
        return "other"
    return party.lower() if groups == _PARTIES else f"group-{groups.index(party) + 1}"


def style_words() -> dict[str, str]:
    """What every style that is in use stands for."""
    return {**{style_of(name): name for name in shown()}, "other": OTHER}


class _ByGroup(Mapping[str, str]):
    """A property of every shown group, and of Other, which is the last."""

    def __init__(self, of_groups: Sequence[str], of_other: str) -> None:
        self.of_groups, self.of_other = of_groups, of_other

    def __getitem__(self, name: str) -> str:
        if name == OTHER:
            return self.of_other
        if name not in shown():
            raise KeyError(name)
        return self.values_shown()[shown().index(name)]

    def __iter__(self) -> Iterator[str]:
        return iter((*shown(), OTHER))

    def __len__(self) -> int:
        return len(shown()) + 1

    def values_shown(self) -> Sequence[str]:
        """The values of the groups in their order."""
        return self.of_groups


class _Colours(_ByGroup):
    def values_shown(self) -> Sequence[str]:
        return _OF_PARTIES if shown() == _PARTIES else self.of_groups


COLOURS: Mapping[str, str] = _Colours(_OF_GROUPS, GREY)
MARKERS: Mapping[str, str] = _ByGroup(_MARKERS, "^")
HATCHES: Mapping[str, str] = _ByGroup(_HATCHES, "")  # for readers who do not see the colours
