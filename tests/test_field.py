"""The list of inputs as they come is whole: every file has a row, and every row a test."""

import ast
import re
from pathlib import Path

FIELD = Path(__file__).parent / "field"
ROOT = FIELD.parent.parent
LIST = (FIELD / "README.md").read_text()


def test_every_input_has_a_row():
    rows = re.findall(r"^\| ([^|]+) \|", LIST, re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")}
    files = {path.name for path in FIELD.iterdir()} - {"README.md"}
    assert files <= named, files - named


def test_every_row_names_a_test_that_is_there():
    listed = re.findall(r"\| `(tests/\w+\.py)::(\w+)` \|$", LIST, re.MULTILINE)
    assert len(listed) == len([line for line in LIST.splitlines() if line.startswith("|")]) - 2
    for file, name in listed:
        functions = ast.walk(ast.parse((ROOT / file).read_text()))
        assert name in {f.name for f in functions if isinstance(f, ast.FunctionDef)}, name
