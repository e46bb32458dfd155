"""``scripts/rooms`` draws the rooms of a package as they are, and knows an outdated page."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "rooms"
FILES = {
    "__init__.py": "",
    "errors.py": '"""What can go wrong."""\n',
    "wing/__init__.py": '"""A wing | of the house."""\n',
    "wing/votes.py": "import tallgrass.errors\n",
    "wing/report/__init__.py": '"""The page."""\nfrom tallgrass.wing import votes\n',
    "cli.py": '"""The commands."""\nimport tallgrass.wing.report\nfrom tallgrass import errors\n',
}
FLOORS = """
[[tool.importlinter.contracts]]
id = "floors"
layers = ["cli", "wing", "errors"]
"""
PAGE = "# Rooms\n\n<!-- rooms: begin -->\n<!-- rooms: end -->\n\nMore.\n"


@pytest.fixture
def project(tmp_path):
    """A small project with the script, three rooms and one inside a room."""
    for name, text in FILES.items():
        path = tmp_path / "tallgrass" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "pyproject.toml").write_text(FLOORS)
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    return tmp_path


def rooms(project, *words):
    return subprocess.run(
        [sys.executable, "scripts/rooms", *words],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_room_is_a_row_with_its_floor_and_what_it_imports(project):
    lines = rooms(project).stdout.splitlines()
    assert [line for line in lines if line.startswith(("| 1", "| 2", "| 3"))] == [
        "| 3 | `cli` | The commands. | 1 | 3 |  | errors, wing |",
        "| 2 | `wing` | A wing \\| of the house. | 2 | 2 | `votes.py` (1) | errors |",
        "| 2.2 | `wing.report` | The page. | 1 | 2 |  | votes.py |",
        "| 1 | `errors` | What can go wrong. | 1 | 1 |  |  |",
    ]


def test_the_diagram_leaves_out_an_arrow_that_others_imply(project):
    lines = rooms(project).stdout.splitlines()
    assert [line.strip() for line in lines if "-->" in line] == [
        "room_cli --> room_wing",
        "room_wing --> room_errors",
    ]


def test_circles_are_counted_between_rooms_and_between_files(project):
    assert "Circles: 0 of rooms, 0 of files." in rooms(project).stdout
    (project / "tallgrass" / "errors.py").write_text("def late():\n    import tallgrass.cli\n")
    assert "Circles: 1 of rooms, 1 of files." in rooms(project).stdout


def test_a_page_is_up_to_date_after_writing_and_until_the_code_changes(project):
    assert rooms(project, "--check", "page.md").returncode == 1
    assert rooms(project, "--write", "page.md").returncode == 0
    assert rooms(project, "--check", "page.md").returncode == 0
    text = (project / "page.md").read_text()
    assert text.startswith("# Rooms\n")
    assert text.endswith("\n\nMore.\n")
    (project / "tallgrass" / "errors.py").write_text('"""What is wrong."""\n')
    done = rooms(project, "--check", "page.md")
    assert done.returncode == 1
    assert "scripts/rooms --write page.md" in done.stderr


def test_a_page_without_the_markers_is_refused_and_left_alone(project):
    (project / "page.md").write_text("# Rooms\n")
    assert rooms(project, "--write", "page.md").returncode == 1
    assert (project / "page.md").read_text() == "# Rooms\n"


def test_a_room_without_a_floor_is_refused(project):
    (project / "tallgrass" / "utils.py").write_text("")
    done = rooms(project)
    assert done.returncode == 1
    assert done.stderr.strip() == "no floor in pyproject.toml: utils"
