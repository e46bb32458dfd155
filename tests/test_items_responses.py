import numpy as np
import pytest

from tallgrass.errors import DataError
from tallgrass.items.responses import Anchors, Responses


def responses(**changes):
    given = {
        "users": ("u2", "u1"),
        "items": ("i2", "i1"),
        "user": np.array([0, 1, 1]),
        "item": np.array([0, 0, 1]),
        "correct": np.array([1, 0, 1]),
    }
    return Responses(**given | changes)


def test_responses_are_sorted_by_item_then_user():
    found = responses()
    assert found.users == ("u1", "u2")
    assert found.items == ("i1", "i2")
    assert found.item.tolist() == [0, 1, 1]
    assert found.user.tolist() == [0, 0, 1]
    assert found.correct.tolist() == [1, 0, 1]


def test_the_fingerprint_does_not_depend_on_the_order_of_the_input():
    shuffled = Responses(
        ("u1", "u2"), ("i1", "i2"), np.array([0, 1, 0]), np.array([0, 1, 1]), np.array([1, 1, 0])
    )
    assert responses().fingerprint == shuffled.fingerprint


def test_the_fingerprint_changes_with_one_answer():
    assert responses().fingerprint != responses(correct=np.array([1, 1, 1])).fingerprint


def test_other_answers_to_the_same_questions_are_responses_of_their_own():
    before = responses()
    digest = before.fingerprint
    other = before.answered(np.array([0, 0, 1]))
    checked = Responses(before.users, before.items, before.user, before.item, other.correct)
    assert other.fingerprint == checked.fingerprint != digest
    assert before.fingerprint == digest
    with pytest.raises(ValueError, match="read-only"):
        other.correct[0] = 1


def test_the_arrays_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        responses().correct[0] = 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correct": np.array([1, 0, 2])}, "other than 0 and 1: received 2"),
        ({"correct": np.array([1, 0])}, "differ in length"),
        ({"users": ("u1", "u1")}, "user name occurs twice"),
        ({"users": ("u1", "u2", "u3")}, "user without a response: received 'u3'"),
        ({"item": np.array([0, 0, 2])}, "item index out of range"),
    ],
)
def test_unusable_responses_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        responses(**changes)


def test_no_responses_are_refused():
    none = np.array([], np.int32)
    with pytest.raises(DataError, match="no responses"):
        Responses((), (), none, none, none)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 0.0], [0, 0], "anchor y with an unusable a: received 0.0"),
        ([1.0, np.nan], [0, 0], "anchor y with an unusable a: received nan"),
        ([1.0, 1.0], [np.inf, 0], "anchor x with an unusable b: received inf"),
    ],
)
def test_unusable_anchors_are_refused(a, b, message):
    with pytest.raises(DataError, match=message):
        Anchors(("x", "y"), a, b)


def test_an_anchor_named_twice_is_refused():
    with pytest.raises(DataError, match="anchor occurs twice: received 'x'"):
        Anchors(("x", "x"), [1, 1], [0, 0])


def test_a_user_who_answers_an_item_twice_is_refused():
    with pytest.raises(DataError, match=r"one user, one item: received .u1, i1"):
        responses(
            user=np.array([0, 1, 1, 1]), item=np.array([0, 0, 1, 1]), correct=np.array([1, 0, 1, 0])
        )


def test_anchors_are_known_by_their_names_and_values_in_any_order():
    first = Anchors(("x", "y"), [1.0, 2.0], [0.1, 0.2])
    assert Anchors(("y", "x"), [2.0, 1.0], [0.2, 0.1]).fingerprint == first.fingerprint
    others = [
        Anchors(("x", "z"), [1.0, 2.0], [0.1, 0.2]),
        Anchors(("x", "y"), [1.0, 2.0], [0.1, 0.3]),
        Anchors(("x", "y"), [1.0, 2.0], [0.1, 0.2], [0.2, 0.0]),
        Anchors(("x", "y"), [1.0, 2.0], [0.1, 0.2], thresholds=[[0.1], [0.2]]),
    ]
    assert len({anchors.fingerprint for anchors in (first, *others)}) == 5
