"""What holds the project's own files together: floors, locks, README, scripts."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tallgrass.cli import COMMANDS
from tallgrass.items.spec import CalibrationSpec
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.settings import Settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# The main lock has these too, so that a checkout can do experiments.
IN_MAIN_LOCK = {"experiments"}
LOCKS = ["requirements.lock"]
LOCKS += [f"requirements-{extra}.lock" for extra in EXTRAS if extra not in IN_MAIN_LOCK]
IMPORT_NAMES = {"pillow": "PIL", "pydantic-settings": "pydantic_settings"}
# xarray opens NetCDF with it by name.
# arviz: its statistics are imported as arviz_stats, which comes with it.
USED_WITHOUT_IMPORT = {"arviz", "h5netcdf"}


def tracked_files() -> list[Path]:
    """Files that are in git or would be by ``git add --all``."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def imported_packages() -> set[str]:
    """Top-level names of everything that ``tallgrass`` imports from outside."""
    names: set[str] = set()
    for path in (ROOT / "tallgrass").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module).partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"tallgrass"}


def import_name(requirement: str) -> str:
    name = Requirement(requirement).name
    return IMPORT_NAMES.get(name, name)


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text().splitlines()
    return {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and what is needed to lint it, for tests that change it."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "tallgrass", tmp_path / "tallgrass", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_import_goes_down_the_floors(copy: Path) -> None:
    result = lint_imports(copy)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("path", "line", "broken"),
    [
        ("errors.py", "import tallgrass.rollcalls.result", "Imports go down only"),
        ("items/spec.py", "import tallgrass.rollcalls.votes", "Imports go down only"),
        ("inference/spec.py", "import tallgrass.inputs.limits", "Imports go down only"),
        ("rollcalls/votes.py", "from tallgrass import RunSpec", "Imports go down only"),
        ("utils.py", "", "Imports go down only"),
        (
            "rollcalls/votes.py",
            "def late():\n    import tallgrass.rollcalls.start",
            "No circle between the files",
        ),
        ("rollcalls/compare.py", "import mlflow.tracking", "Only tracking imports MLflow"),
        ("rollcalls/models/flat.py", "import nutpie", "Only inference imports nutpie"),
        (
            "inference/diagnostics.py",
            "from matplotlib.figure import Figure",
            "Only plots and report draw",
        ),
        ("inference/diagnostics.py", "import jax", "Only the flow imports JAX"),
    ],
    ids=[
        "upward",
        "wing",
        "neighbour",
        "root",
        "new",
        "circle",
        "mlflow",
        "nutpie",
        "matplotlib",
        "jax",
    ],
)
def test_an_import_that_leaves_its_floor_is_refused(
    copy: Path, path: str, line: str, broken: str
) -> None:
    with (copy / "tallgrass" / path).open("a") as module:
        module.write(f"\n{line}\n")

    result = lint_imports(copy)

    assert result.returncode == 1
    assert re.search(rf"{broken}.*BROKEN", result.stdout), result.stdout


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_sorted_names_and_versions_only(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()

    assert lines
    assert [x for x in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", x)] == []
    assert sorted(lines) == lines
    assert len(pins(lock)) == len(lines)


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_every_dependency_is_locked_within_its_range(extra: str) -> None:
    required = [Requirement(x) for x in (EXTRAS[extra] if extra else PROJECT["dependencies"])]
    has_own = bool(extra) and extra not in IN_MAIN_LOCK
    locked = pins("requirements.lock") | (pins(f"requirements-{extra}.lock") if has_own else {})

    missing = [x.name for x in required if canonicalize_name(x.name) not in locked]
    outside = [x.name for x in required if locked[canonicalize_name(x.name)] not in x.specifier]

    assert missing == []
    assert outside == []


def test_the_locks_do_not_contradict_each_other() -> None:
    # Extras may share a library; then they must share its version.
    known = [pin for lock in LOCKS for pin in pins(lock).items()]
    versions: dict[str, set[str]] = {}
    for name, number in known:
        versions.setdefault(name, set()).add(number)

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_everything_imported_is_declared() -> None:
    optional = [*EXTRAS["flow"], *EXTRAS["experiments"]]
    declared = {import_name(x) for x in [*PROJECT["dependencies"], *optional]}
    # Parts of declared packages that are distributions of their own.
    parts = {"llvmlite", "arviz_base", "arviz_stats", "arviz_plots"}

    assert imported_packages() - declared - parts == set()


def test_everything_declared_is_used() -> None:
    declared = {import_name(x) for x in PROJECT["dependencies"]}

    assert declared - imported_packages() - USED_WITHOUT_IMPORT == set()


def test_no_tracked_file_names_a_package_registry() -> None:
    address = re.compile(
        rb"https?://[\w.-]*(pypi|pythonhosted|npmjs|anaconda|debian)"
        rb"|(extra-)?index[-_]url|find[-_]links",
        re.IGNORECASE,
    )
    files = tracked_files()

    assert ROOT / "pyproject.toml" in files
    assert [path.name for path in files if address.search(path.read_bytes())] == []


@pytest.mark.parametrize("model", [RunSpec, CalibrationSpec, Settings])
def test_the_manual_lists_every_parameter_as_it_is_declared(model: type[BaseModel]) -> None:
    page = "settings.md" if model is Settings else "parameters.md"
    lines = (ROOT / "docs" / "reference" / page).read_text().splitlines()

    expected = [parameter_row(name, field) for name, field in model.model_fields.items()]
    assert [line for line in expected if line not in lines] == []


def test_the_readme_lists_parameters_as_they_are_declared() -> None:
    rows = re.findall(r"^\| `\w+` \| (?:`.*`)? \| .* \|$", (ROOT / "README.md").read_text(), re.M)
    declared = [parameter_row(name, field) for name, field in RunSpec.model_fields.items()]

    assert len(rows) > 5
    assert [row for row in rows if row not in declared] == []


def parameter_row(name: str, field: FieldInfo) -> str:
    default = str(field.default).lower() if field.annotation is bool else field.default
    shown = "" if default in (None, "") else f"`{default}`"
    description = (field.description or "").replace("|", "\\|").replace("<", "&lt;")
    return f"| `{name}` | {shown} | {description} |"


def test_the_pages_made_from_declarations_are_what_the_code_declares() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout == ""
    assert checked.returncode == 0


def test_the_manual_lists_every_command() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()

    assert re.findall(r"^## (\w+)$", page, re.M) == [*COMMANDS]


PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_of_a_page_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())

    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def find_python(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(shutil.which("bash")), ROOT / "scripts" / "find-python"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_find_python_takes_the_python_that_is_named() -> None:
    result = find_python(PATH=os.environ["PATH"], PYTHON=sys.executable)

    assert result.stdout.strip() == sys.executable


def test_find_python_names_a_python_that_does_not_do() -> None:
    result = find_python(PATH=os.environ["PATH"], PYTHON="false")

    assert result.returncode == 1
    assert "PYTHON=false is not a Python 3.12" in result.stderr


def test_find_python_passes_over_an_older_python(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to("/bin/false")
    (tmp_path / "python3.12").symlink_to(sys.executable)

    result = find_python(PATH=str(tmp_path))

    assert result.returncode == 0
    assert result.stdout.strip().endswith("python3.12") or result.stdout.strip() == sys.executable


def test_find_python_says_what_to_do_where_there_is_none(tmp_path: Path) -> None:
    result = find_python(PATH=str(tmp_path))

    assert result.returncode == 1
    assert "make run PYTHON=" in result.stderr


def test_ci_fails_where_the_test_data_is_missing(tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", ROOT / ".ci" / "run"],
        env={"PATH": os.environ["PATH"], "TALLGRASS_TEST_DATA": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "No test data" in result.stderr
