"""What users install: a wheel that holds everything and runs where the checkout is not."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TINY = ["--session=simulated", "--draws=20", "--tune=30", "--chains=2", "--fit-checks=false"]


def pip(*words, cwd):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that no build files are left in the checkout."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    nothing_compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tallgrass", copy / "tallgrass", ignore=nothing_compiled)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir=wheels", ".", cwd=copy)
    (path,) = (copy / "wheels").iterdir()
    with zipfile.ZipFile(path) as archive:
        yield path, archive


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that holds the installed wheel, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("installed").resolve()
    pip("install", "--no-deps", "--no-index", f"--target={folder}", wheel[0], cwd=folder)
    return folder


def python(installed, cwd, *words):
    """What a Python prints that imports tallgrass from where the wheel is installed."""
    # Other tests of this process may have named a store.
    foreign = ("TALLGRASS_", "MLFLOW_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=own | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package(wheel):
    path, archive = wheel
    copy = path.parents[1]
    files = [path for path in (copy / "tallgrass").rglob("*") if path.is_file()]
    expected = {path.relative_to(copy).as_posix() for path in files}
    held = {name for name in archive.namelist() if name.startswith("tallgrass/")}
    assert held == expected


@pytest.mark.parametrize("suffix", [".html", ".css", ".csv.gz", "py.typed"])
def test_the_wheel_holds_templates_sample_data_and_the_mark_of_typed_code(wheel, suffix):
    names = [name for name in wheel[1].namelist() if name.startswith("tallgrass/")]
    assert [name for name in names if name.endswith(suffix)] != []


def test_the_wheel_holds_the_licence_and_names_it(wheel):
    (name,) = [name for name in wheel[1].namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(wheel[1].read(name).decode())
    licence = name.replace("METADATA", "licenses/LICENSE")
    assert wheel[1].read(licence) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "MIT"


def test_the_wheel_holds_no_test_and_nothing_else_of_the_checkout(wheel):
    tops = {name.partition("/")[0] for name in wheel[1].namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tallgrass"}


def test_the_installed_package_is_imported_from_where_it_was_installed(installed, tmp_path):
    code = "import tallgrass; print(tallgrass.__file__)"
    file = python(installed, tmp_path, "-c", code).strip()
    assert Path(file) == installed / "tallgrass" / "__init__.py"


@pytest.mark.slow
def test_the_installed_package_samples_and_reports_where_the_checkout_is_not(installed, tmp_path):
    words = ["-m", "tallgrass", "run", *TINY, "--progress=none", "--json"]
    result = json.loads(python(installed, tmp_path, *words))
    report = Path(result["report_path"])
    assert report.is_relative_to(tmp_path)
    assert "<html" in report.read_text("utf-8")
    assert result["metrics"]["divergences"] >= 0


@pytest.mark.slow
def test_the_installed_package_reads_its_own_sample(installed, tmp_path):
    code = "import tallgrass as tg; print(len(tg.load_votes('sample', chamber='senate').slugs))"
    assert int(python(installed, tmp_path, "-c", code)) == 102
