"""``tallgrass compare RUN --against FILE``: a run beside published scores of the same people."""

import math
from collections.abc import Sequence

from tallgrass.cli.output import as_json, records, say, table
from tallgrass.cli.parser import Arguments
from tallgrass.errors import SpecError
from tallgrass.rounding import diagnostic

_SHOWN = 10


def against_scores(arguments: Arguments) -> int:
    """Print the agreement, who moved most, and who was not matched."""
    from tallgrass.rollcalls.against_scores import against

    if len(arguments.operands) != 1:
        raise SpecError("scores are compared with one run", len(arguments.operands), "name one run")
    options = arguments.options
    found = against(
        arguments.operands[0],
        options["against"],
        options.get("score-column", ""),
        options.get("name-column", ""),
    )
    if arguments.json:
        left = {"members": found.without_score, "scores": found.without_member}
        answer = {"metrics": found.metrics, "not_matched": left, "table": records(found.table)}
        print(as_json(answer))
        return 0
    figures = [[name, diagnostic(value)] for name, value in found.metrics.items()]
    table(["measure", "value"], figures)
    moved = found.table.reindex(found.table["rank_change"].abs().sort_values(ascending=False).index)
    say("", "Who stands at the most different places:")
    table(
        ["member", "party", "rank", "rank by the scores", "matched by"],
        [
            [row["name"], row["party"], *_places(row["rank"], row["rank_score"]), row["matched_by"]]
            for _, row in moved.head(_SHOWN).iterrows()
        ],
    )
    say(*_left("Members without a score", found.without_score))
    say(*_left("Scores of nobody in the run", found.without_member))
    return 0


def _places(*ranks: float) -> list[str]:
    return ["held fixed" if math.isnan(rank) else f"{rank:.0f}" for rank in ranks]


def _left(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"{what}: {', '.join(names[:_SHOWN])}{more}"]
