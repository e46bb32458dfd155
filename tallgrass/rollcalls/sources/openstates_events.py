"""Roll calls as OpenStates has them, whatever the file -> the votes of one chamber."""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tallgrass.errors import DataError
from tallgrass.inputs import tables
from tallgrass.rollcalls.sources import words
from tallgrass.rollcalls.vote_tables import party_name
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

logger = logging.getLogger(__name__)

OPTIONS = {"yes": 1, "no": -1} | dict.fromkeys(
    ("absent", "abstain", "not voting", "paired", "excused", "other", ""), 0
)
_WHOLE_DATE = len("2026-01-31")  # OpenStates also has years and months without a day
# Classifications of organizations. The whole of a legislature is its only chamber, or both at once.
CHAMBERS = {"upper": "senate", "lower": "house", "legislature": "legislature"}


@dataclass(frozen=True, slots=True)
class Person:
    """A legislator, or what a file says of one."""

    name: str
    party: str = ""
    district: str = ""
    chamber: str = ""
    others: tuple[str, ...] = ()  # names by which votes may call the person too


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote; ``person`` is empty where OpenStates did not find out whose name it is."""

    person: str
    name: str
    option: str


@dataclass(frozen=True, slots=True)
class Event:
    """One roll call.

    Parameters
    ----------
    chamber : str
        senate, house, legislature, or empty where the file does not say.
    committee : bool
        Whether the file says that a committee voted.
    counted : int
        Votes by the official count.
    """

    id: str
    chamber: str
    committee: bool
    votes: tuple[Vote, ...]
    counted: int = 0
    bill: str = ""
    title: str = ""
    motion: str = ""
    kinds: tuple[str, ...] = ()
    date: str = ""


@dataclass(frozen=True)
class Events:
    """The roll calls of one session, of all chambers, and what is known of people by id."""

    session: str
    events: Sequence[Event]
    people: Mapping[str, Person] = field(default_factory=dict)


def votes_of(source: Events, chamber: str, label: str) -> VoteMatrix:
    """The votes of one chamber.

    Raises
    ------
    DataError
        When there are none, a word for a vote is not known, or a date cannot be read.
    """
    events = _of_chamber(source, chamber)
    people = _People(events, source.people, chamber)
    cells: dict[tuple[str, str], int] = {}
    clashes: dict[tuple[str, str], str] = {}
    for event in events:
        for vote in event.votes:
            word = vote.option.strip().lower()
            if word not in OPTIONS:
                known = ", ".join(filter(None, OPTIONS))
                raise DataError(
                    f"{label}, roll call {event.id}: unknown vote word", vote.option,
                    f"known: {known}",
                )  # fmt: skip
            cell = people.slug(vote), event.id
            if cells.setdefault(cell, OPTIONS[word]) != OPTIONS[word]:
                clashes[cell] = vote.name
    for cell in clashes:
        cells[cell] = 0
    if clashes:
        (_, rollcall), name = next(iter(clashes.items()))
        logger.warning(
            "%d votes are not counted: two that differ, of one legislator on one roll call; the "
            "first is that of %s on %s", len(clashes), name, rollcall,
        )  # fmt: skip
    if not any(person.party for person in people.found.values()):
        logger.warning(
            "OpenStates' votes say no party: put the table of people, such as "
            "https://data.openstates.org/people/current/ks.csv, into the folder of %s",
            label,
        )
    seated = sum(person.chamber == chamber for person in source.people.values())
    largest = max([seated, *(_called(event) for event in events)])
    return VoteMatrix.from_triples(
        ((slug, vote_id, vote) for (slug, vote_id), vote in cells.items()),
        [
            Legislator(slug, person.name, party_name(person.party), person.district)
            for slug, person in people.found.items()
        ],
        [_rollcall(event, largest, label) for event in events],
        source.session,
        chamber,
    )


class _People:
    """Who voted in a chamber: slugs of votes, by id where there is one, else by name."""

    def __init__(self, events: Sequence[Event], known: Mapping[str, Person], chamber: str) -> None:
        self._known, self._chamber = known, chamber
        self.found: dict[str, Person] = {}  # by slug
        ids: dict[str, set[str]] = defaultdict(set)  # by name
        for key, person in known.items():
            if person.chamber in (chamber, ""):
                for name in (person.name, *person.others):
                    ids[_plain(name)].add(key)
        for event in events:
            for vote in event.votes:
                if vote.person:
                    ids[_plain(vote.name)].add(vote.person)
        # A name without an id is that of the only person who is called so here.
        self._id_of = {name: next(iter(keys)) for name, keys in ids.items() if len(keys) == 1}
        self._slugs: dict[tuple[str, str], str] = {}

    def slug(self, vote: Vote) -> str:
        """The slug of who cast a vote."""
        key = vote.person or self._id_of.get(_plain(vote.name), "")
        slug = self._slugs.get((key, "" if key else vote.name))
        if slug is None:
            person = self._known.get(key, Person(vote.name))
            # The beginning of a UUID tells people of one name apart.
            slug = tables.slug_of(
                words.TITLES[self._chamber], person.name, key.rpartition("/")[2][:8]
            )
            self._slugs[key, "" if key else vote.name] = slug
            self.found.setdefault(slug, person)
        return slug


def _plain(name: str) -> str:
    return " ".join(name.lower().replace(".", " ").split())


def _of_chamber(source: Events, chamber: str) -> list[Event]:
    """The roll calls of one chamber; a DataError names the others."""
    chambers = [event.chamber or _of_voters(event, source.people) for event in source.events]
    if not {"senate", "house"} & set(chambers):  # a legislature with one chamber
        chambers = ["senate" if name == "legislature" else name for name in chambers]
    selected = [e for e, name in zip(source.events, chambers, strict=True) if name == chamber]
    by_id: dict[str, Event] = {}
    for event in selected:  # pages of answers may overlap
        if by_id.setdefault(event.id, event) != event:
            raise DataError("two roll calls with one id", event.id, "keep the file of one download")
    if not selected:
        counts = Counter(name or "unknown" for name in chambers)
        received = ", ".join(f"{n} of {name}" for name, n in counts.items()) or "no roll calls"
        raise DataError(
            f"no roll calls of the {chamber} in {source.session}",
            received,
            "put the file of organizations, or the table of people, beside the votes"
            if "unknown" in counts
            else "name the chamber that is there",
        )
    return list(by_id.values())


def _of_voters(event: Event, people: Mapping[str, Person]) -> str:
    """The chamber of most of those who voted, where it is known."""
    counts = Counter(people[v.person].chamber for v in event.votes if v.person in people)
    del counts[""]
    return counts.most_common(1)[0][0] if counts else ""


def _called(event: Event) -> int:
    """How many were called: absent members are listed or counted too."""
    return max(event.counted, len(event.votes))


def _rollcall(event: Event, largest: int, label: str) -> RollCall:
    """A roll call; it is one of a committee by its kind, or if less than half were called."""
    in_committee = event.committee or any(kind.startswith("committee") for kind in event.kinds)
    few = 0 < 2 * _called(event) < largest
    kind = event.kinds[0] if event.kinds else ""
    date = event.date if len(event.date) >= _WHOLE_DATE else ""
    return RollCall(
        vote_id=event.id,
        bill=event.bill,
        motion=event.motion,
        vote_type=kind.replace("-", " ").capitalize(),
        date=tables.iso_date(date, f"{label} {event.id}"),
        title=event.title,
        committee=in_committee or few,
    )
