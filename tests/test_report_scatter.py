from itertools import pairwise

import pytest

from tallgrass.report.scatter import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, Point, Scatter


def scatter(*places, **more):
    points = tuple(Point(x, y, f"Name {i}", "", named=i < 3) for i, (x, y) in enumerate(places))
    return Scatter("s", "", "", "x", "y", points, **more)


def test_marks_lie_within_the_axes_and_grow_to_the_right_and_up():
    drawn = scatter((0, 0), (1, 2), (3, 5))
    across = [drawn.across(p.x) for p in drawn.points]
    up = [drawn.up(p.y) for p in drawn.points]
    assert LEFT < across[0] < across[1] < across[2] < WIDTH - RIGHT
    assert HEIGHT - BOTTOM > up[0] > up[1] > up[2] > TOP


@pytest.mark.parametrize("places", [((0, 0), (4, 1)), ((0, 0), (1, 4))])
def test_axes_of_one_unit_have_equal_steps_on_both_sides(places):
    drawn = scatter(*places, equal=True)
    assert drawn.across(1) - drawn.across(0) == pytest.approx(drawn.up(0) - drawn.up(1), abs=0.2)
    assert drawn.height <= HEIGHT


@pytest.mark.parametrize("line", [Line(1, 0), Line(-3, 2), Line(0, 1.5)])
def test_a_line_ends_where_it_leaves_the_axes(line):
    drawn = scatter((0, 0), (2, 3))
    ends = drawn.ends(line)
    assert all(LEFT <= x <= WIDTH - RIGHT + 0.1 for x in ends[::2])
    assert all(TOP - 0.1 <= y <= drawn.foot + 0.1 for y in ends[1::2])
    assert ends[0] < ends[2]


def test_a_line_that_does_not_cross_the_axes_has_no_length():
    assert scatter((0, 0), (2, 3)).ends(Line(0, 99)) == (0, 0, 0, 0)


def test_names_stand_within_the_axes_and_not_on_each_other():
    drawn = scatter((0, 0), (0.01, 0), (0, 0.01), (1, 1))
    assert [name.index for name in drawn.names] == [0, 1, 2]
    assert all(name.x >= LEFT and name.x + 5 * len(name.text) <= WIDTH for name in drawn.names)
    assert len({(name.x, name.y) for name in drawn.names}) == 3
    lines = sorted(name.y for name in drawn.names)
    same = [name for name in drawn.names if abs(name.y - lines[0]) < 8]
    places = sorted(name.x for name in same)
    assert all(b - a > 30 for a, b in pairwise(places))
