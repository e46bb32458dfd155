"""Whether a stored run is on the same data: fingerprints, also as earlier versions made them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.chambers import CHAMBERS, JointVotes
from tallgrass.rollcalls.votes import VoteMatrix


@dataclass(frozen=True)
class Identity:
    """What the data of a run are known by.

    Parameters
    ----------
    fingerprint : str
        SHA-256 (64 hex digits) of all that a model looks at.
    former : str
        As version 0.1 made it: without parties, and for a joint run with the names that both
        chambers share changed. A run with it is on the same data if its parties are the same.
    parties : mapping of str to str
        Party by slug.
    """

    fingerprint: str
    former: str = ""
    parties: Mapping[str, str] = field(default_factory=dict)

    def same_parties(self, parties: Mapping[str, str]) -> bool:
        """Whether a run of version 0.1 with these parties, by slug, is on the same data."""
        return dict(parties) == dict(self.parties)


def identity(votes: VoteMatrix | JointVotes | Careers) -> Identity:
    """What a chamber, or both, or many sessions, are known by.

    Examples
    --------
    >>> from tallgrass.rollcalls.votes import Legislator, RollCall
    >>> rows = Legislator("a", "A", "Democrat"), Legislator("b", "B", "Republican")
    >>> identity(VoteMatrix([[1], [-1]], rows, (RollCall("1"),), "s", "house")).parties
    {'a': 'Democrat', 'b': 'Republican'}
    """
    if isinstance(votes, VoteMatrix):
        # Version 0.1 had no groups but the parties.
        former = "" if votes.has_groups_of_its_own else votes.former_fingerprint
        fingerprint, members = votes.fingerprint, votes
    elif isinstance(votes, Careers):
        fingerprint, former, members = _of_careers(votes), "", votes.combined
    else:
        own = [votes.as_read(chamber).fingerprint for chamber in CHAMBERS]
        renamed = [votes.chamber(c).former_fingerprint for c in CHAMBERS]
        fingerprint, former = (_with_matches(votes, pair) for pair in (own, renamed))
        members = votes.combined
    parties = {member.slug: member.party for member in members.legislators}
    return Identity(fingerprint, former, parties)


def _of_careers(careers: Careers) -> str:
    """SHA-256 over the votes of all sittings, their times, and who and what links them."""
    digest = hashlib.sha256(careers.reference_session.encode())
    for sitting in careers.sittings:
        digest.update(f"\n{sitting.name} {sitting.time} {sitting.votes.fingerprint}".encode())
    for part in (*careers.links, *careers.bridges):
        digest.update(str(part.tolist()).encode())
    return digest.hexdigest()


def _with_matches(votes: JointVotes, of_chambers: list[str]) -> str:
    """SHA-256 over the fingerprints of both chambers and the matched roll calls."""
    digest = hashlib.sha256(" ".join(of_chambers).encode())
    for match in votes.matches:
        if match.status == "matched":
            digest.update(f"\n{len(match.house)} {match.house} {match.senate}".encode())
    return digest.hexdigest()
