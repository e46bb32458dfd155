"""The groups that a run asks for: a column of the table of legislators, or a file of its user's.

A member's group then stands where the party stood, in the model, the tables and the words. Members
without a group are as independents are: left out where the model has a level of groups.
"""

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tallgrass.errors import DataError, nearest, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits
from tallgrass.inputs.tables import is_file, read_table, require_filled, require_one_each
from tallgrass.rollcalls.group_text import PARTY, is_file_name, parse_order
from tallgrass.rollcalls.groups import LEAST_MEMBERS, NO_GROUP, in_order
from tallgrass.rollcalls.votes import Legislator, VoteMatrix

logger = logging.getLogger(__name__)

_SHOWN = 5  # members named in a message


def grouped(
    votes: VoteMatrix, groups: str = "", order: str = "", limits: Limits = DEFAULT_LIMITS
) -> VoteMatrix:
    """The votes with the groups that a run asks for.

    Parameters
    ----------
    groups : str
        Empty or ``party``: the members' parties. A column of the table of legislators, or a CSV
        file with the columns ``slug`` or ``name``, and ``group``.
    order : str
        ``low,high``: the pair of groups whose means are in this order. Empty: see
        :func:`~tallgrass.rollcalls.groups.in_order`.

    Raises
    ------
    DataError
        When there is no such column, the file cannot be used, or a group of the pair has no member.
    """
    pair = parse_order(order)
    if groups in ("", PARTY):
        if not pair:
            return votes
        known = Counter(member.party for member in votes.legislators if member.party)
        # Asked for by name: also a small one, or one that calls itself independent.
        chosen = {name: known[name] for name in (*votes.groups, *_named(pair, known, votes))}
        return replace(votes, groups=in_order(chosen, _named(pair, known, votes)))
    by_slug = _from_file(votes, groups, limits) if is_file_name(groups) else _column(votes, groups)
    members = tuple(
        replace(member, party=by_slug.get(member.slug) or NO_GROUP) for member in votes.legislators
    )
    without = [member.name for member in members if member.party == NO_GROUP]
    if without:
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        logger.warning(
            "%d of %d members of the %s have no group: %s%s",
            *(len(without), len(members), votes.chamber, ", ".join(without[:_SHOWN]), more),
        )
    sizes = Counter(member.party for member in members if member.party != NO_GROUP)
    return replace(
        votes, legislators=members, groups=in_order(dict(sizes), _named(pair, sizes, votes))
    )


def require_large_groups(votes: VoteMatrix) -> None:
    """Refuse groups that a run names and that are too small to have a mean and a spread.

    Raises
    ------
    DataError
        When a group has fewer than three members.
    """
    sizes = Counter(member.party for member in votes.legislators)
    for group in votes.groups:
        if sizes[group] < LEAST_MEMBERS:
            raise DataError(
                f"a group of fewer than {LEAST_MEMBERS} members in the {votes.chamber}",
                f"{group}: {sizes[group]}",
                "put them into another group, leave their group empty, or use model=flat",
            )


def with_members(votes: VoteMatrix) -> VoteMatrix:
    """The votes without the further groups of which a filter left nobody; the pair stays."""
    found = {member.party for member in votes.legislators}
    left = tuple(g for i, g in enumerate(votes.groups) if i < 2 or g in found)
    return votes if left == votes.groups else replace(votes, groups=left)


def _named(pair: tuple[str, ...], known: Counter[str], votes: VoteMatrix) -> tuple[str, ...]:
    """The pair as the data write it."""
    by_case = {name.casefold(): name for name in known}
    for name in pair:
        if name.casefold() not in by_case:
            raise DataError(
                f"groups_order: no such group in the {votes.chamber} of {votes.session}",
                name,
                nearest(name, sorted(known)) or f"groups: {', '.join(sorted(known)) or 'none'}",
            )
    return tuple(by_case[name.casefold()] for name in pair)


def _column(votes: VoteMatrix, name: str) -> dict[str, str]:
    """The values of a column of the table of legislators, by slug."""
    described = [dict(_columns(member)) for member in votes.legislators]
    names = list(dict.fromkeys(column for member in described for column in member))
    found = next((column for column in names if column.casefold() == name.casefold()), None)
    if found is None:
        raise DataError(
            "groups: no such column of the legislators",
            name,
            f"columns: {', '.join([PARTY, *names])}; or give a CSV file with slug,group",
        )
    return {
        member.slug: values.get(found, "").strip()
        for member, values in zip(votes.legislators, described, strict=True)
    }


def _columns(member: Legislator) -> tuple[tuple[str, str], ...]:
    return (("district", member.district), *member.columns)


def _from_file(votes: VoteMatrix, path: str, limits: Limits) -> dict[str, str]:
    """The groups of a file, by slug."""
    file, label = Path(path), shown(Path(path).name)
    if not is_file(file):
        raise DataError("no such file of groups", path, "give a CSV file with slug,group")
    table = read_table(file, ("group",), ("slug", "name"), limits)
    key = "slug" if (table["slug"] != "").any() else "name"
    if not (table[key] != "").any():
        raise DataError(
            f"{label} says nobody's group", "group", "give it the columns slug,group or name,group"
        )
    require_one_each(table, ("group", key), label)
    require_filled(table, [key], label)
    keys = table[key].str.casefold()
    if keys.duplicated().any():
        twice = str(table[key][keys.duplicated()].iloc[0])
        raise DataError(f"{label} has two rows of one member", twice, "keep one of the two")
    group = dict(zip(keys, table["group"], strict=True))
    found = {
        member.slug: group[getattr(member, key).casefold()]
        for member in votes.legislators
        if getattr(member, key).casefold() in group
    }
    if not found:
        known = [getattr(member, key) for member in votes.legislators]
        raise DataError(
            f"none of the members in {label} is in the {votes.chamber} of {votes.session}",
            ", ".join(table[key].head(3)),
            f"write each {key} as {known[0] if known else 'in the votes'}",
        )
    return found
