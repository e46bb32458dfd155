import pandas as pd

from tallgrass.rollcalls.run_tables import by_rank


def test_the_recorded_ideal_points_begin_with_who_and_where_farthest_right_first():
    people = {"slug": ["a", "b"], "name": ["A", "B"], "party": ["", ""], "rank": [2, 1]}
    table = by_rank(pd.DataFrame({**people, "mean": [-1.0, 1.0], "sd": [0.1, 0.1]}))
    assert list(table) == ["name", "party", "mean", "rank", "slug", "sd"]
    assert list(table["slug"]) == ["b", "a"]
    assert list(table.index) == [0, 1]  # another index would be stored as a column
