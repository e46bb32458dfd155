"""OpenStates' JSON: what its scrapers write, its API (version 3) answers, and its bulk downloads.

All of them are lists of roll calls, with or without a bill around them:

- a scraper: ``vote_event_<id>.json`` for every roll call, ``bill_<id>.json`` for every bill,
- the API: bills with ``include=votes``, as they come or as a list of answers,
- bulk: ``<state>_<session>_bills.json``, bills with votes by name.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tallgrass.errors import DataError
from tallgrass.inputs.tables import slug_of
from tallgrass.rollcalls.sources.openstates_events import CHAMBERS, Event, Events, Person, Vote

_FORM = "give OpenStates' roll calls: a scraper's vote_event files, or bills of the API with votes"


def events_of(
    documents: Iterable[tuple[str, bytes]], people: Mapping[str, Person], label: str
) -> Events:
    """The roll calls of all documents, each given by its name and content.

    Raises
    ------
    DataError
        When one is not JSON, or none holds roll calls.
    """
    bills: dict[str, dict[str, Any]] = {}  # of a scraper, by identifier
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []  # name of file, bill, roll call
    for name, data in documents:
        for record in _records(data, name):
            if "voter_name" not in record and "motion_text" in record:
                found.append((name, {}, record))
            elif isinstance(record.get("votes"), list):
                found += [(name, record, event) for event in _dicts(record["votes"])]
            elif "identifier" in record:
                bills[_text(record, "identifier")] = record
    if not found:
        raise DataError(f"no roll calls in {label}", "JSON of another form", _FORM)
    all_people = dict(people)
    running: Counter[str] = Counter()
    events = []
    for name, around, event in found:
        bill = around or bills.get(_text(event, "bill_identifier"), {})
        events.append(_event(name, bill, event, all_people, running))
    return Events(_session(found, label), events, all_people)


def _event(
    name: str,
    bill: Mapping[str, Any],
    event: Mapping[str, Any],
    people: dict[str, Person],
    running: Counter[str],
) -> Event:
    chamber, committee = _body(event)
    identifier = _text(bill, "identifier") or _text(event, "bill_identifier")
    date = _text(event, "start_date")
    key = _text(event, "id") or _text(event, "_id")
    if not key and name.startswith("vote_event_"):
        key = name.removeprefix("vote_event_").removesuffix(".json")
    if not key:  # bulk files name no roll call: they are numbered in order
        key = slug_of(identifier, date[:10], chamber)
        running[key] += 1
        key = f"{key}_{running[key]}"
    votes = []
    for vote in _dicts(event.get("votes")):
        voter = vote.get("voter")
        person = _text(vote, "voter_id")
        if isinstance(voter, dict):
            person = _text(voter, "id")
            role = voter.get("current_role")
            role = role if isinstance(role, dict) else {}
            people.setdefault(
                person,
                Person(
                    _text(voter, "name"),
                    _text(voter, "party"),
                    _text(role, "district"),
                    CHAMBERS.get(_text(role, "org_classification"), ""),
                ),
            )
        # A scraper writes ~{"name": "Smith"} where it knows the name alone.
        known = person if not person.startswith("~") else ""
        votes.append(Vote(known, _text(vote, "voter_name"), _text(vote, "option")))
    kinds = event.get("motion_classification")
    return Event(
        id=f"os_{key.rpartition('/')[2]}",
        chamber=chamber,
        committee=committee,
        votes=tuple(votes),
        counted=sum(_number(count, "value") for count in _dicts(event.get("counts"))),
        bill=identifier,
        title=_text(bill, "title"),
        motion=_text(event, "motion_text"),
        kinds=tuple(map(str, kinds)) if isinstance(kinds, list) else (),
        date=date,
    )


def _body(event: Mapping[str, Any]) -> tuple[str, bool]:
    """The chamber of a roll call, empty where it is not said, and if it is one of a committee."""
    body = event.get("organization")
    if isinstance(body, str) and body.startswith("~"):  # of a scraper: ~{"classification": "lower"}
        try:
            body = json.loads(body[1:])
        except ValueError:
            body = {}
    kind = _text(event, "organization__classification")
    if isinstance(body, dict):
        kind = _text(body, "classification")
    return CHAMBERS.get(kind, ""), bool(kind) and kind not in CHAMBERS


def _session(found: list[tuple[str, dict[str, Any], dict[str, Any]]], label: str) -> str:
    """What the session is called; a DataError where there is more than one."""
    names = {
        _text(bill, "session") or _text(bill, "legislative_session")
        or _text(event, "legislative_session")
        for _, bill, event in found
    }  # fmt: skip
    if len(names) > 1:
        raise DataError(
            f"{label} holds more than one session",
            ", ".join(sorted(names)),
            "put the files of each into a folder of its own",
        )
    place = found[0][1].get("jurisdiction")
    place = place if isinstance(place, dict) else {}
    where = _text(place, "name") or _text(found[0][1], "jurisdiction_name")
    return "_".join(filter(None, (where, *names))) or label


def _records(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    """The records of a document: it is one, or a list of them, or an answer of the API."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON", str(error)[:80], "download it again") from None
    answers = document if isinstance(document, list) else [document]
    for answer in answers:
        if isinstance(answer, dict):
            results = answer.get("results")
            yield from _dicts(results) if isinstance(results, list) else [answer]


def _dicts(values: object) -> list[dict[str, Any]]:
    return (
        [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    )


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str | int | float):
        return ""
    # JSON can write halves of characters, which no other format can.
    return str(value).strip().encode("utf-8", "replace").decode("utf-8")


def _number(record: Mapping[str, Any], key: str) -> int:
    value = record.get(key)
    return value if isinstance(value, int) and value > 0 else 0
