"""The figures of an attack: of the tests of faults that ran, how many found what must never be."""

from collections.abc import Iterable
from pathlib import PurePath

# What a test that fails has shown, by its file.
FOUND = {
    "test_faults_ownership": "runs closed wrongly",
    "test_experiment_attempts": "runs closed wrongly",
    "test_faults": "draws lost",
    "test_faults_recovery": "draws lost",
    "test_faults_server": "draws lost",
    "test_faults_uploads": "draws lost",
    "test_faults_stores": "tracebacks",
    "test_faults_inputs": "tracebacks",
    "test_faults_folders": "tracebacks",
    "test_faults_publishing": "half published",
    "test_faults_publishing_items": "half published",
    "test_items_publication_killed": "half published",
    "test_faults_rerun": "draws lost",
    "test_experiment_nanny": "draws lost",
    "test_faults_disk": "draws lost",
    "test_faults_growth": "files left behind",
    "test_faults_secrets": "secrets found",
}


def figures(passed: Iterable[str], failed: Iterable[str]) -> str:
    """One line of figures.

    Parameters
    ----------
    passed, failed : iterable of str
        Ids of tests (``tests/test_faults.py::test_name[case]``); others than attacks are left out.

    Returns
    -------
    str
        Empty where no attack was made.
    """
    counts, attacks = dict.fromkeys(FOUND.values(), 0), 0
    for tests, found in ((passed, 0), (failed, 1)):
        for test in tests:
            what = FOUND.get(PurePath(test.partition("::")[0]).stem)
            if what is not None:
                attacks += 1
                counts[what] += found
    listed = ", ".join(f"{what} {count}" for what, count in counts.items())
    return f"attacks {attacks}: {listed}" if attacks else ""
