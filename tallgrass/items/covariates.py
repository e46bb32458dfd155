"""Columns of 0 and 1 that are read as items, and may be something else: sex, group, treatment."""

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.responses import Responses

# Names that no test gives an item; parts of them count too (is_male, sex_f).
NAMES = {
    "male", "female", "sex", "gender", "age", "group", "treatment", "treated", "control", "class",
    "grade", "school", "native", "weight", "wave", "year",
}  # fmt: skip
NOTHING_IN_COMMON = 0.05  # correlation of an item with the others that says so
_ENOUGH = 200  # responses, with which a correlation of 0 has a standard error of 0.07
_SHOWN = 5


def doubtful_items(responses: Responses) -> tuple[str, ...]:
    """A sentence for items whose name says that they are none, and for those like no other.

    Examples
    --------
    >>> doubtful_items(responses)  # doctest: +SKIP
    ("by their names these may not be items: male; leave them out with ignore=male, or ...",)
    """
    named = [name for name in responses.items if _parts(name) & NAMES]
    r, n = rest_correlations(responses)
    alone = (r < NOTHING_IN_COMMON) & (n >= _ENOUGH)
    unlike = [responses.items[int(j)] for j in np.flatnonzero(alone)]
    sentences = []
    if named:
        sentences.append(
            f"by their names these may not be items: {_list(named)}; leave them out with "
            f"ignore={','.join(named[:_SHOWN])}, or keep them beside the users with covariates="
            + ",".join(named[:_SHOWN])
        )
    if unlike := [name for name in unlike if name not in named]:
        sentences.append(
            f"answers to {_list(unlike)} have nothing in common with the others: a covariate, or a "
            f"wrong key? leave them out with ignore={','.join(unlike[:_SHOWN])}"
        )
    return tuple(sentences)


def rest_correlations(responses: Responses) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """By item: the correlation of its answers with the users' share right of the other items.

    Returns
    -------
    ndarray, shape (n_items,)
        NaN where an item or the rest does not vary.
    ndarray of int64, shape (n_items,)
        Responses of users who answered another item as well.
    """
    user, item, y = responses.user, responses.item, responses.correct.astype(np.float64)
    n_items, n_users = len(responses.items), len(responses.users)
    answered, right = np.bincount(user, minlength=n_users), np.bincount(user, y, n_users)
    others = answered[user] - 1
    keep = others > 0
    item, y = item[keep], y[keep]
    rest = (right[user[keep]] - y) / others[keep]

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(item, values, n_items)

    n = np.bincount(item, minlength=n_items)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_y, mean_rest = total(y) / n, total(rest) / n
        covariance = total(y * rest) / n - mean_y * mean_rest
        spread = (total(y * y) / n - mean_y**2) * (total(rest**2) / n - mean_rest**2)
        r = covariance / np.sqrt(np.where(spread > 0, spread, np.nan))
    return r, n


def _parts(name: str) -> set[str]:
    return set(name.lower().replace("-", "_").replace(".", "_").replace(" ", "_").split("_"))


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
