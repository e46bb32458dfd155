"""Both chambers of a legislature as one checked, immutable value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.group_checks import check_parties
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.matching import Match, match_bills
from tallgrass.rollcalls.start import Start, make_start
from tallgrass.rollcalls.votes import RollCall, VoteMatrix

CHAMBERS = ("house", "senate")  # the order of every chamber axis: the House sets the scale
_FEWEST_TO_JUDGE = 3  # fewer matched bills may all be opposite by chance
GROUPS = tuple(f"{chamber} {party}" for chamber in CHAMBERS for party in PARTIES)


@dataclass(frozen=True, eq=False)
class JointVotes:
    """Two chambers and the bills that both voted on.

    Parameters
    ----------
    house, senate : VoteMatrix
        The votes of each chamber; they share no slug and no vote id.
    matches : tuple of Match
        From :func:`tallgrass.rollcalls.matching.match_bills`; every roll call occurs once.
    read : mapping of str to VoteMatrix
        By chamber, its votes before slugs and vote ids that both chambers have were renamed.

    Raises
    ------
    DataError
        When no bill is matched, a chamber lacks a party, a slug or vote id is in both, or all of
        three or more matched bills divide the parties in opposite directions.
    """

    house: VoteMatrix
    senate: VoteMatrix
    matches: tuple[Match, ...]
    read: Mapping[str, VoteMatrix] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for votes in (self.house, self.senate):
            check_parties(votes)
        if not len(self.matched[0]):
            raise DataError(
                f"no bill of {self.house.session} has a contested roll call in both chambers",
                f"{len(self.house.rollcalls)} House and {len(self.senate.rollcalls)} Senate "
                "roll calls",
                "the joint model needs matched bills: lower minority_threshold, or run each "
                "chamber and link the two runs over common members with tallgrass link",
            )
        of_house, of_senate = self.matched
        products = self._directions("house")[of_house] * self._directions("senate")[of_senate]
        opposite = int((products < 0).sum())
        if opposite == len(products) >= _FEWEST_TO_JUDGE:
            raise DataError(
                f"all {opposite} matched bills of {self.house.session} divide the parties of the "
                "two chambers in opposite directions",
                "Republicans for a bill in one chamber are against it in the other",
                "they cannot link the scales: check whether one chamber's yeas and nays, or its "
                "parties, are swapped; or run each chamber and link the two runs over common "
                "members with tallgrass link",
            )
        self.combined  # noqa: B018 - computed now, to refuse a name that is in both chambers

    def _directions(self, chamber: str) -> NDArray[np.int8]:
        """By roll call: 1 if Republicans voted yea more often than Democrats, else 0 or -1."""
        votes: VoteMatrix = getattr(self, chamber)
        with np.errstate(invalid="ignore"):  # a roll call without one party has no direction
            means = [
                votes.cells[votes.party_index == g].sum(axis=0)
                / np.count_nonzero(votes.cells[votes.party_index == g], axis=0)
                for g in range(len(PARTIES))
            ]
        return np.asarray(np.sign(np.nan_to_num(means[1] - means[0])), np.int8)

    @cached_property
    def matched(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Columns of the matched bills in the House and in the Senate, in the same order."""
        pairs = [(m.house, m.senate) for m in self.matches if m.status == "matched"]
        columns = [
            {vote_id: j for j, vote_id in enumerate(votes.vote_ids)}
            for votes in (self.house, self.senate)
        ]
        return (
            np.array([columns[0][house] for house, _ in pairs], np.int64),
            np.array([columns[1][senate] for _, senate in pairs], np.int64),
        )

    @cached_property
    def combined(self) -> VoteMatrix:
        """All members x all roll calls, chamber ``both``; votes in the other chamber are missing.

        The district of a member includes the chamber, because both chambers have a district 1.
        """
        house, senate = self.house.cells, self.senate.cells
        cells = np.zeros(np.add(house.shape, senate.shape), np.int8)
        cells[: len(house), : house.shape[1]] = house
        cells[len(house) :, house.shape[1] :] = senate
        return VoteMatrix(
            cells,
            tuple(
                replace(m, district=f"{votes.chamber.capitalize()} {m.district}".strip())
                for votes in (self.house, self.senate)
                for m in votes.legislators
            ),
            self.house.rollcalls + self.senate.rollcalls,
            self.house.session,
            "both",
        )

    @cached_property
    def rows(self) -> dict[str, NDArray[np.int64]]:
        """By chamber: the rows of its members in ``combined``, in the chamber's order."""
        row = {slug: i for i, slug in enumerate(self.combined.slugs)}
        return {c: np.array([row[slug] for slug in getattr(self, c).slugs]) for c in CHAMBERS}

    @cached_property
    def columns(self) -> dict[str, NDArray[np.int64]]:
        """By chamber: the columns of its roll calls in ``combined``, in the chamber's order."""
        column = {vote_id: j for j, vote_id in enumerate(self.combined.vote_ids)}
        return {
            c: np.array([column[vote_id] for vote_id in getattr(self, c).vote_ids])
            for c in CHAMBERS
        }

    @cached_property
    def chamber_index(self) -> NDArray[np.int8]:
        """Index into CHAMBERS of every row of ``combined``."""
        index = np.zeros(len(self.combined.slugs), np.int8)
        index[self.rows["senate"]] = 1
        return index

    @cached_property
    def group_sizes(self) -> NDArray[np.int64]:
        """Number of members of every group, in the order of GROUPS."""
        return np.concatenate(
            [np.bincount(getattr(self, c).party_index, minlength=2) for c in CHAMBERS]
        )

    def chamber(self, name: str) -> VoteMatrix:
        """The votes of ``house`` or ``senate``, with the names that they have in ``combined``."""
        votes: VoteMatrix = getattr(self, name)
        return votes

    def as_read(self, chamber: str) -> VoteMatrix:
        """The votes of a chamber as a run of that chamber alone reads them: nothing renamed."""
        return self.read.get(chamber, self.chamber(chamber))


def join_chambers(house: VoteMatrix, senate: VoteMatrix) -> JointVotes:
    """Match the bills of two chambers; names that both have get the chamber as a prefix."""
    slugs = set(house.slugs) & set(senate.slugs)
    ids = set(house.vote_ids) & set(senate.vote_ids)
    read = {"house": house, "senate": senate}
    house, senate = (_with_chamber(votes, slugs, ids) for votes in (house, senate))
    return JointVotes(house, senate, match_bills(house, senate), read)


def _with_chamber(votes: VoteMatrix, slugs: set[str], ids: set[str]) -> VoteMatrix:
    def renamed(rollcall: RollCall) -> RollCall:
        if rollcall.vote_id not in ids:
            return rollcall
        return replace(rollcall, vote_id=f"{votes.chamber}:{rollcall.vote_id}")

    if slugs:
        votes = votes.renamed({slug: f"{votes.chamber}:{slug}" for slug in slugs})
    return replace(votes, rollcalls=tuple(map(renamed, votes.rollcalls))) if ids else votes


def joint_start(joint: JointVotes, init: str, past: Mapping[str, float] | None = None) -> Start:
    """Each chamber's own start (:func:`tallgrass.rollcalls.start.make_start`), in combined order.

    Raises
    ------
    DataError
        As ``make_start``, for either chamber.
    """
    n = len(joint.combined.slugs)
    scores, pca = np.zeros(n), np.zeros(n)
    has_scores = True
    for chamber in CHAMBERS:
        rows = joint.rows[chamber]
        start = make_start(getattr(joint, chamber), init, None if past is None else dict(past))
        pca[rows] = start.pca
        if start.scores is None:
            has_scores = False
        else:
            scores[rows] = start.scores
    return Start(init, scores if has_scores else None, pca)
