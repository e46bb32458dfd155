import pandas as pd

from tallgrass.cli.calibrate import _print_hardest


def test_a_calibration_ends_with_its_hardest_items_first_and_twenty_at_most(capsys):
    n = 25
    estimates = {"a": 1.0, "b": range(n), "b_low": -1.0, "b_high": 1.0}
    items = pd.DataFrame(
        {"item": [f"q{i}" for i in range(n)], **estimates, "n": 1234, "share_correct": 0.5}
    )
    _print_hardest(items)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("q")]
    assert len(lines) == 20
    assert lines[0].split() == ["q24", "24.00", "-1.00", "to", "1.00", "1.00", "1,234", "0.50"]
    assert lines[-1].startswith("q5 ")
