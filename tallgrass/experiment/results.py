"""The results of an experiment: one table of runs, answers, a report and a markdown page."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tallgrass.errors import TallgrassError
from tallgrass.escaping import markdown as escaped
from tallgrass.escaping import masked
from tallgrass.experiment.declaration import Experiment
from tallgrass.experiment.expansion import PlannedRun
from tallgrass.experiment.expectations import Answer, answer
from tallgrass.experiment.report import ComparedRuns, ExperimentInput, build_experiment
from tallgrass.experiment.worker import Outcome
from tallgrass.inference.thresholds import Thresholds
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.compare import Comparison, compare_estimates, fixed_members
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.tracking import reading
from tallgrass.tracking.writing import ActiveRun

_NOTE = 7000  # characters of a description, below MLflow's limit
_WORDS = {"yes": "pass", "no": "fail", "open": "unresolved"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Results:
    """The runs of an experiment, compared.

    Parameters
    ----------
    experiment : Experiment
        The declared experiment.
    runs : DataFrame
        One row per run, index run id: label, verdict, parameters, metrics.
    comparison : DataFrame
        As from :func:`tallgrass.tracking.reading.compare`, with labels as names of runs.
    answers : list of Answer
        Whether the expected outcome holds.
    errors : mapping of str to str
        Label of a run without result -> reason.
    """

    experiment: Experiment
    runs: pd.DataFrame
    comparison: pd.DataFrame
    answers: list[Answer]
    errors: Mapping[str, str]

    @property
    def verdict(self) -> str:
        """``pass`` if every expectation holds, ``fail`` if one does not, else ``unresolved``.

        An experiment without expectations is unresolved too.
        """
        states = [_WORDS[answer.holds] for answer in self.answers]
        states += ["unresolved"] if self.errors or not states else []
        return next((s for s in ("fail", "unresolved") if s in states), "pass")

    @property
    def as_expected(self) -> str:
        """How many of the expectations hold, in words; empty where none was stated."""
        held = sum(_WORDS[answer.holds] == "pass" for answer in self.answers)
        return f"{held} of {len(self.answers)} as expected" if self.answers else ""

    @property
    def markdown(self) -> str:
        """The page as markdown: question, answers, and the table of every session and chamber."""
        # Question and hypothesis may contain markdown; everything else is escaped.
        lines = [f"# {escaped(self.experiment.name)}", "", f"**{self.experiment.question}**", ""]
        if self.experiment.hypothesis:
            lines += [f"Expected: {self.experiment.hypothesis}", ""]
        marks = {"yes": "holds", "no": "does not hold", "open": "open"}
        for reply in self.answers:
            reason = f" ({escaped('; '.join(reply.reasons))})" if reply.reasons else ""
            lines.append(f"- {escaped(reply.expectation.words)}: **{marks[reply.holds]}**{reason}")
        lines += [
            f"- {escaped(label)}: no result, {escaped(reason)}"
            for label, reason in self.errors.items()
        ]
        groups = self.runs.groupby(["session", "chamber"], sort=False)
        for (session, chamber), rows in groups:
            part = self.comparison[self.comparison["run_id"].isin(rows.index)]
            lines += ["", f"## {str(chamber).capitalize()}, {escaped(session)}", ""]
            lines.append(reading.markdown(part).rstrip())
        return "\n".join(lines) + "\n"


def gather(
    experiment: Experiment,
    planned: Sequence[PlannedRun],
    outcomes: Mapping[str, Outcome],
    thresholds: Thresholds,
) -> Results:
    """Read the finished runs and check the expectations."""
    labels = {o.run_id: r.label for r in planned if (o := outcomes.get(r.key)) and o.run_id}
    rows: dict[str, dict[str, Any]] = {}
    for run in planned:
        outcome = outcomes.get(run.key)
        details = reading.details(outcome.run_id) if outcome and outcome.run_id else None
        row = {**run.spec.model_dump(), "label": run.label, "finished": details is not None}
        row["session"] = masked(run.spec.session)
        row |= {"verdict": None, "fit": None, "baseline_run_id": None}
        if details is not None:
            tags = details["tags"]
            row |= details["metrics"]
            row |= {"verdict": tags.get("verdict"), "fit": tags.get("fit")}
            row["baseline_run_id"] = tags.get("baseline.run_id")
            row["session"] = tags.get("session", row["session"])
            row["asked_session"] = masked(run.spec.session)
        rows[str(outcome.run_id) if outcome and outcome.run_id else run.key] = row
    all_runs = pd.DataFrame.from_dict(rows, orient="index")
    # Expectations name sessions as the experiment's file does.
    as_declared = all_runs.assign(session=[run.spec.session for run in planned])
    answers = answer(experiment.expect, as_declared)
    finished = all_runs[all_runs["finished"]]
    comparison = reading.compare(list(finished.index), thresholds)
    comparison["run"] = comparison["run_id"].map(labels)
    errors = {
        run.label: masked((o.error if (o := outcomes.get(run.key)) else None) or "not made")
        for run in planned
        if run.key not in outcomes or outcomes[run.key].run_id is None
    }
    return Results(experiment, finished, comparison, answers, errors)


def record(parent: ActiveRun, results: Results) -> str:
    """Write the table, the answers and both pages to the parent run; return the report's path."""
    markdown = results.markdown
    parent.log_text(markdown, "comparison.md")
    note = markdown if len(markdown) < _NOTE else markdown[:_NOTE] + "\n\nMore: comparison.md"
    passed = int((results.runs["verdict"] == "pass").sum())
    parent.set_tags(
        {
            "verdict": results.verdict,
            "answers": results.as_expected,
            "verdict.reasons": "; ".join(
                f"{answer.expectation.words}: {answer.holds}"
                for answer in results.answers
                if answer.holds != "yes"
            ),
            "mlflow.note.content": note,
        }
    )
    parent.log_metrics(
        {
            "runs/finished": len(results.runs),
            "runs/passed": passed,
            "runs/without_result": len(results.errors),
        }
    )
    metrics = [column for column in results.runs.columns if column in _numbers(results.runs)]
    names = ["label", "verdict", "fit", *RunSpec.model_fields]
    table = results.runs[[*names, *(m for m in metrics if m not in names)]]
    parent.log_table(table.rename_axis("run_id").reset_index(), "tables/results")
    parent.log_table(results.comparison, "tables/comparison")
    page, pngs = build_experiment(_input(parent.run_id, results))
    for name, data in pngs.items():
        parent.log_bytes(data, f"plots/{name}.png")
    parent.log_text(page, "report/index.html")
    return parent.artifact_location("report/index.html")


def _numbers(runs: pd.DataFrame) -> list[str]:
    known = {measure.metric for measure in reading.MEASURES}
    return [str(name) for name in runs.columns if name in known]


def _input(run_id: str, results: Results) -> ExperimentInput:
    experiment = results.experiment
    return ExperimentInput(
        name=experiment.name,
        question=experiment.question,
        hypothesis=experiment.hypothesis,
        status=results.verdict,
        run_id=run_id,
        badge=results.as_expected,
        answers=[
            (answer.expectation.words, answer.holds, answer.reasons) for answer in results.answers
        ],
        errors=results.errors,
        comparison=results.comparison,
        runs=results.runs,
        groups=[
            _compared(f"{str(chamber).capitalize()}, {session}", rows)
            for (session, chamber), rows in results.runs.groupby(["session", "chamber"], sort=False)
        ],
    )


def _compared(title: str, rows: pd.DataFrame) -> ComparedRuns:
    """The estimates of the runs on one chamber, by legislator, on the scale of the first."""
    tables: dict[str, pd.DataFrame] = {}
    for run_id, label in rows["label"].items():
        try:
            tables[str(label)] = earlier.ideal_points(str(run_id)).set_index("slug")
        except TallgrassError as error:
            logger.warning("left out of the comparison: %s", error)
    means = pd.DataFrame(
        {
            label: table["mean"].astype(float).drop(list(fixed_members(table.reset_index())))
            for label, table in tables.items()
        }
    )
    people = pd.concat([table[["name", "party"]] for table in tables.values()])
    people = people[~people.index.duplicated()].reindex(means.index)
    aligned: dict[str, pd.Series[float]] = {}
    comparisons: dict[str, Comparison] = {}
    first = next(iter(means), None)
    for label in means:
        try:
            on_first = compare_estimates(means[first], means[label])
            comparison = compare_estimates(means[label], means[first], people["party"])
        except TallgrassError as error:
            logger.warning("left out of the comparison: %s: %s", label, error)
            continue
        column = on_first.table.set_index("slug")["reference"]
        aligned[str(label)] = column if label != first else means[first]
        comparisons[str(label)] = comparison
    return ComparedRuns(title, people, pd.DataFrame(aligned).reindex(means.index), comparisons)
