"""The figures of an attack count what its tests found, and name every file of them."""

from pathlib import Path

from attack_figures import FOUND, figures


def test_a_test_that_fails_counts_for_what_it_shows():
    passed = ["tests/test_faults.py::test_a[1]", "tests/test_cli.py::test_b"]
    failed = ["tests/test_faults_secrets.py::test_c", "tests/test_faults_secrets.py::test_d"]
    line = figures(passed, failed)
    assert line.startswith("attacks 3: runs closed wrongly 0, draws lost 0, tracebacks 0,")
    assert line.endswith("secrets found 2")


def test_without_attacks_there_is_no_line():
    assert figures(["tests/test_cli.py::test_b"], []) == ""


def test_every_file_of_faults_has_its_figure():
    here = Path(__file__).parent
    files = {path.stem for path in here.glob("test_*.py") if path.stem.startswith("test_faults")}
    assert files <= set(FOUND)
    assert all((here / f"{name}.py").is_file() for name in FOUND)
