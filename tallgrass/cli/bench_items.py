"""``tallgrass bench calibration``: the item engines on simulated responses."""

import logging
from dataclasses import asdict
from typing import Any

from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.items.specs import load_calibration_spec

OPTIONS = (
    Option("engines", "calibration: some of nuts,gibbs,map,mml (default: all)", "LIST"),
    Option("users", "calibration: users (default: 5000)", "N"),
    Option("items", "calibration: items (default: 500)", "N"),
    Option("anchors", "calibration: anchors among the items (default: 50)", "N"),
    Option("per_user", "calibration: responses per user (default: 20)", "N"),
)
_FORMS = {
    "sample or estimate, s": ".2f",
    "whole call, s": ".2f",
    "peak memory, MiB": ".0f",
    "draws a chain": ".0f",
    "ESS, least": ".0f",
    "divergences": ".0f",
}
logger = logging.getLogger(__name__)


def calibration(arguments: Arguments) -> dict[str, Any]:
    """Data, tables and notes of the comparison of engines.

    Raises
    ------
    SpecError
        When an option cannot be used.
    """
    from tallgrass.lab.benchmark.items import ENGINES, Size, measure, rows_of

    text = arguments.options.get("engines", ",".join(ENGINES))
    engines = text.split(",")
    unknown = [name for name in engines if name not in ENGINES]
    if unknown:
        raise SpecError("unknown engine", unknown[0], f"use one or more of {','.join(ENGINES)}")
    default = Size()
    size = Size(
        arguments.number("users", default.n_users, 10),
        arguments.number("items", default.n_items, 2),
        arguments.number("anchors", default.n_anchors, 0),
        arguments.number("per_user", default.per_user),
    )
    if size.per_user > size.n_items or size.n_anchors > size.n_items:
        raise SpecError(
            "more responses per user, or anchors, than items",
            f"{size.per_user} and {size.n_anchors} of {size.n_items}",
        )
    sampler_flags = {
        k: v for k, v in arguments.options.items() if k in ("draws", "tune", "chains", "seed")
    }
    long = load_calibration_spec({"engine": "nuts", **sampler_flags}).sampler_spec
    short = load_calibration_spec({"engine": "gibbs", **sampler_flags}).sampler_spec
    measured = []
    for engine in engines:
        result = measure(engine, size, short if engine == "gibbs" else long, long.seed)
        logger.info("%s: %.2f s", engine, result.seconds)
        measured.append(result)
    rows = rows_of(measured)
    notes = [
        f"{size.n_users} users, {size.n_items} items, {size.n_anchors} anchors, "
        f"{size.n_users * size.per_user} responses, seed {long.seed}; coverage is that of "
        "94 % intervals; MML has no item priors and no anchors"
    ]
    sampled = {result.engine: result for result in measured if result.draws}
    agreement: dict[str, float] = {}
    if len(sampled) == 2:
        agreement = sampled["gibbs"].z_against(sampled["nuts"])
        values = ", ".join(f"{name} {value:.3f}" for name, value in agreement.items())
        notes.append(f"gibbs against nuts: SD of the differences of means in MCSE: {values}")
    table = (
        ["", *engines],
        [
            [name, *("-" if v != v else format(v, _FORMS.get(name, ".4f")) for v in values)]  # noqa: PLR0124 (NaN)
            for name, values in rows
        ],
    )
    data = {
        "size": size._asdict(),
        "sampler": long.model_dump(mode="json"),
        "engines": [
            {
                "engine": result.engine,
                "recovery": {name: asdict(value) for name, value in result.recovery.items()},
                **{
                    name: None if (value := getattr(result, name)) != value else value
                    for name in (
                        "seconds", "total_s", "peak_bytes", "rhat", "ess", "divergences", "draws"
                    )
                },
            }
            for result in measured
        ],
        "gibbs_against_nuts": agreement,
        "notes": notes,
    }  # fmt: skip
    return {"data": data, "tables": [table], "notes": notes}
