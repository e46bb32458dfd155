"""Signs of roll calls that a run asks for: which side the yeas are on.

They fix the direction of the scale where neither groups nor anchors do. They are no prior: the
posterior stays as it is, in the direction that they say, and whether every one of them holds there
is checked draw by draw and chain by chain.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tallgrass.errors import DataError, nearest
from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.rollcalls.anchor_text import DEFAULT, parse_anchors
from tallgrass.rollcalls.selected import plain_number
from tallgrass.rollcalls.sign_text import parse_signs
from tallgrass.rollcalls.start import Start, rollcall_logits, standardised
from tallgrass.rollcalls.votes import VoteMatrix

if TYPE_CHECKING:
    from xarray import DataTree

NAME = "roll call signs"
HELD = 0.95  # a sign that fewer draws have is questioned
_MOST_IDS = 5  # named in an error


def sign_columns(votes: VoteMatrix, text: str) -> dict[int, int]:
    """The sign asked of each roll call by its column.

    Parameters
    ----------
    text : str
        As :func:`~tallgrass.rollcalls.sign_text.parse_signs` reads it, with vote ids or numbers of
        bills that were voted on once.

    Raises
    ------
    DataError
        When there is no such roll call, a bill has several, or two names are one roll call.
    """
    column = {vote_id: j for j, vote_id in enumerate(votes.vote_ids)}
    bills: dict[str, list[int]] = {}
    for j, rollcall in enumerate(votes.rollcalls):
        bills.setdefault(plain_number(rollcall.bill), []).append(j)
    found: dict[int, int] = {}
    for name, sign in parse_signs(text).items():
        columns = [column[name]] if name in column else bills.get(plain_number(name), [])
        if not columns:
            raise DataError(
                f"rollcall_signs: no such roll call in the {votes.chamber} of {votes.session}",
                name,
                f"the filters may have dropped it; {nearest(name, list(votes.vote_ids))}",
            )
        if len(columns) > 1:
            ids = [votes.vote_ids[j] for j in columns[:_MOST_IDS]]
            raise DataError(
                f"rollcall_signs: {len(columns)} roll calls on this bill",
                name,
                f"name one by its id: {', '.join(ids)}",
            )
        if columns[0] in found:
            raise DataError("rollcall_signs: one roll call twice", name, "name each once")
        found[columns[0]] = sign
    return found


def directed(votes: VoteMatrix, start: Start, signs: str, anchors: str = DEFAULT) -> Start:
    """The start, its scores turned round where anchors or signs ask for it.

    Groups come first, then named anchors, then signs: of two groups the second is to the right
    whatever else is said.

    Parameters
    ----------
    signs, anchors : str
        Parameters of the run.

    Raises
    ------
    DataError
        When a sign runs against the order of the groups or of the anchors.
    """
    asked = sign_columns(votes, signs)
    by_groups = all((votes.party_index == g).any() for g in (0, 1))
    named = parse_anchors(anchors)
    if named and not by_groups:
        row = {slug: i for i, slug in enumerate(votes.slugs)}
        there = [slug for slug in named if slug in row]
        scores = start.pca[[row[slug] for slug in there]]
        if len(there) > 1 and np.cov(scores, [named[slug] for slug in there])[0, 1] < 0:
            start = _turned(start)
    if not asked:
        return start
    slopes = _slopes(votes, start)
    agreement = sum(sign * slopes[j] for j, sign in asked.items())
    if agreement >= 0:
        return start
    if by_groups or named:
        fixed = f"{votes.groups[0]} to {votes.groups[1]}" if by_groups else "the anchors"
        way = "exchange + and -, or leave rollcall_signs out"
        raise DataError(
            f"rollcall_signs run against the direction of the scale, which is fixed by {fixed}",
            signs,
            f"{way}; groups_order turns the scale round" if by_groups else way,
        )
    return _turned(start)


def sign_warnings(votes: VoteMatrix, start: Start, signs: str) -> tuple[str, ...]:
    """Signs that the votes contradict once the scale has the direction that most ask for."""
    slopes = _slopes(votes, start)
    return tuple(
        f"roll call {votes.vote_ids[j]} has the sign {'+-'[sign < 0]} in rollcall_signs, but its "
        f"yeas lie to the {'left' if slopes[j] < 0 else 'right'}: it contradicts the other signs, "
        "or the order of the groups"
        for j, sign in sign_columns(votes, signs).items()
        if sign * slopes[j] < 0
    )


def sign_probabilities(trace: "DataTree", votes: VoteMatrix, signs: str) -> dict[str, list[float]]:
    """The share of draws in which beta has the sign asked for, by vote id and chain."""
    posterior = trace["posterior"].to_dataset()
    beta = posterior["beta"].transpose("chain", "draw", "rollcall").to_numpy()
    return {
        votes.vote_ids[j]: (sign * beta[:, :, j] > 0).mean(axis=1).tolist()
        for j, sign in sign_columns(votes, signs).items()
    }


def sign_metrics(probabilities: dict[str, list[float]]) -> dict[str, float]:
    """How many signs there are, how many hold, and the least probability among them."""
    if not probabilities:
        return {}
    means = [float(np.mean(chains)) for chains in probabilities.values()]
    return {
        "signs/n": float(len(means)),
        "signs/held": float(sum(mean >= HELD for mean in means)),
        "signs/least_probability": min(means),
    }


def sign_check(probabilities: dict[str, list[float]]) -> FitCheck | None:
    """Does every roll call have the sign that was asked of it, in every chain."""
    if not probabilities:
        return None
    off = {name: chains for name, chains in probabilities.items() if np.mean(chains) < HELD}
    if not off:
        return FitCheck(NAME, "fits")
    words = []
    for name, chains in off.items():
        reversed_in = [str(c) for c, share in enumerate(chains) if share < 0.5]
        some = 0 < len(reversed_in) < len(chains)
        where = f", reversed in chain {', '.join(reversed_in)}" if some else ""
        words.append(f"{name} in {100 * np.mean(chains):.0f} % of the draws{where}")
    against = [name for name, chains in off.items() if np.mean(chains) < 0.5]
    why = ""
    if against and len(against) < len(probabilities):
        contradict = "contradicts" if len(against) == 1 else "contradict"
        why = f" {', '.join(against)} {contradict} the others: no direction of the scale has all."
    elif not against:
        why = " The votes do not say clearly which side their yeas are on."
    return FitCheck(
        NAME,
        "questioned",
        f"{len(off)} of {len(probabilities)} roll calls do not have the sign that was asked for: "
        f"{'; '.join(words)}.{why}",
    )


def _slopes(votes: VoteMatrix, start: Start) -> np.ndarray:
    """Slopes of all roll calls along the scores of the start, shape (n_rollcalls,)."""
    return rollcall_logits(votes, standardised(start.pca), False)[1]


def _turned(start: Start) -> Start:
    return replace(start, pca=-start.pca, scores=None if start.scores is None else -start.scores)
