"""When nutpie's draws are looked at while it samples."""

import pytest

from tallgrass.inference.follower import pause

SHARE = 0.025


def test_cheap_looks_come_within_two_seconds():
    assert pause(copied_s=0.01, passed_s=5.0) == 1.5


def test_looks_that_grow_with_the_draws_stay_within_their_share_of_the_time():
    passed_s = copied_s = 0.0
    while passed_s < 3600:
        rest = pause(copied_s, passed_s)
        passed_s += rest
        assert copied_s <= SHARE * passed_s + 1e-9
        look_s = 0.001 * passed_s
        copied_s, passed_s = copied_s + look_s, passed_s + look_s


@pytest.mark.parametrize("look_s", [0.05, 0.075])
def test_what_early_looks_leave_lets_the_last_ones_come_within_two_seconds(look_s):
    """A minute of sampling, at the end of which copying all draws takes look_s."""
    passed_s = copied_s = longest = 0.0
    while passed_s < 60:
        rest = pause(copied_s, passed_s)
        longest = max(longest, rest)
        passed_s += rest
        copied_s += look_s * min(passed_s, 60) / 60
    assert longest <= 1.75
