from dataclasses import replace

import numpy as np
import pytest

from tallgrass.errors import DataError
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.group_checks import check_parties
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.sources import SimulationDesign, load_votes, simulate

LARGE = SimulationDesign(house_members=400, senate_members=300, house_rollcalls=900)


def expected_share(chamber):
    return 1 / (1 + np.exp(chamber.alpha - np.outer(chamber.xi, chamber.beta)))


def test_the_session_is_two_chambers_of_the_default_design():
    legislature = simulate()
    for name, shape in (("house", (80, 160)), ("senate", (40, 130))):
        votes = load_votes("simulated", name)
        assert votes.cells.shape == shape
        assert (votes.session, votes.chamber) == ("simulated", name)
        assert votes.fingerprint == legislature.chamber(name).votes.fingerprint
        check_parties(filter_votes(votes, 0.025, 20, parties_only=True)[0])


def test_equal_seeds_give_equal_legislatures_and_others_do_not():
    first, again, other = simulate(3), simulate(3), simulate(4)
    for name in ("house", "senate"):
        one, two = first.chamber(name), again.chamber(name)
        assert one.votes.fingerprint == two.votes.fingerprint
        assert np.array_equal(one.xi, two.xi)
        assert one.votes.fingerprint != other.chamber(name).votes.fingerprint


@pytest.mark.parametrize("name", ["house", "senate"])
def test_votes_follow_the_stated_truth(name):
    chamber = simulate(1, LARGE).chamber(name)
    there = chamber.votes.cells != 0
    share = expected_share(chamber)
    residual = np.where(there, (chamber.votes.cells == 1) - share, 0)
    variance = np.where(there, share * (1 - share), 0)
    # standardised sums over rows, columns and positions are N(0, 1) if, and only if, the rows,
    # the columns and their numbers stand beside the right cells
    by_row = residual.sum(axis=1) / np.sqrt(variance.sum(axis=1))
    by_column = residual.sum(axis=0) / np.sqrt(variance.sum(axis=0))
    by_product = (chamber.xi @ residual) / np.sqrt(chamber.xi**2 @ variance)
    for z in (by_row, by_column, by_product):
        assert abs(z.mean()) < 5 / np.sqrt(len(z))
        assert z.std() == pytest.approx(1, abs=5 / np.sqrt(2 * len(z)))


def test_parties_stand_where_the_design_puts_them():
    legislature = simulate(2, replace(LARGE, delta=0.5, k=1.5))
    for name, means in (("house", (-1, 1)), ("senate", (-1, 2))):
        chamber = legislature.chamber(name)
        for g, party in enumerate(PARTIES):
            xi = chamber.xi[chamber.votes.party_index == g]
            sd = legislature.design.sigma_within[g]
            assert xi.mean() == pytest.approx(means[g], abs=5 * sd / np.sqrt(len(xi))), party


def test_matched_bills_have_one_alpha_and_one_beta():
    legislature = simulate(5)
    house, senate = legislature.house, legislature.senate
    assert len(legislature.matched) == 60
    for house_id, senate_id in legislature.matched:
        i, j = house.votes.vote_ids.index(house_id), senate.votes.vote_ids.index(senate_id)
        assert house.votes.rollcalls[i].bill == senate.votes.rollcalls[j].bill
        assert (house.alpha[i], house.beta[i]) == (senate.alpha[j], senate.beta[j])
    bills = [{r.bill for r in chamber.votes.rollcalls} for chamber in (house, senate)]
    assert len(bills[0] & bills[1]) == 60


def test_deviations_are_of_the_stated_size_at_the_senate_party_means():
    design = replace(LARGE, matched=130, sigma_dif=2.0)
    legislature = simulate(6, design)
    house, senate = legislature.house, legislature.senate
    for centre in (design.delta - design.k, design.delta + design.k):
        shift = (senate.beta * centre - senate.alpha) - (
            house.beta[:130] * centre - house.alpha[:130]
        )
        assert shift.std() == pytest.approx(2, abs=5 * 2 / np.sqrt(2 * 130))


def test_absences_have_the_stated_mean_and_can_be_none():
    cells = simulate(7, replace(LARGE, absence=0.2)).house.votes.cells
    assert (cells == 0).mean() == pytest.approx(0.2, abs=0.05)
    assert (simulate(7, replace(LARGE, absence=0.0)).house.votes.cells != 0).all()


def test_independents_are_as_many_as_asked_for():
    legislature = simulate(8, SimulationDesign(independents=3))
    for name in ("house", "senate"):
        parties = [m.party for m in legislature.chamber(name).votes.legislators]
        assert parties.count("Independent") == 3
    none = simulate(8, SimulationDesign(independents=0)).senate.votes
    assert set(none.party_index) == {0, 1}


def test_blocks_of_rows_leave_no_gap():
    # more cells than one block holds
    design = SimulationDesign(house_members=300, house_rollcalls=20_000, absence=0.0)
    cells = simulate(9, design).house.votes.cells
    assert cells.shape == (300, 20_000)
    assert (cells != 0).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"house_members": 2},
        {"senate_rollcalls": 10},
        {"matched": -1},
        {"matched": 0, "house_rollcalls": 0},
        {"independents": -1},
        {"republicans": 1.0},
        {"absence": 1.0},
        {"k": 0.0},
        {"sigma_within": (0.3, -1.0)},
        {"sigma_dif": -0.1},
    ],
)
def test_an_impossible_design_is_an_error(bad):
    with pytest.raises(DataError, match="simulation with"):
        SimulationDesign(**bad)
