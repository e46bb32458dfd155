"""``tallgrass simulate``: write a simulated legislature, or check calibration on many of them."""

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import as_json, records, say, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.settings import load_settings

if TYPE_CHECKING:
    from tallgrass.lab.sbc import Calibration
    from tallgrass.rollcalls.sources import SimulatedLegislature

_DESIGN = (
    Option("house_members", "members of the House (default: 80)", "N"),
    Option("senate_members", "members of the Senate (default: 40)", "N"),
    Option("house_rollcalls", "roll calls of the House (default: 160)", "N"),
    Option("senate_rollcalls", "roll calls of the Senate (default: 130)", "N"),
    Option("matched", "bills voted on in both chambers (default: 60)", "N"),
)
_MODEL = tuple(
    Option(
        name,
        f"with --check: {ModelSpec.model_fields[name].description} "
        f"(default: {ModelSpec.model_fields[name].default})",
        "TEXT",
    )
    for name in ("model", "coordinates", "beta_prior", "alpha_prior", "mu_prior", "sigma_prior")
)
_CHECK = (
    *_MODEL,
    Option("legislators", "with --check: members of each legislature (default: 14)", "N"),
    Option("rollcalls", "with --check: roll calls of each legislature (default: 100)", "N"),
)
OPTIONS = (
    Option("seed", "seed of the draw (default: 0)", "N"),
    *_DESIGN,
    Option("check", "fit N simulated legislatures and test calibration; status 3 if rejected", "N"),
    *_CHECK,
)
REJECTED = 3

logger = logging.getLogger(__name__)


def simulate(arguments: Arguments) -> int:
    """Draw a legislature and write it as files; with ``--check``, test calibration instead."""
    checking = "check" in arguments.options
    for option in _DESIGN if checking else _CHECK:
        if option.name in arguments.options:
            mend = "leave out --check" if checking else "add --check N"
            raise SpecError(
                f"{option.name} is of no use here", arguments.options[option.name], mend
            )
    return check(arguments) if checking else write(arguments)


def write(arguments: Arguments) -> int:
    """Draw a legislature and write it into a folder in the tallgrass CSV layout."""
    from tallgrass.rollcalls.sources import SimulationDesign
    from tallgrass.rollcalls.sources import simulate as draw

    if not arguments.operands:
        raise SpecError(
            "simulate takes one folder to write into", None, "tallgrass simulate FOLDER"
        )
    design = SimulationDesign()
    sizes: dict[str, Any] = {
        option.name: arguments.number(option.name, getattr(design, option.name), least=0)
        for option in _DESIGN
    }
    seed = arguments.number("seed", 0, least=0)
    folder = Path(arguments.operands[0])
    written = write_session(folder, draw(seed, replace(design, **sizes)))
    if arguments.json:
        print(as_json({"session": folder, "seed": seed, "files": written}))
    else:
        say(*written, f"sample it: tallgrass run --session={folder} --chamber=house")
    return 0


def check(arguments: Arguments) -> int:
    """Fit simulated legislatures, test the ranks of the true parameters, and write the results."""
    simulations = arguments.number("check", 0, least=20)
    legislators = arguments.number("legislators", 14, least=8)
    rollcalls = arguments.number("rollcalls", 100, least=10)
    seed = arguments.number("seed", 0, least=0)
    options = arguments.options
    spec = ModelSpec(**{o.name: options[o.name] for o in _MODEL if o.name in options})
    if spec.model == "joint":
        raise SpecError("model that --check does not simulate", "joint", "flat or hierarchical")
    quiet = load_settings(arguments.settings).progress == "none"
    folder = Path(arguments.operands[0] if arguments.operands else f"calibration-{spec.model}")
    _make_new(folder)

    # Imported here, because PyMC takes seconds and a wrong flag should fail at once.
    from tallgrass.lab.sbc import check_calibration

    def report(done: int) -> None:
        if not quiet and done * 10 // simulations > (done - 1) * 10 // simulations:
            logger.info("%d of %d legislatures", done, simulations)

    result = check_calibration(
        simulations, spec, legislators, rollcalls, seed=seed, observer=report
    )
    files = write_calibration(folder, result)
    if arguments.json:
        answer = {
            "calibrated": result.calibrated,
            "spec": spec.model_dump(),
            "simulations": result.n,
            "seed": seed,
            "seconds": result.seconds,
            "divergent": result.divergent,
            "slow_mixing": result.slow,
            "table": records(result.table),
            "files": files,
        }
        print(as_json(answer))
    else:
        _print_calibration(result, files)
    return 0 if result.calibrated else REJECTED


def write_calibration(folder: Path, result: "Calibration") -> list[Path]:
    """Write the table, all ranks and the picture of a check; return the paths."""
    from tallgrass.lab.sbc.plots import calibration

    paths = [folder / name for name in ("calibration.csv", "ranks.csv", "calibration.png")]
    try:
        result.table.to_csv(paths[0], index=False)
        result.ranks.to_csv(paths[1], index=False)
        calibration(result.ranks, *result.band()).savefig(paths[2])
    except OSError as error:
        raise SpecError("cannot write the folder", str(folder), str(error.strerror)) from None
    return paths


def _print_calibration(result: "Calibration", files: list[Path]) -> None:
    rows = [
        [
            row["variable"],
            row["parameters"],
            row["worst"],
            *(f"{row[p]:.3g}" for p in ("p_worst", "p_bias", "p_spread", "p_corrected")),
            "pass" if row["passed"] else "FAIL",
        ]
        for row in records(result.table)
    ]
    table(["variable", "parameters", "worst", "p", "p bias", "p spread", "corrected", ""], rows)
    say(
        "",
        f"{'Calibrated' if result.calibrated else 'Not calibrated'}: {result.n} legislatures in "
        f"{result.seconds:.0f} s, {result.divergent} with divergences, {result.slow} with an R-hat "
        "above 1.05",
        *files,
    )


def write_session(folder: Path, legislature: "SimulatedLegislature") -> list[Path]:
    """Write both chambers in the tallgrass CSV layout, and the true parameters as ``truth.json``.

    Reading the folder gives the same votes, with the same fingerprints.

    Raises
    ------
    SpecError
        When the folder is not empty, or cannot be written.
    """
    from tallgrass.rollcalls.sources import writing

    chambers = {name: legislature.chamber(name) for name in ("house", "senate")}
    truth = {
        "seed": legislature.seed,
        "design": asdict(legislature.design),
        "matched": legislature.matched,
        **{
            name: {
                "xi": dict(zip(chamber.votes.slugs, chamber.xi.tolist(), strict=True)),
                "alpha": dict(zip(chamber.votes.vote_ids, chamber.alpha.tolist(), strict=True)),
                "beta": dict(zip(chamber.votes.vote_ids, chamber.beta.tolist(), strict=True)),
            }
            for name, chamber in chambers.items()
        },
    }
    _make_new(folder)
    try:
        paths = writing.write_session(folder, {n: c.votes for n, c in chambers.items()})
        (folder / "truth.json").write_text(json.dumps(truth, indent=1), "utf-8")
    except OSError as error:
        raise SpecError("cannot write the folder", str(folder), str(error.strerror)) from None
    return [*paths, folder / "truth.json"]


def _make_new(folder: Path) -> None:
    """Create a folder, or accept an existing one if it is empty."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise SpecError("the folder holds something already", str(folder), "name a new one")
    except OSError as error:
        raise SpecError("cannot write the folder", str(folder), str(error.strerror)) from None
