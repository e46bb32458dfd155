"""Two chambers are one checked value, and what the joint model cannot use is refused."""

from dataclasses import replace

import numpy as np
import pytest
from toy import toy_votes
from toy_chambers import toy_chambers

from tallgrass.errors import DataError
from tallgrass.rollcalls.chambers import join_chambers
from tallgrass.rollcalls.identity import identity


def test_both_chambers_votes_stand_in_one_matrix_without_votes_across():
    joint = toy_chambers()
    cells = joint.combined.cells
    for chamber, other in (("house", "senate"), ("senate", "house")):
        own = cells[np.ix_(joint.rows[chamber], joint.columns[chamber])]
        assert np.array_equal(own, getattr(joint, chamber).cells)
        assert not cells[np.ix_(joint.rows[chamber], joint.columns[other])].any()


def test_a_member_of_both_chambers_is_told_apart_by_the_chamber():
    house = toy_votes(3, 4, 5, seed=1)
    senate = replace(toy_votes(3, 3, 5, seed=2), chamber="senate")
    joint = join_chambers(house, senate)
    assert "house:m000" in joint.combined.slugs
    assert "senate:m000" in joint.combined.slugs
    assert len(joint.matched[0]) == 5


def test_chambers_without_a_matched_bill_are_refused_and_linking_is_suggested():
    with pytest.raises(DataError, match="tallgrass link"):
        toy_chambers(matched=0)


@pytest.mark.parametrize(("same", "refused"), [(0, True), (1, False)])
def test_matched_bills_that_are_all_of_opposite_directions_are_refused(same, refused):
    joint = toy_chambers(rollcalls=(6, 6), matched=4)
    sides = {c: np.where(getattr(joint, c).party_index == 1, 1, -1) for c in ("house", "senate")}
    chambers = []
    for chamber, direction in (("house", 1), ("senate", -1)):
        cells = getattr(joint, chamber).cells.copy()
        cells[:, :4] = direction * sides[chamber][:, None]
        cells[:, :same] = sides[chamber][:, None]
        chambers.append(replace(getattr(joint, chamber), cells=cells))
    if not refused:
        assert len(join_chambers(*chambers).matched[0]) == 4
        return
    with pytest.raises(DataError, match=r"all 4 matched bills .* opposite directions"):
        join_chambers(*chambers)


def test_a_chamber_with_one_party_is_refused():
    with pytest.raises(DataError, match="no Democrat in the senate"):
        toy_chambers(senate=(0, 5))


def test_the_fingerprint_changes_with_the_matching_alone():
    joint = toy_chambers()
    other = [r if r.bill != "HB 1" else replace(r, bill="HB 99") for r in joint.senate.rollcalls]
    changed = join_chambers(joint.house, replace(joint.senate, rollcalls=tuple(other)))
    assert changed.combined.fingerprint == joint.combined.fingerprint
    assert identity(changed).fingerprint != identity(joint).fingerprint


def test_a_slug_that_both_chambers_share_does_not_change_a_chambers_own_fingerprint():
    house = toy_votes(3, 4, 5, seed=1)
    senate = replace(toy_votes(3, 3, 5, seed=2), chamber="senate")
    joint = join_chambers(house, senate)
    assert joint.house.fingerprint != house.fingerprint  # its members are renamed
    assert joint.as_read("house").fingerprint == house.fingerprint
    assert joint.as_read("senate").fingerprint == senate.fingerprint


def test_a_corrected_party_changes_the_fingerprint_of_both_chambers_together():
    joint = toy_chambers()
    people = list(joint.house.legislators)
    other = {"Republican": "Democrat", "Democrat": "Republican"}[people[0].party]
    people[0] = replace(people[0], party=other)
    changed = join_chambers(replace(joint.house, legislators=tuple(people)), joint.senate)
    assert identity(changed).fingerprint != identity(joint).fingerprint
