"""A user without a home, as in containers, and a file system without locks: in new processes."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from needs import missing

ROOT = Path(__file__).parent.parent
LOCKS = Path(__file__).parent / "field" / "no_locks.c"
SHORT = ("--draws=20", "--tune=20", "--chains=2", "--fit-checks=false", "--progress=none")


def tallgrass(folder, *words, **environment):
    """The command in a process of its own; a value of None takes a variable away."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TALLGRASS_STATE_DIR": f"{folder}/state"}
    variables |= environment
    return subprocess.run(
        [sys.executable, "-m", "tallgrass", *words],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no folder that root cannot write")
def test_a_run_of_a_user_without_a_home_keeps_caches_in_a_private_folder(tmp_path):
    # Nobody can write there, whatever the permissions say.
    run = tallgrass(tmp_path, "run", *SHORT, HOME="/proc", TMPDIR=str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert "caches are in" in run.stderr
    assert "Traceback" not in run.stderr
    (home,) = tmp_path.glob("tallgrass-home-*")
    assert stat.S_IMODE(home.stat().st_mode) == stat.S_IRWXU
    assert any(home.rglob("*.nbi"))  # compiled code, for the next run


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no folder that root cannot write")
def test_a_folder_that_others_can_write_is_not_taken_for_caches(tmp_path):
    open_to_all = tmp_path / f"tallgrass-home-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    script = "import tallgrass, os; print(os.environ['HOME'])"
    environment = {**os.environ, "HOME": "/proc", "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    home = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(home).parent == tmp_path
    assert Path(home) != open_to_all


@pytest.mark.slow
def test_a_file_system_without_locks_is_said_once_and_runs_go_on(tmp_path):
    compiler = shutil.which("gcc") or missing("a file system without locks needs gcc")
    library = tmp_path / "no_locks.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, LOCKS], check=True)
    run = tallgrass(tmp_path, "run", *SHORT, LD_PRELOAD=str(library))
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("no locks") == 1
    assert "TALLGRASS_STATE_DIR" in run.stderr
    script = "import tallgrass as tg; print(len(tg.load_trace(tg.runs().run_id[0])['posterior']))"
    read = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr


@pytest.mark.slow
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_pymc_samples_from_a_script_without_a_main_guard(tmp_path, method):
    (tmp_path / "script.py").write_text(
        "import multiprocessing, os\n"
        "if 'STARTED' not in os.environ:\n"
        "    os.environ['STARTED'] = '1'\n"
        f"    multiprocessing.set_start_method({method!r})\n"
        "import tallgrass as tg\n"
        "spec = tg.RunSpec(draws=20, tune=20, chains=2, sampler='pymc', fit_checks=False)\n"
        "print(tg.fit(spec, tg.Settings(progress='none')).run_id)\n"
    )
    run = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TALLGRASS_STATE_DIR": f"{tmp_path}/state"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) == 1  # one run
