"""Two small chambers with matched bills, for the tests of the joint model."""

from dataclasses import replace

from toy import USUAL, toy_votes

from tallgrass.rollcalls.chambers import JointVotes, join_chambers
from tallgrass.rollcalls.votes import RollCall, VoteMatrix


def toy_chambers(
    house: tuple[int, int] = (4, 5),
    senate: tuple[int, int] = (3, 4),
    rollcalls: tuple[int, int] = (4, 4),
    matched: int = 2,
    seed: int = 0,
) -> JointVotes:
    """Chambers of so many Democrats and Republicans; their first bills have equal numbers."""
    chambers = []
    for i, (chamber, sizes) in enumerate((("house", house), ("senate", senate))):
        votes = toy_votes(*sizes, rollcalls[i], seed=seed + i)
        chambers.append(
            VoteMatrix(
                votes.cells,
                tuple(replace(m, slug=f"{chamber}_{m.slug}") for m in votes.legislators),
                tuple(
                    RollCall(f"{chamber}{j:03d}", f"HB {j}" if j < matched else f"{chamber} {j}")
                    for j in range(rollcalls[i])
                ),
                "toy",
                chamber,
            )
        )
    return join_chambers(*chambers)


def usual_chambers(matched: int = 12, seed: int = 4) -> JointVotes:
    """Two chambers of the usual size; the filters of a run leave all their votes."""
    *members, rollcalls = USUAL
    sizes = (members[0], members[1])
    return toy_chambers(sizes, sizes, (rollcalls, rollcalls), matched, seed)
