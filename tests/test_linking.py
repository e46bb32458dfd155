"""Linking: exact on noise-free items, with the right algebra of the intercepts."""

import numpy as np
import pytest

from tallgrass.errors import DataError
from tallgrass.linking import METHODS, Items, influence, link, link_draws, transformed

A, B = 1.7, -0.4


def items(n=30, seed=1, negative=True):
    generator = np.random.default_rng(seed)
    beta = generator.lognormal(0.2, 0.5, n)
    if negative:
        beta *= np.where(generator.random(n) < 0.4, -1, 1)
    return Items(generator.normal(size=n), beta)


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_noise_free_items_give_back_a_and_b(method, negative):
    target = items(negative=negative)
    assert link(transformed(target, A, B), target, method) == pytest.approx((A, B), abs=1e-6)


def test_linked_items_give_the_same_probabilities():
    target = items()
    linked, xi = transformed(target, A, B), np.linspace(-3, 3, 7)
    logit = np.outer(xi, target.beta) - target.alpha
    assert np.outer(A * xi + B, linked.beta) - linked.alpha == pytest.approx(logit, abs=1e-12)


def test_applying_the_link_to_the_intercept_itself_would_be_wrong():
    target = items(negative=False)
    wrong = Items(A * target.alpha + B, target.beta / A)
    assert abs(link(wrong, target, "haebara")[1] - B) > 0.1


@pytest.mark.parametrize("method", METHODS)
def test_items_of_opposite_sign_do_not_count(method):
    target = items()
    reference = transformed(target, A, B)
    beta = reference.beta.copy()
    beta[:5] *= -1
    assert link(Items(reference.alpha, beta), target, method) == pytest.approx((A, B), abs=1e-6)


def test_items_that_are_all_of_opposite_sign_are_refused():
    target = items()
    with pytest.raises(DataError, match="0 of 30"):
        link(Items(target.alpha, -target.beta), target, "mean-mean")


def test_an_unknown_method_is_refused():
    with pytest.raises(DataError, match="unknown linking method"):
        link(items(), items(), "equipercentile")


def test_draws_are_linked_one_by_one():
    generator, target = np.random.default_rng(3), items()
    tgt = tuple(
        x[:, None] + 0.02 * generator.normal(size=(30, 5)) for x in (target.alpha, target.beta)
    )
    linked = [transformed(Items(tgt[0][:, i], tgt[1][:, i]), A + i / 10, B) for i in range(5)]
    ref = np.stack([x.alpha for x in linked], 1), np.stack([x.beta for x in linked], 1)
    table = link_draws(ref, tgt, generator.normal(size=(20, 5)))
    for _, rows in table.groupby("method"):
        assert rows["A"].to_numpy() == pytest.approx(A + np.arange(5) / 10, abs=1e-6)


def test_the_bill_that_deviates_has_the_most_influence():
    target = items()
    reference = transformed(target, A, B)
    alpha = reference.alpha.copy()
    alpha[7] += 3
    table = influence(Items(alpha, reference.beta), target)
    assert table["change_B"].abs().argmax() == 7
