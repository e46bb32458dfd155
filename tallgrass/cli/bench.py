"""``tallgrass bench``: compare ways to sample, the kernel, item engines, the steps of a run."""

import logging
import math
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

from tallgrass.cli import bench_items, bench_run
from tallgrass.cli.output import as_json, say, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.inference.spec import Adaptation
from tallgrass.rollcalls.spec import RunSpec, load_run_spec
from tallgrass.settings import load_settings

if TYPE_CHECKING:
    from tallgrass.lab.benchmark.comparison import Column
    from tallgrass.lab.benchmark.kernel import Growth, KernelSpeed
    from tallgrass.lab.benchmark.machine import Processor
    from tallgrass.rollcalls.votes import VoteMatrix

# Fewer draws than usual, because the plain way takes minutes for a thousand.
DRAWS, TUNE = "500", "500"
OPTIONS = (
    Option("session", "as for run (default: sample)", "TEXT"),
    Option("chamber", "senate or house (default: senate)", "{senate,house}"),
    Option("model", "flat or hierarchical (default: hierarchical)", "{flat,hierarchical}"),
    Option("draws", f"kept draws per chain (default: {DRAWS})", "N"),
    Option("tune", f"tuning draws per chain (default: {TUNE})", "N"),
    Option("chains", "number of chains (default: 4)", "N"),
    Option("seed", "seed of the first round (default: 42)", "N"),
    Option("repeats", "rounds, each with its own seed (default: 1)", "N"),
    Option("adaptations", "compare nutpie's adaptations: all, or those after = (diag,low_rank)"),
    Option("kernel", "time only the kernel, up to 100 million votes"),
    *bench_run.OPTIONS,
    *bench_items.OPTIONS,
)
_RUN = ("session", "chamber", "model", "draws", "tune", "chains", "seed")
_FLOW_MODULES = ("jax", "flowjax", "equinox")

logger = logging.getLogger(__name__)


def bench(arguments: Arguments) -> int:
    """Measure and print one table (two for the kernel).

    Raises
    ------
    SpecError
        When a parameter cannot be used.
    """
    if arguments.operands not in ((), ("calibration",), ("run",)):
        raise SpecError(
            "unknown benchmark", arguments.operands[0], "use calibration or run, or nothing"
        )
    flags = {name: arguments.options[name] for name in _RUN if name in arguments.options}
    spec = load_run_spec({"draws": DRAWS, "tune": TUNE, **flags})
    rounds = arguments.number("repeats", 1)
    with redirect_stdout(sys.stderr):  # keeps the output of libraries out of the answer
        if arguments.operands == ("run",):
            answer = bench_run.steps(arguments, flags, rounds)
        elif arguments.operands:
            answer = bench_items.calibration(arguments)
        elif _is_set(arguments, "kernel"):
            answer = _kernel(arguments, spec)
        else:
            answer = _sampling(arguments, spec, rounds)
    if arguments.json:
        print(as_json(answer["data"]))
    else:
        for heads, rows in answer["tables"]:
            table(heads, rows)
            say("")
        say(*answer["notes"])
    return 0


def _sampling(arguments: Arguments, spec: RunSpec, rounds: int) -> dict[str, Any]:
    notes = []
    adaptations: list[Adaptation] = []
    if _is_set(arguments, "adaptations"):
        adaptations = _adaptations(arguments.options["adaptations"])
        if "flow" in adaptations and not all(find_spec(module) for module in _FLOW_MODULES):
            adaptations.remove("flow")
            notes.append("flow is left out: it needs JAX (pip install 'tallgrass[flow]')")

    from tallgrass.lab.benchmark import variants
    from tallgrass.lab.benchmark.comparison import columns_of
    from tallgrass.lab.benchmark.machine import processor
    from tallgrass.rollcalls.filters import filter_votes
    from tallgrass.rollcalls.start import make_start

    votes, _ = filter_votes(
        _votes(arguments, spec),
        spec.minority_threshold,
        spec.min_votes,
        parties_only=spec.model != "flat",
        committee=spec.committee,
        settled=spec.filters == "settled",
    )
    compared = variants.adaptations(spec, adaptations) if adaptations else variants.three_ways(spec)
    machine = processor()
    measured: dict[str, list[Any]] = {variant.name: [] for variant in compared}
    for variant, round_, run in variants.measure(compared, votes, make_start(votes, "pca"), rounds):
        logger.info(
            "round %d of %d, %s: sampled in %.1f s, %.0f effective samples",
            round_ + 1,
            rounds,
            variant.name,
            run.sampling_s,
            run.ess,
        )
        measured[variant.name].append(run)
    columns = columns_of(measured)
    n_legislators, n_rollcalls = votes.cells.shape
    notes = [
        f"{spec.model} model, {votes.chamber} of {spec.session}: {n_legislators} legislators, "
        f"{n_rollcalls} roll calls, {votes.n_observations} votes; {spec.chains} chains of "
        f"{spec.tune} + {spec.most_draws} draws, rounds: {rounds}",
        *_machine_notes(machine),
        *(
            f"{column.name} has not converged (R-hat {column.rhat:.3f}): its rate and any "
            "agreement with it are unreliable; use more draws"
            for column in columns
            if not column.converged
        ),
        *notes,
    ]
    data = {
        "spec": spec.model_dump(mode="json"),
        "machine": asdict(machine),
        "ways": [asdict(column) for column in columns],
        "notes": notes,
    }
    return {"data": data, "tables": [comparison_table(columns)], "notes": notes}


def _kernel(arguments: Arguments, spec: RunSpec) -> dict[str, Any]:
    from tallgrass.lab.benchmark.kernel import growth, kernel_speed
    from tallgrass.lab.benchmark.machine import processor

    machine = processor()
    speed = kernel_speed(_votes(arguments, spec).cells)
    sizes = growth()
    notes = [*_machine_notes(machine), "times are processor time on one core"]
    data = {
        "machine": asdict(machine),
        "kernel": {**asdict(speed), "share_of_limit": speed.share_of_limit},
        "growth": [
            {**asdict(size), "ns_a_vote": size.ns_a_vote, "bytes_a_vote": size.bytes_a_vote}
            for size in sizes
        ],
        "notes": notes,
    }
    return {"data": data, "tables": [kernel_table(speed), growth_table(sizes)], "notes": notes}


def _votes(arguments: Arguments, spec: RunSpec) -> "VoteMatrix":
    from tallgrass.rollcalls.sources import load_votes

    settings = load_settings(arguments.settings)
    return load_votes(
        spec.session,
        spec.chamber,
        settings.data_dir,
        settings.limits,
        table=spec.votes_table,
        query=spec.votes_query,
    )


def comparison_table(columns: "Sequence[Column]") -> tuple[list[str], list[list[str]]]:
    """Heads and rows: a row per measure, a column per way to sample."""
    rows: list[tuple[str, list[str]]] = [
        ("compile, s", [f"{column.compile_s:.1f}" for column in columns]),
        ("sample, s", [f"{column.sampling_s:.2f}" for column in columns]),
        ("gradients, tuning", [_number(column.gradients_tuning, ".0f") for column in columns]),
        ("gradients, draws", [f"{column.gradients:.0f}" for column in columns]),
        ("us a gradient", [_number(column.us_a_gradient, ".1f") for column in columns]),
        ("ESS, least", [f"{column.ess:.0f}" for column in columns]),
        ("  which is of", [column.limited_by for column in columns]),
        ("R-hat, highest", [f"{column.rhat:.3f}" for column in columns]),
        ("divergences", [str(column.divergences) for column in columns]),
        ("ESS/s with tuning", [_number(column.ess_per_s, ".4g") for column in columns]),
        ("  lowest round", [_number(column.ess_per_s_range[0], ".4g") for column in columns]),
        ("  highest round", [_number(column.ess_per_s_range[1], ".4g") for column in columns]),
        ("ESS/s after tuning", [_number(column.ess_per_s_tuned, ".4g") for column in columns]),
        ("ESS/1000 gradients", [f"{column.ess_per_1000_gradients:.2f}" for column in columns]),
        ("ratio of ESS/s", [f"{column.ratio:.4g}" for column in columns]),
        ("means: largest |z|", [_number(column.z_max, ".2f") for column in columns]),
        ("means: sd of z", [_number(column.z_sd, ".2f") for column in columns]),
    ]
    if columns[0].rounds == 1:
        rows = [row for row in rows if not row[0].endswith(" round")]
    return ["", *(column.name for column in columns)], [[name, *cells] for name, cells in rows]


def kernel_table(speed: "KernelSpeed") -> tuple[list[str], list[list[str]]]:
    """Heads and rows: the kernel, and the plain loops to compare it with."""
    shape = f"{speed.n_legislators} x {speed.n_rollcalls}"
    return ["", "ns a vote"], [
        [f"kernel, {shape}", f"{speed.kernel_ns:.3f}"],
        ["its multiply-adds alone", f"{speed.multiply_adds_ns:.3f}"],
        ["limit: with the division", f"{speed.limit_ns:.3f}"],
        ["limit by kernel", f"{100 * speed.share_of_limit:.0f} %"],
    ]


def growth_table(sizes: "Sequence[Growth]") -> tuple[list[str], list[list[str]]]:
    """Heads and rows: a row per size."""
    mib = 1024**2
    return ["votes", "ms", "ns a vote", "memory, MiB", "beyond base, bytes a vote"], [
        [
            f"{size.votes:.0e}",
            f"{1e3 * size.seconds:.3f}",
            f"{size.ns_a_vote:.2f}",
            f"{size.peak_bytes / mib:.0f}",
            f"{size.bytes_a_vote:.2f}",
        ]
        for size in sizes
    ]


def _is_set(arguments: Arguments, switch: str) -> bool:
    return arguments.options.get(switch, "false").lower() != "false"


def _adaptations(text: str) -> list[Adaptation]:
    """The named adaptations, or all for a flag without a value."""
    known: tuple[Adaptation, ...] = tuple(name for name in get_args(Adaptation) if name != "auto")
    if text.lower() == "true":
        return list(known)
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise SpecError("unknown adaptation", unknown[0], f"use one or more of {','.join(known)}")
    return [name for name in known if name in text.split(",")]


def _machine_notes(processor: "Processor") -> list[str]:
    notes = [str(processor)]
    if processor.busy:
        notes.append(
            f"other programs were running (load {processor.load:.1f} on {processor.cores} cores): "
            "times are too long, ratios are more reliable"
        )
    return notes


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
