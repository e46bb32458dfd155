"""Whether votes have the parties, or groups, that a model needs."""

from tallgrass.errors import DataError
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.votes import VoteMatrix


def require_both_parties(votes: VoteMatrix) -> None:
    """Refuse votes of other parties before a filter leaves nothing of them.

    Raises
    ------
    DataError
        When one of the two major parties has no member.
    """
    found = {member.party for member in votes.legislators}
    for party in PARTIES:
        if party not in found:
            parties = sorted(name or "unknown" for name in found)
            raise DataError(
                f"no {party} in the {votes.chamber} of {votes.session}",
                f"parties: {', '.join(parties)}",
                "a party model needs members of both major parties: use model=flat",
            )


def check_parties(votes: VoteMatrix) -> None:
    """Refuse votes that a party model cannot use; members of other parties are allowed.

    Raises
    ------
    DataError
        When a legislator's party is unknown, or one of the two major parties has no member.
    """
    _require_known_parties(votes)
    require_both_parties(votes)


def check_groups(votes: VoteMatrix) -> None:
    """Refuse votes that a model with a level of groups cannot use.

    Raises
    ------
    DataError
        When a legislator's party is unknown, there are fewer than two groups, or one of them has no
        member.
    """
    _require_known_parties(votes)
    require_groups(votes)


def require_groups(votes: VoteMatrix) -> None:
    """Refuse votes of fewer than two groups before a filter leaves nothing of them.

    Raises
    ------
    DataError
        When there are fewer than two groups, or one of them has no member.
    """
    if votes.groups == PARTIES:
        require_both_parties(votes)
        return
    if len(votes.groups) < 2:
        parties = sorted({member.party or "unknown" for member in votes.legislators})
        raise DataError(
            f"fewer than two groups in the {votes.chamber} of {votes.session}",
            f"parties: {', '.join(parties)}",
            "the hierarchical model has a mean of every group: name groups with groups=COLUMN or "
            "groups=FILE.csv, or use model=flat, which needs none",
        )
    for g, group in enumerate(votes.groups):
        if g not in votes.party_index:
            raise DataError(
                f"the group {group} has no member left in the {votes.chamber} of {votes.session}",
                ", ".join(votes.groups),
                "lower min_votes, or name other groups with groups=FILE.csv",
            )


def _require_known_parties(votes: VoteMatrix) -> None:
    unknown = [member.slug for member in votes.legislators if not member.party]
    if unknown:
        raise DataError(
            f"{len(unknown)} of {len(votes.legislators)} legislators without a party",
            ", ".join(unknown),
            "fill in the party column, or use model=flat",
        )
