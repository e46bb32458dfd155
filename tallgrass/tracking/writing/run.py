"""Write to one MLflow run: params, metrics, tags, the dataset, artifacts."""

import json
import logging
import math
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tallgrass.escaping import neutralised
from tallgrass.tracking.pages import page
from tallgrass.tracking.store import masked, translated
from tallgrass.tracking.writing.operations import Operation, perform
from tallgrass.tracking.writing.spool import Spool
from tallgrass.tracking.writing.values import cut, stored_number, text

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from pandas import DataFrame

_NOTE = "mlflow.note.content"  # what MLflow's pages call the description of a run
_DESCRIBED = "<!-- by tallgrass -->"  # above it is what the user wrote; the page does not show it
_LONGEST_PARAM, _LONGEST_TAG = 6000, 8000  # MLflow's limits

logger = logging.getLogger(__name__)


class ActiveRun:
    """One MLflow run that is open for writing.

    It has its own client and run id, so that the callback thread of a sampler can write too
    (MLflow's "active run" belongs to a single thread).
    """

    def __init__(self, mlflow_client: "MlflowClient", run: "Run", name: str | None = None) -> None:
        self._client = mlflow_client
        self._logged = set(run.data.params)
        self._tables: dict[str, str] = {}
        self._artifact_root: str = run.info.artifact_uri
        self._spool: Spool | None = None
        self._patience = 0.0
        self._name = name or run.info.run_name
        self._note: str = run.data.tags.get(_NOTE, "")
        self.run_id: str = run.info.run_id
        self.experiment_id: str = run.info.experiment_id

    @property
    def ui_url(self) -> str:
        """The address of the run in the MLflow UI (``tallgrass ui`` for a local store)."""
        return page(self.experiment_id, self.run_id)

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log values as params; a key that the run already has keeps its value.

        ``mlflow run`` logs the declared parameters before this process starts, and MLflow refuses
        a new value of a param.
        """
        new = {
            key: cut(text(value), _LONGEST_PARAM, key)
            for key, value in params.items()
            if key not in self._logged
        }
        self._write("params", {"kind": "params", "values": new})
        self._logged |= set(new)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log numbers to seven significant digits (see ``values.stored_number``).

        Values that are not finite are left out and named in the tag ``metrics.dropped``, because
        MLflow stores infinity as 1.8e308, and NaN breaks older servers.
        """
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        values = {
            name: stored_number(float(value))
            for name, value in metrics.items()
            if math.isfinite(value)
        }
        self._write("metrics", {"kind": "metrics", "values": values, "at": now_ms, "step": step})
        if dropped := sorted(set(metrics) - set(values)):
            self.set_tags({"metrics.dropped": f"{len(dropped)}: {', '.join(dropped)}"})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set tags; an earlier value of a tag is replaced."""
        values = {key: cut(text(value), _LONGEST_TAG, key) for key, value in tags.items()}
        self._note = values.get(_NOTE, self._note)
        self._write("tags", {"kind": "tags", "values": values})

    def remove_tag(self, key: str) -> None:
        """Remove a tag, if the run has it."""
        with translated(f"remove the tag {key} of run {self.run_id}"):
            if key in self._client.get_run(self.run_id).data.tags:
                self._client.delete_tag(self.run_id, key)

    def rename(self, name: str, new_name: str) -> None:
        """Give the run another name, unless it has one that is not ``name``: that is a user's."""
        if self._name == name != new_name:
            self._write("its name", {"kind": "name", "name": new_name})
            self._name = new_name

    def describe(self, description: str, tags: Mapping[str, object] | None = None) -> None:
        """Set the description of the run (markdown), and tags with it in one write.

        A note of the user's stays above the description.
        """
        note = self._note.partition(_DESCRIBED)[0].strip()
        text = f"{_DESCRIBED}\n{description}"
        self.set_tags({**(tags or {}), _NOTE: f"{note}\n\n{text}" if note else text})

    def log_input(
        self, name: str, fingerprint: str, profile: Mapping[str, int], source: str
    ) -> None:
        """Log data as the run's dataset input, identified by our fingerprint.

        MLflow's digest would read only the first 10,000 rows.
        """
        self._write(
            "the dataset",
            {
                "kind": "dataset",
                "name": name[:500],
                "digest": fingerprint[:36],
                "source": masked(source),
                "profile": dict(profile),
            },
        )

    def log_live(self, metrics: Mapping[str, float], step: int) -> None:
        """Log the progress of sampling; it is never stored for later, and may run in any thread."""
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        operation = {"kind": "metrics", "values": dict(metrics), "at": now_ms, "step": step}
        perform(self._client, self.run_id, operation, Path())

    def log_artifact(self, path: Path, artifact_dir: str) -> None:
        """Store a file under ``artifact_dir`` with its name."""
        operation = {"kind": "artifact", "file": path.name, "folder": artifact_dir}
        self._write(f"{artifact_dir}/{path.name}", operation, path.parent)

    def log_text(self, content: str, path: str) -> None:
        """Store a text as the artifact ``path``, in UTF-8."""
        self.log_bytes(content.encode(), path)

    def log_table(self, table: "DataFrame", path: str) -> None:
        """Store a table; see :meth:`log_tables`."""
        self.log_tables({path: table})

    def log_tables(self, tables: "Mapping[str, DataFrame]") -> None:
        """Store tables by path twice, as ``path.csv`` for people and as ``path.json``.

        In the CSV file, text that a spreadsheet would run as a formula gets a leading apostrophe.
        The JSON file, which the MLflow UI shows, is exact. An index other than row numbers becomes
        columns.
        """
        if not tables:
            return
        for path, table in tables.items():
            self._log_table(table, path)
        listed = [{"path": name, "type": kind} for name, kind in self._tables.items()]
        self.set_tags({"mlflow.loggedArtifacts": json.dumps(listed)})

    def _log_table(self, table: "DataFrame", path: str) -> None:
        from pandas import RangeIndex

        plain = table if isinstance(table.index, RangeIndex) else table.reset_index()
        safe = plain.rename(columns=neutralised).map(neutralised)
        self.log_text(safe.to_csv(index=False), f"{path}.csv")
        exact = plain.to_json(orient="split", index=False, double_precision=15, date_format="iso")
        self.log_text(exact, f"{path}.json")
        self._tables[f"{path}.json"] = "table"

    def log_long_table(self, table: "DataFrame", path: str) -> None:
        """Store a table as ``path.parquet``, for tables that are too long for people to read."""
        self.log_bytes(table.to_parquet(index=False, compression="zstd"), f"{path}.parquet")

    def artifact_location(self, path: str) -> str:
        """The location of an artifact: a local path for a local store, else an address."""
        if "://" not in self._artifact_root:  # a path, in which # and ? are letters like others
            return str(Path(self._artifact_root) / path)
        root = urlsplit(self._artifact_root)
        if root.scheme in ("", "file"):
            return str(Path(unquote(root.path)) / path)
        return masked(f"{self._artifact_root}/{path}")

    def log_bytes(self, content: bytes, path: str) -> None:
        """Store bytes as the artifact ``path``."""
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            with translated(f"write {path}"):
                (Path(temporary) / name).write_bytes(content)
            operation = {"kind": "artifact", "file": name, "folder": folder}
            self._write(path, operation, Path(temporary))

    def spool_to(self, folder: Path, patience: float) -> None:
        """From now on, keep writes that MLflow does not take in a folder until it does.

        Parameters
        ----------
        folder : Path
            The folder of the waiting writes.
        patience : float
            Seconds that the end of the run waits for MLflow to take them.
        """
        self._spool = Spool(self._client, self.run_id, folder)
        self._patience = patience

    def _write(self, label: str, operation: Operation, base: Path | None = None) -> None:
        with translated(f"write {label} to run {self.run_id}"):
            if self._spool is None:
                perform(self._client, self.run_id, operation, base or Path())
            else:
                self._spool.write(operation, base or Path())

    def close(self, error: BaseException | None) -> None:
        """Give the run its final status, with a tag for the reason if that is not FINISHED."""
        tags: dict[str, object] = {}
        status = "FINISHED"
        if isinstance(error, KeyboardInterrupt):
            status, tags = "KILLED", {"interrupted_at": datetime.now(UTC).isoformat("T", "seconds")}
        elif error is not None:
            status, tags = "FAILED", {"error": masked(f"{type(error).__name__}: {error}")[:1000]}
        at = int(datetime.now(UTC).timestamp() * 1000)
        self._write(f"status {status}", {"kind": "end", "status": status, "at": at})
        if tags:
            self.set_tags(tags)
        if self._spool is not None and len(self._spool):
            self._deliver_last(0.0 if status == "KILLED" else self._patience)

    def _deliver_last(self, patience: float) -> None:
        assert self._spool is not None  # checked by the caller
        if patience:
            logger.info(
                "waiting up to %.0f s for MLflow to take %d writes", patience, len(self._spool)
            )
        with translated(f"write to run {self.run_id}"):
            if not self._spool.deliver(patience):
                logger.warning(
                    "%d writes to run %s wait in %s; deliver them with: tallgrass recover %s",
                    len(self._spool),
                    self.run_id,
                    self._spool.folder,
                    self.run_id[:8],
                )
