"""The report of a chamber as large as the House of Representatives in a long session."""

import pytest
from example_report import example_input

from tallgrass.rollcalls.report import build


@pytest.mark.slow
def test_the_report_of_435_members_and_1500_roll_calls_is_under_four_megabytes():
    run = example_input(n_legislators=435, n_rollcalls=1500, draws=25, chains=2)
    page = build(run)
    assert page.count("<article ") == 435
    assert len(page.encode()) < 4_000_000
