import pytest

from tallgrass.report.scale import Scale


def test_ticks_are_round_and_within_the_range():
    ticks = Scale(-12.3, 10.4).ticks()
    assert [text for _, text in ticks] == ["\N{MINUS SIGN}10", "\N{MINUS SIGN}5", "0", "5", "10"]


def test_a_place_is_a_share_of_the_range():
    scale = Scale(-1, 3)
    assert scale.share(1) == pytest.approx(0.5)
    assert scale.percent(0) == "25.00%"


@pytest.mark.parametrize("values", [[], [2.0], [1.0, 1.0]])
def test_one_value_or_none_still_gives_a_range(values):
    scale = Scale.over(values)
    assert scale.low < scale.high
