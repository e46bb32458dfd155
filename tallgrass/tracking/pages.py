"""Addresses of MLflow's pages: of an experiment's runs, of one run, of an artifact."""

import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from tallgrass.tracking import address

UI_PORT = 5000  # MLflow's default
VIEW = "results"  # key of the view with our columns, in all of our experiments
# MLflow's pages have two faces, and open that of language models unless the address, or a choice
# that the browser remembers, says otherwise; no tag of an experiment does.
_FACE = "workflowType=machine_learning"


def page(experiment_id: str | None, run_id: str | None = None, port: int = UI_PORT) -> str:
    """The address in the MLflow UI of an experiment's runs, of one run, or of the start page.

    A local store has no server, so its address is that of ``tallgrass ui``.
    """
    uri = urlsplit(address.in_use())
    base = f"http://127.0.0.1:{port}"
    if uri.scheme in ("http", "https"):
        base = f"{uri.scheme}://{uri.netloc.rpartition('@')[2]}{uri.path.rstrip('/')}"
    if experiment_id is None:
        return f"{base}/#/experiments?{_FACE}"
    of_run = f"/{run_id}" if run_id else ""
    return f"{base}/#/experiments/{experiment_id}/runs{of_run}?{_FACE}"


def pages_together(experiment_ids: Sequence[str], port: int = UI_PORT) -> str:
    """The address of one table with the runs of several experiments."""
    base = page(None, port=port).partition("#")[0]
    listed = quote(json.dumps(list(experiment_ids), separators=(",", ":")))
    return f"{base}#/compare-experiments/s?experiments={listed}&{_FACE}"


def artifact_page(experiment_id: str, run_id: str, path: str) -> str:
    """The address of an artifact's page from within MLflow's pages, whatever server shows them."""
    return f"#/experiments/{experiment_id}/runs/{run_id}/artifacts/{path}?{_FACE}"


def results_page(experiment_id: str | None, port: int = UI_PORT) -> str:
    """The address of an experiment's table of runs with our columns."""
    address = page(experiment_id, port=port)
    return address if experiment_id is None else f"{address}&viewStateShareKey={VIEW}"
