"""Linking: exact on noise-free items, with the right algebra of the intercepts."""

from dataclasses import replace

import numpy as np
import pytest

from tallgrass.errors import DataError
from tallgrass.rollcalls.linking import (
    METHODS,
    Items,
    LinkOptions,
    Scale,
    influence,
    link,
    link_scales,
    transformed,
)
from tallgrass.rollcalls.votes import RollCall

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


def test_the_bill_that_deviates_has_the_most_influence():
    target = items()
    reference = transformed(target, A, B)
    alpha = reference.alpha.copy()
    alpha[7] += 3
    table = influence(Items(alpha, reference.beta), target)
    assert table["change_B"].abs().argmax() == 7


def test_an_item_of_weight_zero_does_not_count():
    target = items()
    reference = transformed(target, A, B)
    wrong = Items(reference.alpha + 5 * (np.arange(30) == 4), reference.beta)
    weights = (np.arange(30) != 4).astype(float)
    for method in METHODS:
        found = link(wrong, target, method, weights=weights)
        assert found == pytest.approx((A, B), abs=1e-6)


# Whole posteriors: one chamber's scale on another's.


def scale(chamber, alpha, beta, xi, noise=0.0, seed=0):
    """A posterior of 60 draws about true values; bills are numbered, members alternate parties."""
    generator, n = np.random.default_rng(seed), 60

    def draws(x):
        return x[:, None] + noise * generator.normal(size=(len(x), n))

    rollcalls = tuple(RollCall(f"{chamber}{j:03d}", f"HB {j}") for j in range(len(alpha)))
    slugs = tuple(f"{chamber}_{i}" for i in range(len(xi)))
    parties = tuple(("Democrat", "Republican")[i % 2] for i in range(len(xi)))
    return Scale(
        *("run", "88th", chamber, rollcalls, slugs, slugs, parties),
        *(draws(alpha), draws(beta), draws(xi)),
    )


def two_chambers(noise=0.0, seed=0, wrong=()):
    """House and Senate with the same bills; the Senate's scale is (xi - B) / A."""
    generator, target = np.random.default_rng(9), items()
    reference = transformed(target, A, B)
    alpha = reference.alpha.copy()
    alpha[list(wrong)] += 6
    left_right = np.tile([-1.0, 1.0], 15)
    house = left_right + 0.3 * generator.normal(size=30)
    senate = left_right[:20] + 0.3 * generator.normal(size=20)
    return (
        scale("house", alpha, reference.beta, house, noise, seed=seed),
        scale("senate", target.alpha, target.beta, (senate - B) / A, noise, seed=seed + 1),
    )


def coefficient(linking, method, name, treatment="none"):
    table = linking.coefficients.set_index(["treatment", "method"])
    return table.loc[(treatment, method), name]


def test_every_method_links_posteriors_without_noise_exactly():
    linking = link_scales(*two_chambers(), LinkOptions())
    for method in METHODS:
        assert coefficient(linking, method, "A") == pytest.approx(A, abs=1e-6)
        assert coefficient(linking, method, "B") == pytest.approx(B, abs=1e-6)
    assert linking.metrics["link/cv"] < 1e-6
    assert linking.warnings == ()


@pytest.mark.parametrize("draws", [20, 30])
def test_linking_tells_how_far_it_is_and_takes_as_many_steps_as_it_has_draws(draws):
    told = []
    link_scales(
        *two_chambers(noise=0.05),
        LinkOptions(draws=draws),
        lambda done, total: told.append((done, total)),
    )
    assert told == [(done, 3 * draws) for done in range(3 * draws)]  # three treatments


def test_linked_positions_are_on_the_reference_scale():
    reference, target = two_chambers()
    found = link_scales(reference, target, LinkOptions()).positions.set_index("slug")["mean"]
    expected = A * target.xi[:, 0] + B
    assert found[list(target.slugs)].to_numpy() == pytest.approx(expected, abs=1e-5)


def test_the_interval_of_a_covers_the_truth_of_noisy_chambers(monkeypatch):
    monkeypatch.setattr("tallgrass.rollcalls.linking.scales.ROBUST", ("none",))  # the others wait
    covered = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        noisy = []
        for one in two_chambers():
            # The posterior's centre is off the truth by as much as the posterior is wide.
            moved = {
                name: values
                + 0.1 * generator.normal(size=(len(values), 1))
                + 0.1 * generator.normal(size=values.shape)
                for name, values in (("alpha", one.alpha), ("beta", one.beta))
            }
            noisy.append(replace(one, **moved))
        linking = link_scales(*noisy, LinkOptions(draws=30))
        for method in ("haebara", "stocking-lord"):
            low, high = (coefficient(linking, method, f"A_{side}") for side in ("low", "high"))
            covered.append(low <= A <= high)
    assert np.mean(covered) >= 0.75  # of 0.95, less four Monte Carlo errors of 20 simulations


def test_deviating_bills_bend_the_link_less_when_they_are_dropped_or_weighted_down():
    linking = link_scales(*two_chambers(noise=0.05, wrong=(1, 6, 11)), LinkOptions(robust="drop"))
    off = {
        how: abs(coefficient(linking, "stocking-lord", "B", how) - B)
        for how in ("none", "drop", "weight")
    }
    assert off["drop"] < 0.1 < off["none"]
    assert off["weight"] < off["none"]
    dropped = linking.items.loc[linking.items["weight"] == 0, "name"]
    assert set(dropped) == {"HB 1", "HB 6", "HB 11"}


def test_common_members_link_two_sessions():
    reference, _ = two_chambers()
    earlier = replace(
        reference,
        session="87th",
        run_id="other",
        rollcalls=tuple(replace(r, vote_id="x" + r.vote_id) for r in reference.rollcalls),
        xi=(reference.xi - B) / A,
    )
    linking = link_scales(reference, earlier, LinkOptions())
    assert linking.common.over == "members"
    assert coefficient(linking, "mean-sigma", "A") == pytest.approx(A, abs=1e-9)
    assert coefficient(linking, "median-mad", "B") == pytest.approx(B, abs=1e-9)


def test_bills_of_equal_number_in_other_sessions_are_other_bills():
    reference, target = two_chambers()
    with pytest.raises(DataError, match="0 bills and 0 members"):
        link_scales(reference, replace(target, session="91st"), LinkOptions())


def test_anchors_choose_the_bills_and_must_be_common():
    chosen = ("HB 1", "HB 2", "HB 3", "HB 4")
    linking = link_scales(*two_chambers(), LinkOptions(anchors=chosen))
    assert linking.common.names == chosen
    with pytest.raises(DataError, match="SB 7"):
        link_scales(*two_chambers(), LinkOptions(anchors=("SB 7",)))


def test_bills_that_all_divide_the_chambers_in_opposite_directions_are_refused():
    reference, target = two_chambers()
    mirrored = replace(target, beta=-target.beta)
    with pytest.raises(DataError, match="0 of 30"):
        link_scales(reference, mirrored, LinkOptions())
