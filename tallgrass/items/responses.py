"""Answers to test items as one checked, immutable long table, and the anchors of a scale."""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.items.curves import Curves, curves_of


@dataclass(frozen=True, eq=False)
class Responses:
    """Who answered which item, and whether correctly; checked once and immutable.

    Items and users are sorted by name, and responses by item and then user, so that the same
    answers have the same fingerprint, whatever order they are read in.

    Parameters
    ----------
    users, items : tuple of str
        Names; unique, each with at least one response.
    user, item : ndarray of int32, shape (n_responses,)
        Index into ``users`` and ``items`` of every response.
    correct : ndarray of int8, shape (n_responses,)
        1 correct, 0 not; of graded items 0, 1, 2, ...
    graded : bool
        Whether answers may be other than 0 and 1.
    lowest : mapping of str to int
        What answer 0 of a graded item was called; 0 where an item is not in it.

    Raises
    ------
    DataError
        When the lengths disagree, an index or an answer is out of range, a name occurs twice, a
        user or item has no response, or a user answers an item twice.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    correct: NDArray[np.int8]
    graded: bool = False
    lowest: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = [np.asarray(column) for column in (self.user, self.item, self.correct)]
        shapes = {column.shape for column in columns}
        if len(shapes) != 1 or columns[0].ndim != 1:
            raise DataError("responses whose columns differ in length", sorted(shapes))
        if not len(columns[0]):
            raise DataError("no responses", None, "check the file, the query and the window")
        user_order, user = _sorted_names("user", self.users, columns[0])
        item_order, item = _sorted_names("item", self.items, columns[1])
        invalid = np.less(columns[2], 0) if self.graded else ~np.isin(columns[2], (0, 1))
        if invalid.any():
            raise DataError(
                "response other than 0 and 1",
                columns[2][invalid][0].item(),
                "code answers as 0, 1, 2, ..." if self.graded else "code answers as 0 or 1",
            )
        key = item.astype(np.int64) * len(user_order) + user
        order = np.argsort(key, kind="stable")
        repeated = np.flatnonzero(np.diff(key[order]) == 0)
        if len(repeated):
            k = order[repeated[0]]
            raise DataError(
                f"{len(repeated)} duplicate responses: one user, one item",
                f"{user_order[user[k]]}, {item_order[item[k]]}",
                "keep the first or the last of them",
            )
        object.__setattr__(self, "users", user_order)
        object.__setattr__(self, "items", item_order)
        for name, values in (
            ("user", user[order]),
            ("item", item[order]),
            ("correct", columns[2][order].astype(np.int8)),
        ):
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.correct)

    def answered(self, correct: NDArray[np.int8]) -> "Responses":
        """The same users and items, which are not checked again, with other answers in their order.

        Parameters
        ----------
        correct : ndarray of int8, shape (n_responses,)
            1 correct, 0 not; taken as they are.
        """
        other = copy.copy(self)
        vars(other).pop("fingerprint", None)
        values = correct.astype(np.int8)
        values.flags.writeable = False
        object.__setattr__(other, "correct", values)
        return other

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over names, order and answers."""
        digest = hashlib.sha256(b"responses-1")
        for names in (self.users, self.items):
            for name in names:
                encoded = name.encode()
                digest.update(len(encoded).to_bytes(8, "little") + encoded)
            digest.update(b"\xff")
        for values in (self.user, self.item, self.correct):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Anchors:
    """Items with parameters from an earlier calibration, which fix the scale.

    Parameters
    ----------
    items : tuple of str
        Names, unique.
    a, b : ndarray, shape (n_anchors,)
        Previous discrimination (a > 0) and difficulty, on the scale ``a (theta - b)``.
    c : ndarray, shape (n_anchors,)
        Previous lower asymptotes, for ``3pl``; empty without.
    thresholds : ndarray, shape (n_anchors, most)
        Previous thresholds, for ``graded``, in rising order with NaN beyond those of an item; empty
        without. ``b`` is then their mean.

    Raises
    ------
    DataError
        When a name occurs twice, a value is not finite, an ``a`` is not positive, a ``c`` is not
        from 0 to below 1, or thresholds do not rise.
    """

    items: tuple[str, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    thresholds: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        a, b = np.array(self.a, np.float64), np.array(self.b, np.float64)
        if not len(self.items) == len(a) == len(b):
            raise DataError("anchors whose columns differ in length", (len(self.items), len(a)))
        if len(set(self.items)) != len(self.items):
            repeated = next(name for name in self.items if self.items.count(name) > 1)
            raise DataError("anchor occurs twice", repeated, "every item must be named once")
        for name, values, valid in (("a", a, a > 0), ("b", b, np.isfinite(b))):
            invalid = np.flatnonzero(~(valid & np.isfinite(values)))
            if len(invalid):
                raise DataError(
                    f"anchor {self.items[invalid[0]]} with an unusable {name}",
                    float(values[invalid[0]]),
                    "a must be positive and both finite",
                )
        c, thresholds = np.array(self.c, np.float64), np.array(self.thresholds, np.float64)
        self._check_c_and_thresholds(c, thresholds)
        for name, values in (("a", a), ("b", b), ("c", c), ("thresholds", thresholds)):
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    def _check_c_and_thresholds(
        self, c: NDArray[np.float64], thresholds: NDArray[np.float64]
    ) -> None:
        if c.size and (invalid := np.flatnonzero(~((c >= 0) & (c < 1)))).size:
            raise DataError(
                f"anchor {self.items[invalid[0]]} with an unusable c", float(c[invalid[0]]),
                "c must be at least 0 and below 1",
            )  # fmt: skip
        if not thresholds.size:
            return
        known = np.isfinite(thresholds)
        with np.errstate(invalid="ignore"):
            falls = (np.diff(thresholds, axis=1) <= 0).any(axis=1)
        gaps = ~known[:, 0] | (np.diff(known.astype(int), axis=1) > 0).any(axis=1)
        if (invalid := np.flatnonzero(falls | gaps)).size:
            raise DataError(
                f"anchor {self.items[invalid[0]]} with unusable thresholds",
                ", ".join(f"{value:g}" for value in thresholds[invalid[0]]),
                "b_1, b_2, ... must rise, without a gap",
            )

    def chosen(self, rows: Sequence[int]) -> "Anchors":
        """Some of the anchors, by their places."""
        kept = list(rows)
        return Anchors(
            tuple(self.items[k] for k in kept),
            self.a[kept],
            self.b[kept],
            self.c[kept] if self.c.size else self.c,
            self.thresholds[kept] if self.thresholds.size else self.thresholds,
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over names and values, in whatever order they are given."""
        digest = hashlib.sha256(b"anchors-1")
        for k in sorted(range(len(self.items)), key=self.items.__getitem__):
            name = self.items[k].encode()
            digest.update(len(name).to_bytes(8, "little") + name)
            of_item = [self.a[k : k + 1], self.b[k : k + 1], self.c[k : k + 1]]
            for values in (*of_item, self.thresholds[k] if self.thresholds.size else self.c[:0]):
                digest.update(len(values).to_bytes(8, "little") + values.tobytes())
        return digest.hexdigest()

    @property
    def curves(self) -> Curves:
        """Their response curves, as they were."""
        b = self.thresholds if self.thresholds.size else self.b
        return curves_of(self.a, b, self.c if self.c.size else None)


def _sorted_names(
    kind: str, names: tuple[str, ...], index: NDArray[Any]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Check names and index; return the sorted names and the index into them."""
    if len(set(names)) != len(names):
        raise DataError(f"{kind} name occurs twice", len(names) - len(set(names)))
    if index.min() < 0 or index.max() >= len(names):
        raise DataError(f"{kind} index out of range", (int(index.min()), int(index.max())))
    used = np.zeros(len(names), bool)
    used[index] = True
    if not used.all():
        raise DataError(f"{kind} without a response", names[int(np.argmin(used))])
    order = sorted(range(len(names)), key=lambda k: names[k])
    rank = np.empty(len(names), np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return tuple(names[k] for k in order), rank[index]
