"""A notebook that is carried out shows a run as a reader of it expects."""

from pathlib import Path

import pytest
from example_store import bare_folder
from needs import missing

ROOT = Path(__file__).parent.parent
CELLS = (
    "import tallgrass as tg\n"
    "result = tg.fit(tg.RunSpec(session='simulated', draws=60, tune=60, chains=2))\n"
    "result",
    "result.verdict",
    "tg.compare([result.run_id])",
    "tg.plots.forest(result.ideal_points)",
    "tg.RunSpec(chamber='hose')",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each cell of the notebook gave: by kind of content."""
    try:
        import nbformat
        from ipykernel.kernelspec import install
        from nbclient import NotebookClient
    except ImportError:
        missing("nbclient is not installed: pip install 'tallgrass[docs]'")
    folder = tmp_path_factory.mktemp("notebook")
    with bare_folder(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "share" / "jupyter"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TALLGRASS_STATE_DIR", str(folder / "state"))
        install(prefix=str(folder), kernel_name="this")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="this",
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute()
    return [cell.outputs for cell in notebook.cells]


def shown(cell):
    """The last output of a cell, by kind of content."""
    return cell[-1]["data"]


@pytest.mark.slow
def test_a_result_is_a_box_with_its_verdict_both_ends_and_a_picture(outputs):
    html = shown(outputs[0])["text/html"]
    assert ">fail</b>" in html  # 60 draws are too few
    assert "Fit: " in html
    assert "<svg" in html or "<img" in html
    assert html.count("<tr") >= 10
    assert shown(outputs[0])["text/plain"].startswith("FitResult(")


@pytest.mark.slow
def test_a_verdict_is_a_box_of_its_checks(outputs):
    assert "R-hat max" in shown(outputs[1])["text/html"]


@pytest.mark.slow
def test_a_comparison_is_a_table_with_a_row_a_measure(outputs):
    html = shown(outputs[2])["text/html"]
    assert "passes" in html
    assert html.count("R-hat max") == 1


@pytest.mark.slow
def test_a_forest_is_a_picture(outputs):
    assert len(shown(outputs[3])["image/png"]) > 10_000


@pytest.mark.slow
def test_a_wrong_parameter_is_one_line(outputs):
    error = outputs[4][-1]
    assert (error["ename"], error["output_type"]) == ("SpecError", "error")
    assert "did you mean house?" in error["evalue"]
    assert "\n" not in error["evalue"]
