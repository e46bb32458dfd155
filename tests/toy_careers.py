"""Small careers over a few sessions, for the tests of the dynamic model."""

from dataclasses import replace

import numpy as np
from toy import toy_votes

from tallgrass.rollcalls.career_links import Sitting
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.persons import Seat, match_persons
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

YEARS = (2019, 2021, 2025)  # the second gap is of two bienniums


def toy_session(
    year: int, chamber: str, sizes: tuple[int, int], rollcalls: int, first: int = 0
) -> VoteMatrix:
    """One sitting; its Democrats are D<first>, ..., its Republicans R<first>, ..."""
    votes = toy_votes(*sizes, rollcalls, seed=year + len(chamber))
    counts, members = {"D": first, "R": first}, []
    for member in votes.legislators:
        letter = member.party[0]
        person = f"{letter}{counts[letter]:02d}"
        counts[letter] += 1
        # A name of two words, no two persons with a word in common.
        name = f"First{person.translate(str.maketrans('0123456789', 'abcdefghij'))} Last{person}"
        members.append(Legislator(f"{chamber[:3]}_{person}", name, member.party))
    bills = tuple(RollCall(f"{chamber}{j:03d}", f"HB {j}") for j in range(rollcalls))
    return VoteMatrix(votes.cells, tuple(members), bills, str(year), chamber)


def toy_careers(
    sizes: tuple[int, int] = (3, 4), rollcalls: int = 4, both: bool = False, **settings: object
) -> Careers:
    """Three sessions of one chamber, or of both; each has a new Democrat and a new Republican.

    Senators sit in the House too, some in one session, and their first bills have equal numbers.
    """
    sittings = [
        Sitting(str(y), "house", y / 2, toy_session(y, "house", sizes, rollcalls, first))
        for first, y in enumerate(YEARS)
    ]
    if both:
        small = (sizes[0] - 1, sizes[1] - 1)
        sittings += [
            Sitting(str(y), "senate", y / 2, toy_session(y, "senate", small, rollcalls, i + 1))
            for i, y in enumerate(YEARS[1:], 1)
        ]
        sittings = [replace(s, votes=_renamed(s.votes)) for s in sittings]
    seats = [Seat(s.session, s.chamber, m) for s in sittings for m in s.votes.legislators]
    return Careers(tuple(sittings), match_persons(seats), **settings)


def _renamed(votes: VoteMatrix) -> VoteMatrix:
    """Slugs with the titles that real sources have, which are not part of a person's id."""
    title = {"house": "rep", "senate": "sen"}[votes.chamber]
    return votes.renamed({slug: f"{title}_{slug[4:]}" for slug in votes.slugs})


def usual_sessions(seed: int = 0, sizes: tuple[int, int] = (7, 8)) -> list[VoteMatrix]:
    """Three sessions whose members drift, of the usual size; filters leave all their votes."""
    rng = np.random.default_rng(seed)
    x = {}
    sessions = []
    for first, year in enumerate(YEARS):
        votes = toy_session(year, "house", sizes, 30, first)
        position = []
        for m in votes.legislators:
            start = (1.0 if m.party == "Republican" else -1.0) + 0.3 * rng.normal()
            x[m.slug] = x.get(m.slug, start) + 0.1 * rng.normal()
            position.append(x[m.slug])
        beta, alpha = 2 * rng.normal(size=30), rng.normal(size=30)
        p = 1 / (1 + np.exp(alpha - np.outer(position, beta)))
        cells = np.where(rng.random(p.shape) < p, 1, -1).astype(np.int8)
        sessions.append(replace(votes, cells=cells))
    return sessions
