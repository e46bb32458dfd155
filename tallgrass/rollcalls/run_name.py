"""The name of a run in MLflow, which tells it from the others of a table."""

import re

from tallgrass.rollcalls.spec import ModelSpec, RunSpec
from tallgrass.study.model_file import short

BETWEEN = " \N{MIDDLE DOT} "
_BIENNIUM = re.compile(r"(.+)_\d{4}-\d{4}")  # of a session's name, which is known without it
_LONGEST = 24  # characters of a session or a value
_MOST = 2  # differences that are named
# What the name says in other words, and what changes no draw.
_SAID = {"session", "chamber", "model", "dims", "sampler", "init"}
_APART = {"votes_table", "votes_query", "baseline", "against", "strict", "fit_checks", "likelihood"}
_PRIOR = "_prior"


def run_name(spec: RunSpec, session: str) -> str:
    """Session, chamber, model, sampler and start, and what else is not the default.

    Parameters
    ----------
    spec : RunSpec
        The run.
    session : str
        Its session as the data name it.

    Examples
    --------
    >>> run_name(RunSpec(chamber="house", beta_prior="lognormal:0,0.5"), "91st_2025-2026")
    '91st House · hierarchical · nutpie pca · beta lognormal:0,0.5'
    """
    dims = " 2d" if spec.dims == 2 else ""
    parts = [
        f"{session_words(session)} {_chamber_words(spec.chamber)}",
        f"{short(spec.model)}{dims}",
        f"{spec.sampler} {spec.init.partition(':')[0]}",
        *_differences(spec),
    ]
    return BETWEEN.join(parts)


def session_words(session: str) -> str:
    """A session's name without its years, cut where it is long."""
    biennium = _BIENNIUM.fullmatch(session)
    return _cut(biennium.group(1) if biennium else session)


def _chamber_words(chamber: str) -> str:
    return "both chambers" if chamber == "both" else chamber.capitalize()


def _differences(spec: RunSpec) -> list[str]:
    """What is not the default: priors first, and how many more there are."""
    fields = RunSpec.model_fields
    left_out = _SAID | _APART | (set() if spec.has_anchors else {"anchors"})
    names = [
        name
        for name in fields
        if name not in left_out and getattr(spec, name) != fields[name].default
    ]
    names.sort(key=lambda name: (not name.endswith(_PRIOR), name not in ModelSpec.model_fields))
    words = [f"{_field_words(name)} {_value_words(getattr(spec, name))}" for name in names]
    more = [f"+{len(words) - _MOST}"] if len(words) > _MOST else []
    return [*words[:_MOST], *more]


def _field_words(name: str) -> str:
    return name.removesuffix(_PRIOR).replace("_", " ")


def _value_words(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
