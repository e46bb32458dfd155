import pytest

from tallgrass.report.words import moment
from tallgrass.rollcalls.report.place import body_words


@pytest.mark.parametrize(
    ("chamber", "session", "location", "words"),
    [
        ("house", "91st_2025-2026", "/d/kansas/91st_2025-2026", "Kansas House, 91st (2025-2026)"),
        ("senate", "S1", "data/new-york/S1", "New York Senate, S1"),
        ("both", "sample", "sample", "US House and Senate, 109th Congress (2005-2006)"),
        (
            "house",
            "KS_2025-2026_Regular_Session",
            "x.zip",
            "Kansas House, 2025-2026 Regular Session",
        ),
        ("senate", "XX_2025-2026_A", "", "Senate, XX_2025-2026_A"),
        ("house", "example", "/data/mine", "House, example"),
    ],
)
def test_a_title_has_place_chamber_and_session_as_far_as_they_are_known(
    chamber, session, location, words
):
    assert body_words(chamber, session, location) == words


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("2026-11-30T08:55:07+00:00", "2026-11-30 08:55 UTC"),
        ("2026-11-30T08:55:07-06:00", "2026-11-30 08:55 UTC-0600"),
        ("2026-11-30T08:55:07", "2026-11-30 08:55 UTC"),
        ("long ago", "long ago"),
    ],
)
def test_a_moment_has_its_time_zone(stored, words):
    assert moment(stored) == words
