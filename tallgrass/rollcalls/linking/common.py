"""Find what two runs have in common: roll calls, bills or members."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.rollcalls.matching import match_rollcalls
from tallgrass.rollcalls.votes import RollCall

OVER = ("auto", "bills", "members")


class Common(NamedTuple):
    """The common ``bills`` or ``members``: names, and their indices in both runs."""

    over: str
    names: tuple[str, ...]
    reference: NDArray[np.int64]
    target: NDArray[np.int64]


def common_bills(
    reference: Sequence[RollCall], target: Sequence[RollCall], same_chamber: bool
) -> Common:
    """Roll calls that are in both runs, else bills that both chambers voted on."""
    indices = [{r.vote_id: j for j, r in enumerate(rollcalls)} for rollcalls in (reference, target)]
    shared = sorted(indices[0].keys() & indices[1].keys())
    if same_chamber or shared:
        pairs = [(name, name, name) for name in shared]
    else:
        matches = match_rollcalls(reference, target, "reference", "target")
        pairs = [(m.bill, m.house, m.senate) for m in matches if m.status == "matched"]
    return Common(
        "bills",
        tuple(name for name, _, _ in pairs),
        np.array([indices[0][vote_id] for _, vote_id, _ in pairs], np.int64),
        np.array([indices[1][vote_id] for _, _, vote_id in pairs], np.int64),
    )


def common_members(reference: Sequence[str], target: Sequence[str]) -> Common:
    """Legislators with the same slug in both runs."""
    shared = sorted(set(reference) & set(target))
    indices = [{slug: i for i, slug in enumerate(slugs)} for slugs in (reference, target)]
    return Common(
        "members", tuple(shared), *(np.array([p[s] for s in shared], np.int64) for p in indices)
    )


def anchored(common: Common, anchors: Sequence[str]) -> Common:
    """Only the common items that are named as anchors; all of them without anchors.

    Raises
    ------
    DataError
        When an anchor is not common.
    """
    if not anchors:
        return common
    unknown = [name for name in anchors if name not in common.names]
    if unknown:
        raise DataError(
            f"anchors that the runs do not have in common ({common.over})",
            ", ".join(unknown),
            f"common are {', '.join(common.names[:10]) or 'none'}",
        )
    is_anchor = np.isin(common.names, list(anchors))
    names = tuple(name for name, keep in zip(common.names, is_anchor, strict=True) if keep)
    return Common(common.over, names, common.reference[is_anchor], common.target[is_anchor])
