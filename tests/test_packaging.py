"""What is published beside the code: package, recipe, image, citation, forms."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import rattler_build
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SCHEMAS = {
    "compose-spec": "deploy/compose.yaml",
    "citation-file-format": "CITATION.cff",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/bug.yaml",
}
CONDA_NAMES = {"h5netcdf[h5py]": {"h5netcdf", "h5py"}, "matplotlib": {"matplotlib-base"}}


def tool(*words: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)


def beside_python(name: str) -> Path:
    """A program that is installed with the development tools."""
    return Path(sys.executable).parent / name


@pytest.mark.slow
def test_wheel_and_source_archive_pass_the_check_of_the_index(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    nothing_compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tallgrass", copy / "tallgrass", ignore=nothing_compiled)

    built = tool(sys.executable, "-m", "build", "--no-isolation", cwd=copy)
    assert built.returncode == 0, built.stderr
    archives = sorted((copy / "dist").iterdir())
    checked = tool(sys.executable, "-m", "twine", "check", "--strict", *archives)

    assert {"".join(path.suffixes[-1:]) for path in archives} == {".gz", ".whl"}
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("PASSED") == 2


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    recipe = (ROOT / "recipe" / "recipe.yaml").read_text()
    citation = (ROOT / "CITATION.cff").read_text()

    assert re.findall(r"^  version: (\S+)$", recipe, re.M)[0] == PROJECT["version"]
    assert re.findall(r"^version: (\S+)$", citation, re.M) == [PROJECT["version"]]


def test_the_recipe_renders_with_the_dependencies_of_the_project() -> None:
    recipe = rattler_build.Stage0Recipe.from_file(ROOT / "recipe" / "recipe.yaml")
    (variant,) = recipe.render()
    assert variant.recipe.package.name == "tallgrass"
    lines = (ROOT / "recipe" / "recipe.yaml").read_text().partition("  run:\n")[2]
    lines = lines.partition("\n\n")[0].splitlines()
    needed = {line.split()[1]: "".join(line.split()[2:]) for line in lines}
    declared = {"python": PROJECT["requires-python"]}
    for text in PROJECT["dependencies"]:
        requirement = Requirement(text)
        full = text.partition(">")[0].partition("<")[0]
        for name in CONDA_NAMES.get(full, {requirement.name}):
            declared[name] = "" if name == "h5py" else text.removeprefix(full)

    assert needed == declared


@pytest.mark.parametrize(("schema", "path"), SCHEMAS.items(), ids=str)
def test_files_for_other_programs_have_the_form_that_these_expect(schema: str, path: str) -> None:
    checker = beside_python("check-jsonschema")
    checked = tool(checker, "--builtin-schema", f"vendor.{schema}", ROOT / path)

    assert checked.returncode == 0, checked.stdout


def test_the_linter_of_images_has_nothing_to_say() -> None:
    checked = tool(beside_python("hadolint"), "--format=json", ROOT / "deploy" / "Dockerfile")

    assert json.loads(checked.stdout) == []


def test_the_image_copies_files_that_are_there() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for name in line.split()]

    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
