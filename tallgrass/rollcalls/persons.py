"""Who is who over the sessions: members matched by id, then by name and party.

The id is the slug without the title of the chamber (``rep_``, ``sen_``), so that a member who
changes chamber stays one person. Members whose ids differ are one person if name and party agree
and they never sit in one session. What is unsure is said of the person; a table of corrections
settles it.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from tallgrass.errors import DataError, nearest
from tallgrass.rollcalls.votes import Legislator

_TITLE = re.compile(r"(?:rep|sen)_")
_PARENTHESES = re.compile(r"\([^)]*\)")
_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}
_LEAST_WORDS = 2  # of a name, to match by it: a last name alone is too common

type Corrections = Mapping[tuple[str, str], str]  # (session, slug) -> person


class Seat(NamedTuple):
    """One member in one chamber and session."""

    session: str
    chamber: str
    member: Legislator


@dataclass(frozen=True)
class Persons:
    """Who is who.

    Parameters
    ----------
    of_seat : tuple of str
        The person of every seat, in the order given. A person is called by the id, or by the name
        that the corrections give.
    notes : mapping of str to tuple of str
        By person, what is unsure or worth knowing.
    """

    of_seat: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]


def match_persons(seats: Sequence[Seat], corrections: Corrections | None = None) -> Persons:
    """Match the members of several sessions.

    Parameters
    ----------
    seats : sequence of Seat
        Sessions in the order of time.
    corrections : mapping, optional
        Person by session and slug; an empty session is every session. Seats with one name are one
        person, and a name that is an id joins the seat to that person.

    Raises
    ------
    DataError
        When one id has names without a common word: it means two people.

    Examples
    --------
    >>> ann = Legislator("rep_ann_1", "Ann Doe", "Democrat")
    >>> seats = [Seat("1", "house", ann), Seat("2", "senate", replace(ann, slug="sen_ann_1"))]
    >>> match_persons(seats).of_seat
    ('ann_1', 'ann_1')
    """
    corrections = corrections or {}
    notes: defaultdict[str, list[str]] = defaultdict(list)
    corrected = [_correction(seat, corrections) for seat in seats]
    ids = _ids(seats)
    by_id: defaultdict[str, list[Seat]] = defaultdict(list)
    for seat, person_id, person in zip(seats, ids, corrected, strict=True):
        if person is None:
            by_id[person_id].append(seat)
    for person_id, own in by_id.items():
        _require_one_person(person_id, own)
    joined = _by_name(by_id, notes)
    of_seat = tuple(
        joined.get(person_id, person_id) if person is None else joined.get(person, person)
        for person_id, person in zip(ids, corrected, strict=True)
    )
    everyone: defaultdict[str, list[Seat]] = defaultdict(list)
    for seat, person in zip(seats, of_seat, strict=True):
        everyone[person].append(seat)
    for person, own in everyone.items():
        notes[person] = [*_about(own), *notes.get(person, [])]
    for person in {person for person in corrected if person is not None}:
        notes[joined.get(person, person)].append("corrected by the members file")
    return Persons(of_seat, {person: tuple(said) for person, said in notes.items() if said})


def read_corrections(table: pd.DataFrame, seats: Sequence[Seat]) -> dict[tuple[str, str], str]:
    """Corrections from a table with the columns session (may be empty), slug and person.

    Raises
    ------
    DataError
        When a row names a session or slug that is not there, or has no person.
    """
    sessions = sorted({seat.session for seat in seats})
    slugs = {seat.member.slug for seat in seats}
    corrections = {}
    for row in table.to_dict("records"):
        session, slug, person = (str(row[c]).strip() for c in ("session", "slug", "person"))
        if session and session not in sessions:
            raise DataError("members: unknown session", session, nearest(session, sessions))
        if slug not in slugs:
            raise DataError("members: unknown slug", slug, nearest(slug, sorted(slugs)))
        if not person:
            raise DataError("members: a row without a person", slug, "write who it is, in any word")
        corrections[session, slug] = person
    return corrections


def _correction(seat: Seat, corrections: Corrections) -> str | None:
    slug = seat.member.slug
    return corrections.get((seat.session, slug), corrections.get(("", slug)))


def _ids(seats: Sequence[Seat]) -> list[str]:
    """Slugs without titles; a slug keeps its title where two in one sitting differ by it alone."""
    bare = [_TITLE.sub("", seat.member.slug, count=1) for seat in seats]
    sittings: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for seat, name in zip(seats, bare, strict=True):
        sittings[seat.session, seat.chamber, name].add(seat.member.slug)
    ambiguous = {name for (_, _, name), slugs in sittings.items() if len(slugs) > 1}
    return [
        seat.member.slug if name in ambiguous else name
        for seat, name in zip(seats, bare, strict=True)
    ]


def name_words(name: str) -> frozenset[str]:
    """The words of a name in lower case, without what stands in brackets and without Jr. or III.

    Examples
    --------
    >>> sorted(name_words("JONES, Gordon Douglas (Doug), Jr."))
    ['douglas', 'gordon', 'jones']
    """
    words = re.findall(r"[^\W\d_]{2,}", _PARENTHESES.sub(" ", name).casefold())
    return frozenset(words) - _SUFFIXES


def _require_one_person(person_id: str, seats: Sequence[Seat]) -> None:
    for before, after in _pairs(seats):
        names = [name_words(seat.member.name) for seat in (before, after)]
        if all(names) and not names[0] & names[1]:
            raise DataError(
                f"the id {before.member.slug} means two people",
                f"{before.member.name} ({before.session}), {after.member.name} ({after.session})",
                "say who is who in a CSV file with the columns session, slug and person, and pass "
                "it as members=FILE",
            )


def _pairs(seats: Sequence[Seat]) -> Iterator[tuple[Seat, Seat]]:
    return itertools.pairwise(seats)


def _by_name(
    by_id: Mapping[str, Sequence[Seat]], notes: defaultdict[str, list[str]]
) -> dict[str, str]:
    """Ids to join to another: the same name and party, and never in one session."""
    by_name: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for person_id, seats in by_id.items():
        for words in {name_words(seat.member.name) for seat in seats}:
            if len(words) >= _LEAST_WORDS:
                by_name[words].append(person_id)
    joined: dict[str, str] = {}
    for ids in by_name.values():
        for first, second in _pairs_of_ids(ids):
            kept, other = joined.get(first, first), joined.get(second, second)
            if kept == other:
                continue
            of_first, of_second = by_id[first], by_id[second]
            sessions = [{seat.session for seat in own} for own in (of_first, of_second)]
            parties = [{seat.member.party for seat in own} for own in (of_first, of_second)]
            name = of_first[0].member.name
            if sessions[0] & sessions[1]:
                for person, named in ((kept, other), (other, kept)):
                    notes[person].append(f"two people of one name, {name}: also {named}")
            elif parties[0] & parties[1]:
                notes[kept].append(f"matched by name and party: {name} is {first} and {second}")
                for person_id in [k for k, v in joined.items() if v == other] + [other]:
                    joined[person_id] = kept
                notes[kept] += notes.pop(other, [])
            else:
                for person, named in ((kept, other), (other, kept)):
                    notes[person].append(
                        f"not matched with {named}: the same name, {name}, but another party"
                    )
    return joined


def _pairs_of_ids(ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    ordered = sorted(set(ids))
    return ((a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :])


def _about(seats: Sequence[Seat]) -> list[str]:
    """Changes of party, name and chamber in a career."""
    said = []
    for before, after in _pairs(seats):
        if before.member.party != after.member.party:
            said.append(
                f"changes party: {before.member.party} in {before.session}, {after.member.party} "
                f"in {after.session}"
            )
        if name_words(before.member.name) != name_words(after.member.name):
            said.append(f"one id, two names: {before.member.name}, {after.member.name}")
        if before.chamber != after.chamber and before.session != after.session:
            said.append(f"changes chamber: {after.chamber} in {after.session}")
        if before.session == after.session:
            said.append(f"sits in both chambers in {before.session}")
    return said
