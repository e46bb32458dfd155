"""One MLflow run that is being written: params, metrics, tags, the dataset, artifacts."""

import io
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from tallgrass.escaping import neutralised
from tallgrass.store import masked, page, translated
from tallgrass.tracking.values import cut, rounded, text
from tallgrass.votes import VoteMatrix

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from pandas import DataFrame

_LONGEST_PARAM, _LONGEST_TAG, _BATCH, _METRICS_BATCH = 6000, 8000, 100, 1000  # MLflow's limits

_DATASET_ATTEMPTS = 5


class Figure(Protocol):
    """What is needed of a Matplotlib figure here: drawing is the job of other modules."""

    def savefig(self, fname: Any, /, *, format: str, dpi: float) -> None:
        """Write the figure to a file or buffer."""


class ActiveRun:
    """One MLflow run that is being written.

    It holds its own client and run id, so that a sampler's callback thread can write too
    (MLflow's "active run" belongs to a single thread).
    """

    def __init__(self, mlflow_client: "MlflowClient", run: "Run") -> None:
        self._client = mlflow_client
        self._logged = set(run.data.params)
        self._tables: dict[str, str] = {}
        self._artifact_root: str = run.info.artifact_uri
        self.run_id: str = run.info.run_id
        self.experiment_id: str = run.info.experiment_id

    @property
    def ui_url(self) -> str:
        """The address of the run in the MLflow UI (``tallgrass ui`` where the store is local)."""
        return page(self.experiment_id, self.run_id)

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log resolved values as params; a key that the run has already keeps its value.

        ``mlflow run`` logs the declared parameters before this process starts, and MLflow refuses
        another string for the same key.
        """
        from mlflow.entities import Param

        new = {
            key: cut(text(value), _LONGEST_PARAM, key)
            for key, value in params.items()
            if key not in self._logged
        }
        with self._writing("params"):
            for batch in batched(new.items(), _BATCH):
                entries = [Param(key, value) for key, value in batch]
                self._client.log_batch(self.run_id, params=entries)
        self._logged |= set(new)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log numbers, rounded to what is meaningful (see ``values.rounded``).

        What is not finite is left out and named in the tag ``metrics.dropped``: MLflow stores an
        infinity as 1.8e308, and NaN breaks older servers.
        """
        from mlflow.entities import Metric

        now = int(datetime.now(UTC).timestamp() * 1000)
        finite = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
        with self._writing("metrics"):
            for batch in batched(finite.items(), _METRICS_BATCH):
                entries = [Metric(name, rounded(name, value), now, step) for name, value in batch]
                self._client.log_batch(self.run_id, metrics=entries)
        if dropped := sorted(set(metrics) - set(finite)):
            self.set_tags({"metrics.dropped": f"{len(dropped)}: {', '.join(dropped)}"})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set tags; an earlier value of a tag is replaced."""
        from mlflow.entities import RunTag

        with self._writing("tags"):
            for batch in batched(tags.items(), _BATCH):
                entries = [RunTag(key, cut(text(v), _LONGEST_TAG, key)) for key, v in batch]
                self._client.log_batch(self.run_id, tags=entries)

    def log_dataset(self, votes: VoteMatrix, source: str) -> None:
        """Log the votes as the run's dataset input, identified by their own fingerprint."""
        profile = {
            "num_rows": len(votes.legislators),
            "num_rollcalls": len(votes.rollcalls),
            "num_elements": votes.n_observations,
        }
        name = f"{votes.session} {votes.chamber}"
        self.log_input(name, votes.fingerprint, profile, source)

    def log_input(
        self, name: str, fingerprint: str, profile: Mapping[str, int], source: str
    ) -> None:
        """Log data as the run's dataset input, identified by a fingerprint of our own.

        MLflow's digest would read the first 10,000 rows only.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.exceptions import MlflowException

        dataset = Dataset(
            name=name[:500],
            digest=fingerprint[:36],
            source_type="local",
            source=json.dumps({"uri": masked(source)}),
            profile=json.dumps(profile),
        )
        context = InputTag("mlflow.data.context", "sampling")
        with self._writing("the dataset"):
            for attempt in range(_DATASET_ATTEMPTS):
                try:
                    self._client.log_inputs(self.run_id, [DatasetInput(dataset, [context])])
                    return
                except MlflowException as error:
                    # Two runs that name the same new dataset at once: MLflow looks, then inserts.
                    if "unique" not in str(error).lower() or attempt == _DATASET_ATTEMPTS - 1:
                        raise
                    time.sleep(random.uniform(0.05, 0.3))

    def log_artifact(self, path: Path, artifact_dir: str) -> None:
        """Store a file under ``artifact_dir``, with the file's own name."""
        with self._writing(f"{artifact_dir}/{path.name}"):
            self._client.log_artifact(self.run_id, str(path), artifact_dir)

    def log_text(self, content: str, path: str) -> None:
        """Store a text as the artifact ``path``, in UTF-8."""
        self.log_bytes(content.encode(), path)

    def log_figure(self, figure: Figure, path: str) -> None:
        """Store a Matplotlib figure as the artifact ``path``; its ending is the format."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format=Path(path).suffix.lstrip("."), dpi=120)
        self.log_bytes(buffer.getvalue(), path)

    def log_table(self, table: "DataFrame", path: str) -> None:
        """Store a table twice: ``path.csv`` for people and ``path.json`` as it is.

        A text cell of the CSV file that a spreadsheet would run as a formula is neutralised with
        a leading apostrophe; the JSON file (columns and rows, which the MLflow UI shows) is exact.
        An index other than row numbers becomes columns.
        """
        from pandas import RangeIndex

        plain = table if isinstance(table.index, RangeIndex) else table.reset_index()
        safe = plain.rename(columns=neutralised).map(neutralised)
        self.log_text(safe.to_csv(index=False), f"{path}.csv")
        exact = plain.to_json(orient="split", index=False, double_precision=15, date_format="iso")
        self.log_text(exact, f"{path}.json")
        self._tables[f"{path}.json"] = "table"
        listed = [{"path": name, "type": kind} for name, kind in self._tables.items()]
        self.set_tags({"mlflow.loggedArtifacts": json.dumps(listed)})

    def artifact_location(self, path: str) -> str:
        """Where an artifact is: a local path for a local store, else an address."""
        root = urlsplit(self._artifact_root)
        if root.scheme in ("", "file"):
            return str(Path(unquote(root.path)) / path)
        return masked(f"{self._artifact_root}/{path}")

    def log_bytes(self, content: bytes, path: str) -> None:
        """Store bytes as the artifact ``path``."""
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary, self._writing(path):
            file = Path(temporary) / name
            file.write_bytes(content)
            self._client.log_artifact(self.run_id, str(file), folder or None)

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        with translated(f"write {what} to run {self.run_id}"):
            yield

    def close(self, error: BaseException | None) -> None:
        """Give the run its last status, and say why when that is not FINISHED."""
        tags: dict[str, object] = {}
        status = "FINISHED"
        if isinstance(error, KeyboardInterrupt):
            status, tags = "KILLED", {"interrupted_at": datetime.now(UTC).isoformat("T", "seconds")}
        elif error is not None:
            status, tags = "FAILED", {"error": masked(f"{type(error).__name__}: {error}")[:1000]}
        with self._writing(f"status {status}"):
            self._client.set_terminated(self.run_id, status)
        if tags:
            self.set_tags(tags)
