"""The votes of a run: read from where its session says, or given in memory, and filtered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.escaping import masked
from tallgrass.inputs.limits import Limits
from tallgrass.inputs.paths import is_database
from tallgrass.rollcalls.career_reading import read_careers
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.chambers import CHAMBERS, JointVotes, join_chambers
from tallgrass.rollcalls.filters import FilterLog, filter_votes
from tallgrass.rollcalls.group_checks import require_both_parties, require_groups
from tallgrass.rollcalls.grouping import grouped, require_large_groups, with_members
from tallgrass.rollcalls.identity import Identity, identity
from tallgrass.rollcalls.memory import SESSION, votes_of_run
from tallgrass.rollcalls.selected import chosen
from tallgrass.rollcalls.selection import Selection
from tallgrass.rollcalls.sources import load_votes, source_of
from tallgrass.rollcalls.spec import RunSpec, load_run_spec
from tallgrass.rollcalls.votes import VoteMatrix
from tallgrass.settings import Settings
from tallgrass.study.model_file import is_reference

DATABASE = "database"  # as the source of votes
SESSIONS = "sessions"  # as the source of several
MIN_LEGISLATORS = 3  # with fewer there is nothing to place


@dataclass(frozen=True, eq=False)
class Read:
    """The votes of a run, filtered, and where they are from."""

    source: str
    location: str
    votes: VoteMatrix  # of both chambers together in the joint model
    filter_log: FilterLog
    joint: JointVotes | None = None
    careers: Careers | None = None  # many sessions; ``votes`` holds their member-sessions together
    given: Mapping[str, VoteMatrix] = field(default_factory=dict)  # in memory, by chamber, whole

    @cached_property
    def identity(self) -> Identity:
        """What the data are known by, among those of other runs."""
        return identity(self.joint or self.careers or self.votes)

    @property
    def bodies(self) -> NDArray[np.integer[Any]] | None:
        """Index of the chamber, or of the sitting, of every row of the votes, if there are some."""
        if self.careers is not None:
            return self.careers.in_combined_order(self.careers.sitting_of_row)
        return None if self.joint is None else self.joint.chamber_index

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of all that the model looks at."""
        return self.identity.fingerprint


def read(spec: RunSpec, settings: Settings, given: Mapping[str, VoteMatrix] | None = None) -> Read:
    """Read and filter the votes.

    Parameters
    ----------
    given : mapping of str to VoteMatrix, optional
        Votes in memory, by chamber.

    Raises
    ------
    DataError
        When they cannot be read, or too little is left of them.
    TrackingError
        When they are those of a run that does not hold them.
    """
    given = given or votes_of_run(spec.session)
    if spec.model == "dynamic":
        careers, log = read_careers(spec, settings, given)
        where = (SESSION, spec.session) if given else (SESSIONS, spec.session)
        return Read(*where, careers.combined, log, careers=careers, given=given or {})
    if given is not None:
        return replace(_filtered(given, spec, SESSION, spec.session, settings.limits), given=given)
    session = with_password(spec.session)
    if is_database(session):
        source, location = DATABASE, masked(session)
    else:
        name, path = source_of(session, settings.data_dir)
        source, location = name, str(path)
    chambers = CHAMBERS if spec.model == "joint" else (spec.chamber,)
    votes = {
        chamber: load_votes(
            session,
            chamber,
            settings.data_dir,
            settings.limits,
            table=spec.votes_table,
            query=spec.votes_query,
        )
        for chamber in chambers
    }
    return _filtered(votes, spec, source, location, settings.limits)


def with_password(session: str) -> str:
    """A session with the password that its stored form lacks, from the settings.

    Raises
    ------
    DataError
        When the settings do not have it.
    """
    if "***" not in session or not is_database(session):
        return session
    known = load_run_spec().session
    if masked(known) != session:
        raise DataError(
            "the password of the votes' database is not stored with a run",
            session,
            "set TALLGRASS_SESSION to the address with its password",
        )
    return known


def _filtered(
    chambers: Mapping[str, VoteMatrix],
    spec: RunSpec,
    source: str,
    location: str,
    limits: Limits,
) -> Read:
    """The chamber, or both, each filtered by itself, and one log of what was dropped."""
    wanted = CHAMBERS if spec.model == "joint" else (spec.chamber,)
    if missing := [name for name in wanted if name not in chambers]:
        raise DataError(
            f"no votes of the {missing[0]}", ", ".join(chambers), "name the chamber that is there"
        )
    votes, logs = {}, []
    selection = Selection.parse(spec.rollcalls)
    for name in wanted:
        by_party = spec.model != "flat" and not is_reference(spec.model)
        chamber = chambers[name]
        if spec.model == "joint":
            require_both_parties(chamber)
        else:
            chamber = grouped(chamber, spec.groups, spec.groups_order, limits)
        if by_party:
            require_groups(chamber)
            if spec.groups:
                require_large_groups(chamber)
        kept, log = filter_votes(
            chamber,
            spec.minority_threshold,
            spec.min_votes,
            parties_only=by_party,
            committee=spec.committee,
            settled=spec.filters == "settled",
            chosen=chosen(selection, chamber) if spec.rollcalls else None,
        )
        votes[name] = with_members(kept)
        logs.append(log)
    if spec.model != "joint":
        return Read(source, location, _enough(votes[spec.chamber]), logs[0])
    joint = join_chambers(votes["house"], votes["senate"])
    together = FilterLog(
        spec.minority_threshold,
        spec.min_votes,
        sum(log.n_legislators_read for log in logs),
        sum(log.n_rollcalls_read for log in logs),
        tuple(drop for log in logs for drop in log.drops),
    )
    return Read(source, location, joint.combined, together, joint)


def _enough(votes: VoteMatrix) -> VoteMatrix:
    if len(votes.legislators) < MIN_LEGISLATORS:
        raise DataError(
            f"too few legislators left of the {votes.chamber} of {votes.session}",
            len(votes.legislators),
            f"at least {MIN_LEGISLATORS} are needed; lower min_votes",
        )
    return votes
