# ruff: noqa: RUF001 - Greek letters, dashes and the signs of printed arithmetic are meant
"""The sections on the items: findings, the model, the table, curves, items against abilities."""

import pandas as pd

from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.drift import drift_in_words
from tallgrass.items.model_columns import threshold_columns
from tallgrass.report.fit import fit_findings
from tallgrass.report.page import (
    Bullets,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    Text,
    numeric,
    rows,
)
from tallgrass.report.words import counted, listed, number, percent, span

NAMED = 5

_HINTS = {"c": "chance of a right answer by guessing", "b": "threshold"}
_TWO = (
    "A user of ability θ answers an item correctly with probability 1 / (1 + exp(−a(θ − b))). The "
    "difficulty b is the ability at which the chance is one half, and the discrimination a says "
    "how quickly it rises there"
)
_HEIGHT = {False: "its chance of a correct answer", True: "the share of its points to be expected"}
MODEL_WORDS = {
    "1pl": f"{_TWO}; a is the same for all items. ",
    "2pl": f"{_TWO}. ",
    "3pl": "A user of ability θ answers an item correctly with probability c + (1 − c) / (1 + "
    "exp(−a(θ − b))). The lower asymptote c is the chance of a right answer by guessing, b is the "
    "ability half-way between c and 1, and a says how quickly the chance rises there. ",
    "graded": "A user of ability θ gives at least the answer k of an item with probability 1 / (1 "
    "+ exp(−a(θ − b_k))): the thresholds b_1, b_2, ... rise, b is their mean, and a says how "
    "sharply the answers follow the ability. The lowest answer that was given counts as 0. ",
}


_OF_ANCHORS = {
    "1pl": " The one a of all items has that of the anchors.",
    "3pl": " Its c has a beta prior whose mode is the earlier one, with standard deviation about "
    "0.04.",
    "graded": " What is said of b holds for every threshold.",
}


def key_findings(run: CalibrationAnalysis) -> Section:
    """What a reader should take away."""
    items, calibrated = run.calibrated.items, run.calibrated
    b, a = items["b"].to_numpy(), items["a"].to_numpy()
    hard, easy = items.iloc[int(b.argmax())], items.iloc[int(b.argmin())]
    sharp = items.iloc[int(a.argmax())]
    statements = [
        f"The hardest of {counted(len(items), 'item')} is {hard['item']} (b = "
        f"{number(hard['b'])}), the easiest {easy['item']} (b = {number(easy['b'])}). The sharpest "
        f"is {sharp['item']} (a = {number(sharp['a'])}).",
        f"The responses tell {percent(calibrated.marginal_reliability)} of the differences between "
        f"users (marginal reliability); the rest is uncertainty, because a user answered "
        f"{number(len(run.responses) / len(run.responses.users), 0)} items on average.",
    ]
    if (population := calibrated.population).free:
        statements.append(
            f"On the scale of the anchors this cohort has mean ability {number(population.mean)} "
            f"({span(population.mean_low, population.mean_high)}) and standard deviation "
            f"{number(population.sd)} ({span(population.sd_low, population.sd_high)})."
        )
    if run.drift is not None:
        moved = run.drift[run.drift["drifted"] | run.drift["suspect"]]
        names = listed([str(name) for name in moved["item"].head(NAMED)])
        if moved.empty:
            statements.append(f"None of {counted(len(run.drift), 'anchor')} drifted.")
        else:
            dropped = " They were dropped and the items fitted again." if run.purified else ""
            more = "" if len(moved) <= NAMED else " and others"
            statements.append(f"{drift_in_words(run.drift)}: {names}{more}.{dropped}")
    if run.agreement is not None:
        for _, row in run.agreement.summary.iterrows():
            statements.append(
                f"{row['first']} and {row['second']} disagree by more than "
                f"{run.spec.agreement:g} on {int(row['n_flagged'])} of "
                f"{counted(int(row['n']), 'item')}."
            )
    if run.dif is not None:
        large = run.dif[run.dif["severity"] == "C"]
        named = listed([f"{r['item']} ({r['group']})" for _, r in large.head(NAMED).iterrows()])
        statements.append(
            f"{counted(len(large), 'item')} differ much between groups: {named}."
            if len(large)
            else "No item differs much between the groups that were compared."
        )
    one_sided = items.loc[items["one_sided"], "item"]
    if len(one_sided):
        statements.append(
            f"{counted(len(one_sided), 'item')} all right or all wrong, known by the prior only: "
            f"{listed([str(name) for name in one_sided.head(NAMED)])}."
        )
    doubts = [Text(words, tone="warning") for words in fit_findings(run.fit_verdict)]
    return Section("findings", "Key findings", (*doubts, Bullets(tuple(statements))))


def the_model(run: CalibrationAnalysis) -> Section:
    """What was fitted, in words."""
    words = MODEL_WORDS[run.spec.item_model]
    anchors = (
        ""
        if run.anchors is None
        else (
            " An anchor has its earlier values as prior means, with standard deviation 0.05 "
            "(of log a, and of b), so that the scale stays where it was."
            + _OF_ANCHORS.get(run.spec.item_model, "")
        )
    )
    if run.spec.engine == "mml":
        words += (
            "Abilities are integrated out; a and b have no priors, as in mirt's default. Items "
            "with few responses therefore lie farther from the middle than under the other "
            f"engines. {_maximum_likelihood(run)}"
        )
    else:
        a, b = run.spec.prior_choice.a, run.spec.prior_choice.b
        theta = (
            "θ is normal; its mean (prior: mean 0, SD 1) and SD (prior: logarithm with mean 0, "
            "SD 0.5) are estimated, because the anchors hold the scale and this cohort may be "
            "abler than theirs"
            if run.calibrated.population.free
            else "θ is normal with mean 0 and SD 1, which fixes the scale"
        )
        words += (
            f"Priors: {theta}; log a is normal with mean {a.mu:g}, SD {a.sigma:g}; b is normal "
            f"with mean {b.mu:g}, SD {b.sigma:g}{_guessing(run)}." + anchors
        )
    blocks: list[Text] = [Text(words)]
    if run.purified:
        blocks.append(
            Text(
                f"Anchors dropped because they drifted, then fitted again as ordinary items: "
                f"{listed(list(run.purified))}.",
                tone="warning",
            )
        )
    blocks += [Text(note, tone="aside") for note in run.notes]
    return Section("model", "What was fitted", tuple(blocks))


def _guessing(run: CalibrationAnalysis) -> str:
    if run.spec.item_model != "3pl":
        return ""
    first, second = run.spec.prior_choice.c
    return f"; c is beta with parameters {first:g} and {second:g}"


def _maximum_likelihood(run: CalibrationAnalysis) -> str:
    """How the scale of maximum likelihood is fixed."""
    if run.anchors is None:
        return "Abilities are N(0, 1), which fixes the scale."
    if not run.spec.on_scale_of_anchors:
        return (
            "Abilities are N(0, 1), which fixes the scale; the anchors are on another scale and "
            "play no part."
        )
    link = run.calibrated.link
    if link is None:
        return (
            "The anchors keep their earlier values, and mean and SD of the abilities are estimated."
        )
    return (
        f"The estimates were then linked to the scale of {counted(link.n_anchors, 'anchor')} "
        f"(Stocking-Lord): θ there is {number(link.a, 3)} θ + {number(link.b, 3)}, with standard "
        f"errors {number(link.a_se, 3)} and {number(link.b_se, 3)}."
    )


def item_section(run: CalibrationAnalysis) -> Section:
    """The table of items."""
    items = run.calibrated.items
    ordered = items.sort_values("b", ascending=False, kind="stable")
    more = [name for name in ("c", *threshold_columns(items)) if name in items]
    cells = rows(
        [Cell(_name(row)) for _, row in ordered.iterrows()],
        [numeric(v) for v in ordered["a"]],
        [Cell(span(x, y), x) for x, y in zip(ordered["a_low"], ordered["a_high"], strict=True)],
        [numeric(v) for v in ordered["b"]],
        [Cell(span(x, y), x) for x, y in zip(ordered["b_low"], ordered["b_high"], strict=True)],
        *([numeric(v) for v in ordered[name]] for name in more),
        [Cell(f"{v:,}", v) for v in ordered["n"]],
        [Cell(percent(v), v) for v in ordered["share_correct"]],
        [numeric(v) for v in ordered["infit"]],
        [numeric(v) for v in ordered["outfit"]],
        [numeric(v, 1) for v in ordered["infit_z"]],
        [numeric(v, 1) for v in ordered["outfit_z"]],
    )
    columns = (
        Column("Item"),
        Column("a", numeric=True, hint="discrimination"),
        Column("95 % interval", numeric=True),
        Column("b", numeric=True, hint="difficulty"),
        Column("95 % interval", numeric=True),
        *(Column(name, numeric=True, hint=_HINTS.get(name[0], "")) for name in more),
        Column("Responses", numeric=True),
        Column("Points" if run.responses.graded else "Correct", numeric=True),
        Column("Infit", numeric=True, hint="above 1 more erratic than the model, below 1 less"),
        Column("Outfit", numeric=True, hint="above 1 more erratic than the model, below 1 less"),
        Column("Infit z", numeric=True, hint="beyond 3 or -3 is more than chance"),
        Column("Outfit z", numeric=True, hint="beyond 3 or -3 is more than chance"),
    )
    caption = f"Parameters of {counted(len(items), 'item')}, the hardest first"
    table = Table(caption, columns, cells, find="Find an item", sortable=True)
    text = Text("One row an item. Click a column's title to order by it.")
    return Section("items", "Items", (text, table))


def curves_section(run: CalibrationAnalysis) -> Section:
    """Characteristic and information curves."""
    items = run.calibrated.items
    text = Text(
        f"On the left, a thin line is an item: {_HEIGHT[run.responses.graded]} at every ability; "
        "the dark line is their mean. On the right, what an item tells about an ability (thin), "
        "and all items together (orange, scale on the right). The grey band holds 95 % of the "
        "users: information outside it is not used."
    )
    alt = (
        f"Characteristic curves of {len(items)} items with difficulties from "
        f"{span(items['b'].min(), items['b'].max())} and discriminations from "
        f"{span(items['a'].min(), items['a'].max())}, and their information curves."
    )
    picture = Picture("item_curves", alt, "Characteristic and information curves")
    return Section("curves", "Item curves and information", (text, picture))


def wright_section(run: CalibrationAnalysis) -> Section:
    """Users and items on one scale."""
    items, users = run.calibrated.items, run.calibrated.users
    text = Text(
        "Users by ability above the line, items by difficulty below it, on one scale. Where the "
        "two lie beside each other the items tell most; users beyond the items are measured "
        "poorly."
    )
    alt = (
        f"Wright map: abilities of {len(users)} users around {number(users['theta'].mean())} with "
        f"standard deviation {number(users['theta'].std())}, difficulties of {len(items)} items "
        f"around {number(items['b'].mean())} with standard deviation {number(items['b'].std())}."
    )
    picture = Picture("wright_map", alt, "Abilities of users and difficulties of items")
    return Section("wright-map", "Users and items on one scale", (text, picture))


def _name(row: "pd.Series[str]") -> str:
    words = [word for word in ("anchor", "one_sided") if row[word]]
    marks = {"anchor": "anchor", "one_sided": "all right or all wrong"}
    return f"{row['item']} ({', '.join(marks[word] for word in words)})" if words else row["item"]
