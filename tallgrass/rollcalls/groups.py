"""The groups of a chamber that models and words speak of: parties, or what stands in for them.

The first two are the pair that fixes the direction of the scale, the lower mean first. In the
United States they are Democrats and Republicans; elsewhere they come from the data.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

PARTIES = ("Democrat", "Republican")  # the order of every party axis: lower mean first
NO_GROUP = "no group"  # of a member whom the groups of a run leave out
LEAST_MEMBERS = 3  # of a group: fewer have no spread of their own
# What says that a member belongs to no party. Such members are no group by themselves.
APART = frozenset({"", "Independent", "Nonpartisan", NO_GROUP})
_ADJECTIVES = {"Democrat": "Democratic"}
_PLURALS = {"Democrat": "Democrats", "Republican": "Republicans"}


def groups_of(parties: Iterable[str]) -> tuple[str, ...]:
    """The groups of a chamber whose members have these parties, the pair of the scale first.

    Democrats and Republicans where there are both; others are then in no group. Else every party
    of at least three members: the two largest are the pair, in the order of their alphabet, and the
    others follow, the largest first.

    Examples
    --------
    >>> groups_of(["Republican", "Democrat", "Independent"])
    ('Democrat', 'Republican')
    >>> groups_of(["Labour"] * 5 + ["Green"] * 3 + ["Conservative"] * 4)
    ('Conservative', 'Labour', 'Green')
    >>> groups_of(["Nonpartisan"] * 49)
    ()
    """
    counts = Counter(party for party in parties if party not in APART)
    if all(party in counts for party in PARTIES):
        return PARTIES
    large = {party: n for party, n in counts.items() if n >= LEAST_MEMBERS}
    if len(large) < 2 and any(party in counts for party in PARTIES):
        return PARTIES  # of which one has no member, as a party model then says
    return in_order(large)


def in_order(sizes: dict[str, int], pair: Sequence[str] = ()) -> tuple[str, ...]:
    """Groups by size: the pair of the scale, lower mean first, then the others, the largest first.

    Parameters
    ----------
    sizes : dict of str to int
        Members of every group.
    pair : sequence of str
        The pair; empty: Democrats and Republicans where there are both, else the two largest in
        the order of their alphabet.

    Examples
    --------
    >>> in_order({"north": 9, "west": 3, "south": 12}, ("south", "west"))
    ('south', 'west', 'north')
    """
    by_size = sorted(sizes, key=lambda name: (-sizes[name], name))
    if not pair:
        both = all(party in sizes for party in PARTIES)
        pair = PARTIES if both else sorted(by_size[:2])
    return (*pair, *(name for name in by_size if name not in pair))


def variable_names(groups: Sequence[str]) -> tuple[str, ...]:
    """How the groups are called in the names of a model's free variables.

    Examples
    --------
    >>> variable_names(PARTIES)
    ('democrat', 'republican')
    >>> variable_names(("CDU", "SPD", "Gruene"))
    ('low', 'high', 'group_3')
    """
    pair = ("democrat", "republican") if tuple(groups[:2]) == PARTIES else ("low", "high")
    return (*pair, *(f"group_{i + 1}" for i in range(2, len(groups))))


def end_of(group: str) -> str:
    """The end of the scale where a group stands.

    Examples
    --------
    >>> end_of("Democrat"), end_of("Labour")
    ('Democratic end', 'Labour end')
    """
    return f"{_ADJECTIVES.get(group, group)} end"


def members_of(group: str) -> str:
    """The members of a group, in words.

    Examples
    --------
    >>> members_of("Republican"), members_of("Labour"), members_of("")
    ('Republicans', 'members of Labour', 'members of no party')
    """
    if group == NO_GROUP:
        return "members of no group"
    return _PLURALS.get(group, f"members of {group or 'no party'}")


def member_of(group: str) -> str:
    """One member of a group, in words.

    Examples
    --------
    >>> member_of("Democrat"), member_of("Labour")
    ('Democrat', 'member of Labour')
    """
    return group if group in _PLURALS else f"member of {group or 'no party'}"


def metric_word(group: str) -> str:
    """A group in the names of metrics.

    Examples
    --------
    >>> metric_word("Republican"), metric_word("Bündnis 90/Grüne")
    ('republican', 'bündnis_90_grüne')
    """
    return re.sub(r"[^\w\-.]", "_", group.lower())


def ends_words(groups: Sequence[str]) -> str:
    """Both ends of the scale, as a label of an axis has them; empty without two groups.

    Examples
    --------
    >>> ends_words(("Labour", "Conservative", "Liberal"))
    'left: Labour end, right: Conservative end'
    """
    if len(groups) < 2:
        return ""
    return f"left: {end_of(groups[0])}, right: {end_of(groups[1])}"
