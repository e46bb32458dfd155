"""An item bank to play with: simulated answers, the bank they are anchored to, and new persons.

Nothing in it is real. Items are of four subjects and have the names that a bank's would have. One
anchor has become harder since the bank was calibrated, so that drift has something to find, and the
cohort is abler than the one before (by 0.4 standard deviations).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

SUBJECTS = ("algebra", "fractions", "geometry", "statistics")
_ITEMS_EACH = 8
_USERS, _NEW_USERS = 1200, 200
_ANSWERS = 20  # of the 32 items, by each user
_ANCHORS = 12
_ABLER = 0.4
_DRIFTED, _DRIFT = 3, 0.9  # which anchor has moved, and by how much in b


class ItemBank(NamedTuple):
    """Tables of an item bank.

    Parameters
    ----------
    answers : DataFrame
        A row an answer: user, item, response (0 or 1), school (of the user).
    anchors : DataFrame
        A row an anchor: item, a (discrimination), b (difficulty), on the scale of the bank.
    new : DataFrame
        Answers of persons who come later, to be scored: user, item, response.
    """

    answers: pd.DataFrame
    anchors: pd.DataFrame
    new: pd.DataFrame


def example_bank(seed: int = 0) -> ItemBank:
    """Simulate answers to a bank of 32 items; equal seeds give equal answers.

    The answers follow the 2PL model, ``P(correct) = logit^-1(a (theta - b))`` (Birnbaum, 1968).

    Parameters
    ----------
    seed : int
        Seed of NumPy's default generator.

    Examples
    --------
    >>> bank = example_bank()
    >>> len(bank.answers), len(bank.anchors), bank.new["user"].nunique()
    (24000, 12, 200)
    """
    rng = np.random.default_rng(seed)
    items = np.array([f"{s}_{k:02d}" for s in SUBJECTS for k in range(1, _ITEMS_EACH + 1)])
    a, b = rng.lognormal(0.1, 0.25, len(items)), rng.normal(0, 1, len(items))
    anchored = rng.choice(len(items), _ANCHORS, replace=False)
    anchors = pd.DataFrame({"item": items[anchored], "a": a[anchored], "b": b[anchored]}).round(4)
    b[anchored[_DRIFTED]] += _DRIFT
    answers = _answers(rng, items, a, b, _USERS, "u")
    schools = rng.choice(["north", "river", "town"], _USERS)
    answers["school"] = schools[answers["user"].str[1:].astype(int)]
    new = _answers(rng, items, a, b, _NEW_USERS, "n")
    return ItemBank(answers, anchors.sort_values("item", ignore_index=True), new)


def _answers(
    rng: np.random.Generator,
    items: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    users: int,
    letter: str,
) -> pd.DataFrame:
    theta = rng.normal(_ABLER, 1, users)
    user = np.repeat(np.arange(users), _ANSWERS)
    item = np.argsort(rng.random((users, len(items))), axis=1)[:, :_ANSWERS].ravel()
    correct = rng.logistic(size=len(user)) < a[item] * (theta[user] - b[item])
    return pd.DataFrame(
        {
            "user": np.array([f"{letter}{i:04d}" for i in range(users)])[user],
            "item": items[item],
            "response": correct.astype(int),
        }
    )
