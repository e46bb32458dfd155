"""The graph of a model as boxes and arrows: what depends on what, and where each box stands."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallgrass.own.description import Description

MOST = 40  # variables of a picture that can be read
_PER_ROW = 5
_SWEEPS = 4
_NODE = re.compile(r"^(\S+?)[(\[]+(.+?) ~ \w+[)\]]+$")
_EDGE = re.compile(r"^(\S+) --> (\S+)$")


@dataclass(frozen=True)
class Layout:
    """Rows of variables from the top, and arrows from a variable to those that depend on it."""

    rows: tuple[tuple[str, ...], ...]
    arrows: tuple[tuple[str, str], ...]


def layout(description: Description) -> Layout | None:
    """Where the variables of a model stand; None for one that is not known, or is too large.

    A variable stands below all that it depends on (longest path from the top). Within a row the
    order follows that of its neighbours (the barycentre heuristic of Sugiyama, Tagawa and Toda
    1981, "Methods for visual understanding of hierarchical system structures").

    Examples
    --------
    >>> import pymc as pm
    >>> from tallgrass.own.description import describe
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu")
    ...     y = pm.Normal("y", mu, 1, observed=[0.3])
    >>> layout(describe(model)).rows
    (('mu',), ('y',))
    """
    names = [variable.name for variable in description.variables]
    arrows = arrows_of(description.graph, names)
    if not description.graph or len(names) > MOST:
        return None
    observed = {variable.name for variable in description.of("observed")}
    # PyMC draws an arrow from an observed variable to the container of its data.
    arrows = [(b, a) if a in observed else (a, b) for a, b in arrows]
    ranks = _ranks(names, arrows)
    rows = [[n for n in names if ranks[n] == rank] for rank in range(max(ranks.values()) + 1)]
    rows = _ordered(rows, arrows)
    split = [tuple(row[i : i + _PER_ROW]) for row in rows for i in range(0, len(row), _PER_ROW)]
    return Layout(tuple(split), tuple(arrows))


def arrows_of(mermaid: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """The arrows of PyMC's Mermaid diagram, between names of variables."""
    by_id = {}
    for line in mermaid.splitlines():
        if node := _NODE.match(line):
            by_id[node[1]] = node[2]
    arrows = []
    for line in mermaid.splitlines():
        if edge := _EDGE.match(line):
            # PyMC writes signs of a name as "_" in a node and as "&" in an arrow.
            ends = tuple(by_id.get(end.replace("&", "_"), end) for end in edge.groups())
            if ends[0] in names and ends[1] in names:
                arrows.append((ends[0], ends[1]))
    return arrows


def _ranks(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    ranks = dict.fromkeys(names, 0)
    for _ in names:  # a path is at most that long; a circle would not end
        for above, below in arrows:
            ranks[below] = min(max(ranks[below], ranks[above] + 1), len(names))
    depending = {below for _, below in arrows}
    for name in names:  # what depends on nothing stands just above what depends on it
        of_dependents = [ranks[b] for a, b in arrows if a == name]
        if of_dependents and name not in depending:
            ranks[name] = min(of_dependents) - 1
    used = sorted(set(ranks.values()))
    return {name: used.index(rank) for name, rank in ranks.items()}


def _ordered(rows: list[list[str]], arrows: Sequence[tuple[str, str]]) -> list[list[str]]:
    neighbours: dict[str, list[str]] = {}
    for above, below in arrows:
        neighbours.setdefault(above, []).append(below)
        neighbours.setdefault(below, []).append(above)
    for _ in range(_SWEEPS):
        for row in rows:
            place = _places(rows)
            row.sort(key=lambda name: _centre(name, neighbours.get(name, ()), place))
    return rows


def _places(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Places from 0 to 1 within each row."""
    return {name: (i + 0.5) / len(row) for row in rows for i, name in enumerate(row)}


def _centre(name: str, neighbours: Sequence[str], place: Mapping[str, float]) -> float:
    if not neighbours:
        return place[name]
    return sum(place[neighbour] for neighbour in neighbours) / len(neighbours)
