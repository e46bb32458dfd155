import pickle

import pytest

from tallgrass.errors import (
    DataError,
    SamplingError,
    SpecError,
    TallgrassError,
    TrackingError,
    nearest,
    shown,
)


def test_an_error_says_what_it_received_and_how_to_mend_it():
    error = DataError("unknown chamber", "sennate", "use senate or house")
    assert str(error) == "unknown chamber: received 'sennate'. use senate or house"


def test_what_is_not_given_is_left_out():
    assert str(DataError("nothing left")) == "nothing left"
    assert str(DataError("nothing left", mend="lower it")) == "nothing left. lower it"
    assert str(DataError("bad count", 0)) == "bad count: received 0"


@pytest.mark.parametrize("kind", [DataError, SamplingError, SpecError, TrackingError])
def test_every_error_is_one_a_user_can_mend(kind):
    error = pickle.loads(pickle.dumps(kind("what", 1, "mend")))
    assert isinstance(error, TallgrassError)
    assert (error.what, error.received, error.mend) == ("what", 1, "mend")


def test_terminal_escapes_and_line_ends_are_shown_not_sent():
    text = str(DataError("bad name", "\x1b[31mred\nnew line"))
    assert text == r"bad name: received '\x1b[31mred\nnew line'"


def test_long_values_are_cut():
    assert len(shown("x" * 1000)) == 200
    assert shown("x" * 1000).endswith("...")
    assert shown("é") == "'é'"


def test_near_names_come_first():
    assert nearest("sennate", ["house", "senate"]) == "did you mean senate?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", []) == "none are known"
