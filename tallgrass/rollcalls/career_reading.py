"""The sessions of a dynamic run: read, filtered each by itself, and their members matched."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from tallgrass.errors import DataError
from tallgrass.inputs import tables
from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.chambers import CHAMBERS
from tallgrass.rollcalls.filters import Drop, FilterLog, filter_votes
from tallgrass.rollcalls.group_checks import require_both_parties
from tallgrass.rollcalls.persons import Seat, match_persons, read_corrections
from tallgrass.rollcalls.selected import chosen
from tallgrass.rollcalls.selection import Selection
from tallgrass.rollcalls.sources.several import by_session, load_sittings, sittings_of
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.votes import VoteMatrix
from tallgrass.settings import Settings

MIN_MEMBERS = 3  # of a sitting: with fewer there is nothing to place


def read_careers(
    spec: RunSpec, settings: Settings, given: Mapping[str, VoteMatrix] | None = None
) -> tuple[Careers, FilterLog]:
    """The careers of a spec, and what the filters dropped from all sittings.

    Parameters
    ----------
    given : mapping of str to VoteMatrix, optional
        Votes in memory, by chamber and session (``house 2019``).

    Raises
    ------
    DataError
        When a session cannot be read, or the sessions cannot be put on one scale.
    """
    chambers = CHAMBERS if spec.chamber == "both" else (spec.chamber,)
    left_out = [name.strip() for name in spec.leave_out.split(",") if name.strip()]
    if given is None:
        sittings = load_sittings(
            spec.session, chambers, settings.data_dir, settings.limits, left_out
        )
    else:
        sittings = sittings_of(by_session(given.values()), chambers, left_out)
    if missing := [c for c in chambers if c not in {s.chamber for s in sittings}]:
        raise DataError(f"no session has a {missing[0]}", spec.session, "name another chamber")
    kept, logs = zip(*(_filtered(sitting, spec) for sitting in sittings), strict=True)
    seats = [
        Seat(s.session, s.chamber, member)
        for s in sorted(kept, key=lambda s: s.time)
        for member in s.votes.legislators
    ]
    corrections = None
    if spec.members:
        corrections = read_corrections(_members_file(Path(spec.members), settings), seats)
    by_time = match_persons(seats, corrections)
    # Persons are matched in the order of time; careers stand chamber after chamber.
    person = {
        (seat.session, seat.chamber, seat.member.slug): name
        for seat, name in zip(seats, by_time.of_seat, strict=True)
    }
    of_seat = tuple(person[s.session, s.chamber, slug] for s in kept for slug in s.votes.slugs)
    careers = Careers(
        kept,
        replace(by_time, of_seat=of_seat),
        spec.reference,
        spec.chamber_changes,
        spec.matched_bills,
    )
    return careers, _together(spec, logs)


def _filtered(sitting: Sitting, spec: RunSpec) -> tuple[Sitting, FilterLog]:
    require_both_parties(sitting.votes)
    selection = Selection.parse(spec.rollcalls)
    votes, log = filter_votes(
        sitting.votes,
        spec.minority_threshold,
        spec.min_votes,
        parties_only=True,
        committee=spec.committee,
        settled=spec.filters == "settled",
        chosen=chosen(selection, sitting.votes) if spec.rollcalls else None,
    )
    if len(votes.legislators) < MIN_MEMBERS:
        raise DataError(
            f"too few legislators left of the {sitting.name}",
            len(votes.legislators),
            f"at least {MIN_MEMBERS} are needed; lower min_votes or add leave_out="
            f"{sitting.session}",
        )
    drops = tuple(_of_session(drop, sitting) for drop in log.drops)
    return replace(sitting, votes=votes), replace(log, drops=drops)


def _of_session(drop: Drop, sitting: Sitting) -> Drop:
    name = f"{drop.name or drop.id}, {sitting.session}"
    return replace(drop, id=f"{drop.id}@{sitting.session}", name=name)


def _together(spec: RunSpec, logs: Sequence[FilterLog]) -> FilterLog:
    return FilterLog(
        spec.minority_threshold,
        spec.min_votes,
        sum(log.n_legislators_read for log in logs),
        sum(log.n_rollcalls_read for log in logs),
        tuple(drop for log in logs for drop in log.drops),
    )


def _members_file(path: Path, settings: Settings) -> pd.DataFrame:
    if not path.is_file():
        raise DataError("members: no such file", str(path), "a CSV file: session, slug, person")
    return tables.read_table(path, ("slug", "person"), ("session",), settings.limits)
