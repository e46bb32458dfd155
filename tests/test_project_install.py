"""``scripts/install``, by running it in a copy of the project."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest
from needs import missing

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path):
    """A copy whose .venv sees the packages of this one, so that nothing is downloaded."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "tallgrass").mkdir()
    (tmp_path / "tallgrass" / "__init__.py").touch()
    (tmp_path / "one.lock").write_text(f"setuptools=={version('setuptools')}\n")
    subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=tmp_path, check=True)
    (packages,) = (tmp_path / ".venv").glob("lib/python3*/site-packages")
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib"))
    return tmp_path


@pytest.mark.slow
def test_where_uv_fails_everything_is_installed_with_pip(project):
    (project / "bin").mkdir()
    (project / "bin" / "uv").symlink_to("/bin/false")
    done = subprocess.run(
        ["bash", "scripts/install", "one.lock"],
        cwd=project,
        env={**os.environ, "PATH": f"{project / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + (project / ".venv" / "install.log").read_text()
    said = done.stdout.splitlines()
    assert [line.split(" (")[0].rpartition(" with ")[2] for line in said] == ["uv", "pip"]
    code = "import tallgrass; print(tallgrass.__file__)"
    found = subprocess.run(
        [project / ".venv/bin/python", "-c", code],
        cwd=project / "bin",
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(project)


@pytest.mark.slow
def test_the_lowest_versions_that_are_declared_work_together(tmp_path):
    """Otherwise the ranges of pyproject.toml would be wishes."""
    uv = Path(sys.executable).with_name("uv")
    copy, venv = tmp_path / "project", tmp_path / "venv"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(
        ROOT / "tallgrass", copy / "tallgrass", ignore=shutil.ignore_patterns("__pycache__")
    )
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python"]
    done = subprocess.run(
        [*install, "--resolution", "lowest-direct", f"{copy}[experiments]"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "error sending request" in done.stderr or "dns error" in done.stderr:
        missing("no package registry")
    assert done.returncode == 0, done.stderr
    examined = subprocess.run(
        [venv / "bin" / "tallgrass", "doctor", "--json"],
        cwd=tmp_path,
        env={**os.environ, "TALLGRASS_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    findings = json.loads(examined.stdout)["findings"]
    assert [f for f in findings if f["status"] == "wrong"] == []
    assert findings[-1]["about"] == "sampling"
