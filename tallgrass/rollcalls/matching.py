"""Match the bills that both chambers voted on, by one roll call of each chamber.

Bills are matched by number. Of several roll calls on a bill in a chamber, one with "final action"
in its motion or vote type is preferred, then one with other states' words for it (third reading,
passage), and of those the latest. Only roll calls that passed the filters count, so a bill that one
chamber passed unanimously has no match.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tallgrass.rollcalls.votes import RollCall, VoteMatrix

FINAL = "final action"  # also part of "emergency final action"
# How other states call it; not the passage of an amendment or in the committee of the whole.
_PASSAGE = re.compile(
    r"\b(third|3rd|final) reading\b|\bread (a |the )?third time\b|\b(final |on )?passage\b",
    re.IGNORECASE,
)
_NOT_FINAL = re.compile(r"committee|amendment|\bmotion to\b|\bveto\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """One bill, with the roll call (vote id) of each chamber, or empty, and the reason."""

    bill: str
    house: str
    senate: str
    status: str  # "matched", "house only" or "senate only"
    reason: str


def match_bills(house: VoteMatrix, senate: VoteMatrix) -> tuple[Match, ...]:
    """Match roll calls of two chambers by bill number, one roll call per chamber.

    Returns
    -------
    tuple of Match
        Matched bills, then every other roll call of the House and of the Senate; each roll call
        occurs exactly once.
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
    for position, rollcalls, other_bills in ((0, house, second), (1, senate, first)):
        used = {pair[position].vote_id for pair in chosen.values()}
        for rollcall in rollcalls:
            if rollcall.vote_id in used:
                continue
            if not rollcall.bill:
                reason = "no bill number"
            elif rollcall.bill in other_bills:
                reason = "another roll call stands for the bill"
            else:
                reason = "no contested roll call on the bill in the other chamber"
            ids = (rollcall.vote_id, "") if position == 0 else ("", rollcall.vote_id)
            status = "house only" if position == 0 else "senate only"
            matches.append(Match(rollcall.bill, *ids, status, reason))
    return tuple(matches)


def _by_bill(rollcalls: Sequence[RollCall]) -> dict[str, list[RollCall]]:
    bills: dict[str, list[RollCall]] = defaultdict(list)
    for rollcall in rollcalls:
        if rollcall.bill and not rollcall.committee:
            bills[rollcall.bill].append(rollcall)
    return dict(bills)


def is_final(rollcall: RollCall) -> bool:
    """Whether a roll call is a final action on its bill, or a passage in other states' words."""
    return _finality(rollcall) > 0


def _finality(rollcall: RollCall) -> int:
    """2 for a final action, 1 for a passage in the words of other states, else 0."""
    texts = (rollcall.motion, rollcall.vote_type)
    if any(FINAL in text.lower() for text in texts):
        return 2
    return int(any(_PASSAGE.search(text) and not _NOT_FINAL.search(text) for text in texts))


def _choose(rollcalls: list[RollCall]) -> RollCall:
    # No date counts as the earliest; ids of different lengths compare like numbers.
    return max(rollcalls, key=lambda r: (_finality(r), r.date, len(r.vote_id), r.vote_id))


def _why(rollcall: RollCall, n: int) -> str:
    if n == 1:
        return "the only roll call"
    kind = ("roll call", "passage", FINAL)[_finality(rollcall)]
    return f"the latest {kind} of {n} roll calls"
