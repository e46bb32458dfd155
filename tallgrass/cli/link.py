"""The command ``link``: link the scale of one run to that of another."""

from typing import TYPE_CHECKING, Any

from tallgrass.cli.output import as_json, in_browser, records, say, stdout_for_answer, table
from tallgrass.cli.parser import Arguments, Option
from tallgrass.errors import SpecError
from tallgrass.settings import load_settings

if TYPE_CHECKING:
    from tallgrass.rollcalls.link import LinkResult

OPTIONS = (
    Option("over", "link over: auto, bills or members (default: auto)", "WHAT"),
    Option("robust", "bills that deviate: none, drop or weight (default: none)", "HOW"),
    Option("anchors", "link only over these bills or members, separated by commas", "LIST"),
    Option("link_draws", "pairs of draws to link (default: 200)", "N"),
)


def link(arguments: Arguments) -> int:
    """Link two runs and record it as a run."""
    if len(arguments.operands) != 2:
        raise SpecError(
            "link takes two runs: the reference and the target",
            " ".join(arguments.operands),
            "tallgrass link RUN_REF RUN_TGT",
        )
    settings = load_settings(arguments.settings)
    with stdout_for_answer(arguments.json):
        from tallgrass.rollcalls.link import link as carry_out
        from tallgrass.rollcalls.linking import LinkOptions

        flags = arguments.options
        options = LinkOptions(
            over=flags.get("over", "auto"),
            robust=flags.get("robust", "none"),
            anchors=tuple(x.strip() for x in flags.get("anchors", "").split(",") if x.strip()),
            draws=arguments.number("link_draws", 200),
        )
        result = carry_out(*arguments.operands, options, settings)
    if arguments.json:
        print(as_json(_summary(result)))
    else:
        _print(result)
    return 0


def _summary(result: "LinkResult") -> dict[str, Any]:
    linking = result.linking
    return {
        "run_id": result.run_id,
        "experiment_id": result.experiment_id,
        "over": linking.common.over,
        "metrics": dict(linking.metrics),
        "coefficients": records(linking.coefficients),
        "warnings": list(linking.warnings),
        "report_path": result.report_path,
        "ui_url": result.ui_url,
    }


def _print(result: "LinkResult") -> None:
    linking = result.linking
    say("", f"Run {result.run_id}", f"{len(linking.common.names)} common {linking.common.over}", "")
    rows = []
    for _, row in linking.coefficients.iterrows():
        spans = [
            f"{row[name]:.3f} ({row[name + '_low']:.3f} to {row[name + '_high']:.3f})"
            for name in ("A", "B", "delta", "k")
        ]
        rows.append([row["treatment"], row["method"], *spans])
    table(["deviating", "method", "A", "B", "delta", "k"], rows)
    say("", *(f"warning: {text}" for text in linking.warnings))
    say(
        f"Report:  {result.report_path}",
        f"MLflow:  {in_browser(result.ui_url)}",
    )
