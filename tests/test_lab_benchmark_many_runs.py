"""Many runs in one process, by the benchmark itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "many_runs.py"
MOST_MIB = 0.3  # a run; what each leaves behind without being given back is over 1


@pytest.mark.slow
def test_memory_and_open_files_stay_as_they_are_over_many_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--runs", "30"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"([+-][\d.]+) MiB a run, ([+-]\d+) files", done.stdout)
    assert found is not None, done.stdout
    assert float(found[1]) < MOST_MIB
    assert int(found[2]) <= 0
