"""Groups of a run: from the parties, a column of the legislators, or a file."""

from dataclasses import replace

import numpy as np
import pytest
from toy import toy_votes, usual_votes
from toy_groups import NEBRASKA, THREE, chamber

from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls.group_checks import require_groups
from tallgrass.rollcalls.grouping import grouped, require_large_groups, with_members
from tallgrass.rollcalls.groups import NO_GROUP, PARTIES, groups_of
from tallgrass.rollcalls.memory import from_text, to_text
from tallgrass.rollcalls.spec import RunSpec


@pytest.fixture(scope="module")
def three():
    return chamber(THREE, 20)[0]


def test_democrats_and_republicans_are_the_pair_where_there_are_both():
    assert groups_of(["Green"] * 9 + ["Republican", "Democrat"]) == PARTIES


def test_elsewhere_the_two_largest_parties_are_the_pair_in_the_order_of_the_alphabet(three):
    assert three.groups == ("Conservative", "Labour", "Liberal")


def test_a_party_of_two_members_and_independents_are_no_groups():
    parties = ["CDU"] * 4 + ["SPD"] * 5 + ["SSW"] * 2 + ["Independent"] * 8
    assert groups_of(parties) == ("CDU", "SPD")


def test_a_nonpartisan_chamber_has_no_groups():
    votes, _ = chamber(NEBRASKA, 10)
    assert votes.groups == ()
    assert (votes.party_index == -1).all()


def test_the_party_index_is_that_of_the_groups(three):
    assert [three.groups[g] for g in three.party_index] == [m.party for m in three.legislators]


@pytest.mark.parametrize("groups", ["", "party"])
def test_without_groups_the_votes_stay_as_they_are(groups):
    votes = usual_votes()
    assert grouped(votes, RunSpec(groups=groups).groups) is votes


def test_a_column_of_the_legislators_gives_the_groups(three):
    votes = grouped(three, "Side")
    assert votes.groups == ("N", "S")
    assert [m.party for m in votes.legislators] == [
        dict(m.columns)["side"] for m in three.legislators
    ]


def test_an_unknown_column_is_refused_with_those_that_there_are(three):
    with pytest.raises(
        DataError, match=r"no such column .*'caucus'. columns: party, district, side"
    ):
        grouped(three, "caucus")


@pytest.mark.parametrize("key", ["slug", "name"])
def test_a_file_gives_the_groups(three, tmp_path, key):
    file = tmp_path / "factions.csv"
    rows = [
        f"{getattr(m, key)},{'left' if i % 3 else 'right'}" for i, m in enumerate(three.legislators)
    ]
    file.write_text("\n".join([f"{key},group", *rows[:-1]]))
    votes = grouped(three, str(file), "right,left")
    assert votes.groups == ("right", "left")
    assert votes.legislators[0].party == "right"
    assert votes.legislators[-1].party == NO_GROUP


def test_members_without_a_group_are_named_in_a_warning(three, tmp_path, caplog):
    file = tmp_path / "some.csv"
    rows = [f"{slug},{'ab'[i % 2]}" for i, slug in enumerate(three.slugs[:-1])]
    file.write_text("\n".join(["slug,group", *rows]))
    grouped(three, str(file))
    assert (
        f"1 of 62 members of the senate have no group: {three.legislators[-1].name}" in caplog.text
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slug,side\nm000,a\n", "lacks the column group"),
        ("member,group\nm000,a\n", "says nobody's group"),
        ("slug,group\nm000,a\nM000,b\n", "two rows of one member"),
        ("slug,group\nx,a\ny,b\n", "none of the members"),
    ],
)
def test_a_file_that_says_no_groups_is_refused(three, tmp_path, text, message):
    file = tmp_path / "groups.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        grouped(three, str(file))


def test_a_file_that_is_not_there_is_refused(three, tmp_path):
    with pytest.raises(DataError, match="no such file of groups"):
        grouped(three, str(tmp_path / "none.csv"))


def test_the_order_chooses_the_pair_and_its_direction(three):
    assert grouped(three, "", "liberal,Conservative").groups == (
        "Liberal",
        "Conservative",
        "Labour",
    )


def test_an_unknown_group_of_the_order_is_refused(three):
    with pytest.raises(DataError, match=r"no such group .*'Tory'"):
        grouped(three, "", "Labour,Tory")


@pytest.mark.parametrize("order", ["Labour", "Labour,labour", "a,b,c", ","])
def test_an_order_that_does_not_name_two_groups_is_refused(order):
    with pytest.raises(SpecError, match="two different groups"):
        RunSpec(groups_order=order)


@pytest.mark.parametrize("model", [{"model": "joint", "chamber": "both"}, {"model": "dynamic"}])
def test_groups_of_two_chambers_or_times_are_refused(model):
    with pytest.raises(SpecError, match="one chamber at one time"):
        RunSpec(groups="side", **model)


def test_a_chamber_without_groups_is_told_what_the_hierarchical_model_needs():
    votes, _ = chamber(NEBRASKA, 10)
    with pytest.raises(
        DataError, match=r"fewer than two groups .*parties: Nonpartisan.*model=flat"
    ):
        require_groups(votes)


def test_a_group_of_two_members_is_refused(three, tmp_path):
    file = tmp_path / "groups.csv"
    rows = [f"{slug},{'ab'[i < 2]}" for i, slug in enumerate(three.slugs)]
    file.write_text("\n".join(["slug,group", *rows]))
    with pytest.raises(DataError, match=r"fewer than 3 members .*'b: 2'"):
        require_large_groups(grouped(three, str(file)))


def test_a_further_group_that_a_filter_emptied_is_gone(three):
    rows = np.array([m.party != "Liberal" for m in three.legislators])
    kept = three.select(rows, np.ones(20, bool))
    assert with_members(kept).groups == ("Conservative", "Labour")


def test_groups_are_in_the_fingerprint(three):
    assert grouped(three, "side").fingerprint != three.fingerprint
    assert grouped(three, "", "Labour,Conservative").fingerprint != three.fingerprint


def test_groups_that_follow_from_the_parties_do_not_change_the_fingerprint(three):
    assert grouped(three, "", "Conservative,Labour").fingerprint == three.fingerprint
    votes = toy_votes(3, 3, 5)
    assert replace(votes, groups=PARTIES).fingerprint == votes.fingerprint


def test_further_columns_are_kept_with_votes_in_memory(three):
    assert from_text(to_text({"senate": three}))["senate"].legislators == three.legislators
