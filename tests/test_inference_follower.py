"""When nutpie's draws are looked at while it samples."""

import pytest

from tallgrass.inference.follower import pause

FREE_SECONDS, SHARE = 1.5, 0.025


def test_cheap_looks_come_within_two_seconds():
    assert pause(copied_s=0.01, passed_s=5.0) == 1.0


def test_looks_that_grow_with_the_draws_stay_within_their_share_of_the_time():
    passed_s = copied_s = 0.0
    while passed_s < 3600:
        rest = pause(copied_s, passed_s)
        passed_s += rest
        assert copied_s <= FREE_SECONDS + SHARE * passed_s + 1e-9
        look_s = 0.001 * passed_s
        copied_s, passed_s = copied_s + look_s, passed_s + look_s


@pytest.mark.parametrize(("look_s", "seconds"), [(0.15, 10), (0.3, 8), (0.05, 60), (0.1, 60)])
def test_looks_of_slow_machines_and_of_a_minute_come_as_often_as_they_may(look_s, seconds):
    """Sampling at the end of which copying all draws takes look_s."""
    passed_s = copied_s = longest = 0.0
    while passed_s < seconds:
        rest = pause(copied_s, passed_s)
        longest = max(longest, rest)
        passed_s += rest
        copied_s += look_s * min(passed_s, seconds) / seconds
    assert longest <= 1.05
