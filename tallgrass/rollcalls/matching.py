"""Bills that both chambers voted on: which roll call of each stands for the bill.

A bill is known by its number. Of several roll calls on it in a chamber, one with "final action" in
its motion or vote type is preferred, and of those the latest. What counts is what the filters left,
so a bill that one chamber passed unanimously is matched by nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tallgrass.rollcalls.votes import RollCall, VoteMatrix

FINAL = "final action"  # "emergency final action" holds these words too


@dataclass(frozen=True, slots=True)
class Match:
    """One bill: the roll call (vote id) of each chamber, empty where there is none, and why."""

    bill: str
    house: str
    senate: str
    status: str  # "matched", "house only" or "senate only"
    reason: str


def match_bills(house: VoteMatrix, senate: VoteMatrix) -> tuple[Match, ...]:
    """Match roll calls of two chambers by bill number, one roll call a chamber.

    Returns
    -------
    tuple of Match
        Matched bills first, then every other roll call of the House and of the Senate; each roll
        call of either chamber occurs exactly once.
    """
    return match_rollcalls(house.rollcalls, senate.rollcalls)


def match_rollcalls(
    house: Sequence[RollCall],
    senate: Sequence[RollCall],
    first_name: str = "House",
    second_name: str = "Senate",
) -> tuple[Match, ...]:
    """Match any two lists of roll calls by bill number; see :func:`match_bills`."""
    first, second = _by_bill(house), _by_bill(senate)
    chosen = {
        bill: (_choose(first[bill]), _choose(second[bill])) for bill in first if bill in second
    }
    matches = [
        Match(
            bill,
            of_house.vote_id,
            of_senate.vote_id,
            "matched",
            f"{first_name}: {_why(of_house, len(first[bill]))}; "
            f"{second_name}: {_why(of_senate, len(second[bill]))}",
        )
        for bill, (of_house, of_senate) in sorted(chosen.items())
    ]
    for place, rollcalls, other in ((0, house, second), (1, senate, first)):
        taken = {pair[place].vote_id for pair in chosen.values()}
        for rollcall in rollcalls:
            if rollcall.vote_id in taken:
                continue
            if not rollcall.bill:
                reason = "no bill number"
            elif rollcall.bill in other:
                reason = "another roll call stands for the bill"
            else:
                reason = "no contested roll call on the bill in the other chamber"
            ids = (rollcall.vote_id, "") if place == 0 else ("", rollcall.vote_id)
            status = "house only" if place == 0 else "senate only"
            matches.append(Match(rollcall.bill, *ids, status, reason))
    return tuple(matches)


def _by_bill(rollcalls: Sequence[RollCall]) -> dict[str, list[RollCall]]:
    bills: dict[str, list[RollCall]] = defaultdict(list)
    for rollcall in rollcalls:
        if rollcall.bill:
            bills[rollcall.bill].append(rollcall)
    return dict(bills)


def _is_final(rollcall: RollCall) -> bool:
    return FINAL in rollcall.motion.lower() or FINAL in rollcall.vote_type.lower()


def _choose(rollcalls: list[RollCall]) -> RollCall:
    # Without a date a roll call counts as the earliest; ids of another length compare as numbers.
    return max(rollcalls, key=lambda r: (_is_final(r), r.date, len(r.vote_id), r.vote_id))


def _why(rollcall: RollCall, n: int) -> str:
    if n == 1:
        return "the only roll call"
    return f"the latest {'final action' if _is_final(rollcall) else 'roll call'} of {n} roll calls"
