"""One run on roll calls of any model: one of ours, or that of a file of the user's.

A model in a file that has ideal points, difficulties and discriminations gets the tables, the
report, links and baselines of roll calls; any other gets what every model gets.
"""

import logging
import time
from typing import TYPE_CHECKING, Any

from tallgrass.errors import SpecError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.settings import Settings, load_settings
from tallgrass.study.model_file import ModelFile, as_named, is_reference

if TYPE_CHECKING:
    from tallgrass.items.spec import CalibrationSpec
    from tallgrass.own.description import Description
    from tallgrass.own.result import ModelResult
    from tallgrass.own.study import OwnStudy
    from tallgrass.rollcalls.memory import Given
    from tallgrass.rollcalls.prepare import FromFile
    from tallgrass.rollcalls.reading import Read
    from tallgrass.rollcalls.result import FitResult
    from tallgrass.rollcalls.spec import RunSpec
    from tallgrass.study.study import Context

logger = logging.getLogger(__name__)


def fit(
    spec: "RunSpec",
    settings: Settings | None = None,
    context: "Context | None" = None,
    votes: "Given | None" = None,
) -> "FitResult | ModelResult":
    """Sample one chamber and keep everything as one MLflow run.

    Parameters
    ----------
    spec : RunSpec
        Data, model, sampler, start and baseline. The model may be a function of yours,
        ``my_models.py:function``: it takes a :class:`tallgrass.VoteMatrix` and the spec, and
        returns a ``pymc.Model``.
    settings : Settings, optional
        Paths, addresses and thresholds; read from the environment and ``.env`` without it.
    context : Context, optional
        What the run is part of, such as an experiment.
    votes : VoteMatrix, DataFrame or mapping, optional
        Votes in memory, in place of those of ``spec.session``: a chamber, a table as
        :meth:`tallgrass.VoteMatrix.from_frame` takes it, or ``house`` and ``senate`` for the joint
        model. A copy is kept with the run, so that it can be made again.

    Returns
    -------
    FitResult or ModelResult
        A run whose chains did not converge is a result too: its verdict is ``fail``. A model of
        yours whose variables are not xi, alpha and beta of legislators and roll calls gives a
        ModelResult.

    Raises
    ------
    TallgrassError
        When the data, the parameters, the file or the MLflow store cannot be used. Nothing is
        written then.
    Interrupted
        After Ctrl-C; the draws made until then are in the run, whose status is KILLED.

    Examples
    --------
    >>> spec = tg.RunSpec(session="sample", chamber="senate", draws=500)
    >>> result = tg.fit(spec, tg.Settings(progress="none"))
    >>> result.verdict.status in ("pass", "fail")
    True
    """
    if not is_reference(spec.model):
        from tallgrass.rollcalls.fit import fit as fit_ours

        return fit_ours(spec, settings, context, votes)
    began = time.perf_counter()
    from tallgrass.study.clock import Clock
    from tallgrass.study.study import Context
    from tallgrass.tracking.progress import steps

    settings, context = settings or load_settings(), context or Context()
    clock = Clock(began, steps(settings.progress))
    file = ModelFile.read(spec.model)
    chambers = None
    if votes is not None:
        from tallgrass.rollcalls.memory import given_votes

        spec, chambers = given_votes(spec, votes)
    from tallgrass.rollcalls.reading import read

    # Where the sampler starts is the file's business.
    spec = spec.model_copy(update={"init": "none"})
    with clock.timed("prepare_s"):
        data = read(spec, settings, chambers)
        graph, description, given, reason = _model(file, spec, data)
    if given is not None:
        from tallgrass.rollcalls.run import carry_out_run

        return carry_out_run(spec, data, settings, clock, context, given)
    logger.info("%s gets the tables of any model, not those of roll calls: %s", file.name, reason)
    from tallgrass.own.sample import carry_out_study, exact

    study = _study(file, spec, data, graph, description)
    return carry_out_study(study, exact(settings), clock, spec.baseline, context)


def fit_items(
    model: str,
    spec: "CalibrationSpec",
    settings: Settings | None = None,
    context: "Context | None" = None,
) -> "ModelResult":
    """Sample test items with a model of the user's, as one MLflow run.

    The run has what every model's run has, and not the tables of a calibration.

    Parameters
    ----------
    model : str
        A function, ``my_items.py:function``: it takes the responses (``users``, ``items``, and by
        response ``user``, ``item`` and ``correct``) and the spec, and returns a ``pymc.Model``.
    spec : CalibrationSpec
        The responses, and draws, tuning, chains, seed and target acceptance; what it says of
        engines, anchors and publishing is not used.
    settings : Settings, optional
        Paths, addresses and thresholds; read from the environment and ``.env`` without it.
    context : Context, optional
        What the run is part of.

    Raises
    ------
    TallgrassError
        As for :func:`fit`.
    """
    from tallgrass.items.declaration import without_secrets
    from tallgrass.items.prepare import read
    from tallgrass.own.description import describe
    from tallgrass.own.model import chosen_sampler, prepared_model
    from tallgrass.own.sample import carry_out_study, exact
    from tallgrass.own.study import OwnStudy
    from tallgrass.study.clock import Clock

    settings, clock = settings or load_settings(), Clock()
    file = ModelFile.read(model)
    with clock.timed("prepare_s"):
        data = read(spec, settings)
        graph = _made(file, data.responses, spec)
        sampler = SamplerSpec(
            sampler=chosen_sampler("auto", graph),
            **{name: getattr(spec, name) for name in _SAMPLING},
        )
        description = describe(graph)
        shown = without_secrets(spec)
        study = OwnStudy(
            file.name,
            description,
            {name: shown[name] for name in _RESPONSES},
            {**file.tags, "responses.sha256": data.responses.fingerprint},
            prepared_model(graph, description, None),
            sampler,
            texts=file.texts,
        )
    return carry_out_study(study, exact(settings), clock, "auto", context)


_SAMPLING = ("draws", "tune", "chains", "seed", "target_accept")
_RESPONSES = ("responses", "table", "window", "since", "until", "min_responses")


def _made(file: ModelFile, data: object, spec: object) -> Any:
    """The graph that the function of a file makes of data and spec."""
    from tallgrass.own.description import model_of

    made = file.call(data, spec)
    if type(made).__module__.partition(".")[0] != "pymc":
        mend = "it must return a pm.Model"
        raise SpecError(f"{file.name} makes no PyMC model", type(made).__name__, mend)
    return model_of(made)


def _model(
    file: ModelFile, spec: "RunSpec", data: "Read"
) -> "tuple[Any, Description, FromFile | None, str]":
    """The graph, what it is made of, and the model as the wing takes it, or why it does not."""
    from tallgrass.own.description import describe
    from tallgrass.own.model import chosen_sampler, prepared_model
    from tallgrass.rollcalls.models.from_file import given_model, not_of_this_wing
    from tallgrass.rollcalls.prepare import FromFile

    graph = _made(file, data.votes, spec)
    chosen_sampler(spec.sampler, graph)
    description = describe(graph)
    kept = prepared_model(graph, description, None).variables
    if reason := not_of_this_wing(graph, kept, data.votes):
        return graph, description, None, reason
    texts = {"model/variables.json": description.to_json(), "model/graph.mmd": description.graph}
    given = FromFile(
        given_model(graph, kept),
        {variable.name: variable.text for variable in description.of("free")},
        file.tags,
        {**file.texts, **texts},
    )
    return graph, description, given, ""


def _study(
    file: ModelFile, spec: "RunSpec", data: "Read", graph: Any, description: "Description"
) -> "OwnStudy":
    """A model that is not of the kind that the wing's tables are about."""
    import json

    from tallgrass.escaping import masked
    from tallgrass.own.model import prepared_model
    from tallgrass.own.study import OwnStudy
    from tallgrass.rollcalls.memory import COPY, to_text
    from tallgrass.rollcalls.spec import ModelSpec

    votes = data.votes
    shown = spec.model_copy(update={"session": masked(spec.session)})
    ours = {*ModelSpec.model_fields, "sampler"}
    params = {name: value for name, value in shown.model_dump().items() if name not in ours}
    params |= {
        "data.source": data.source,
        "data.n_legislators": len(votes.legislators),
        "data.n_rollcalls": len(votes.rollcalls),
    }
    texts = {**file.texts, "spec/run.json": json.dumps(shown.model_dump(mode="json"), indent=2)}
    if data.given:
        texts[COPY] = to_text(data.given)
    return OwnStudy(
        file.name,
        description,
        params,
        {
            **file.tags,
            "chamber": votes.chamber,
            "session": votes.session,
            "votes.sha256": data.fingerprint,
        },
        prepared_model(graph, description, None),
        spec.sampler_spec,
        texts=texts,
    )


def require_same_file(model: str, recorded: str, accept_changed: bool) -> None:
    """Refuse to repeat a run with a file that is not the one that it was made with.

    Parameters
    ----------
    model : str
        ``FILE.py:FUNCTION`` as the user names it now; or as the run has it, where the user names
        none.
    recorded : str
        Digest of the file in the run.
    accept_changed : bool
        Whether the user said that another file is meant.

    Raises
    ------
    SpecError
        When the file was changed, or the user did not name it.
    """
    if not is_reference(model):
        return
    file = ModelFile.read(model)
    if file.sha256 != recorded and not accept_changed:
        raise SpecError(
            "the file of the model is not the one that the run was made with",
            f"{as_named(model)}: SHA-256 {file.sha256[:12]}, of the run {recorded[:12]}",
            "the run holds its file as model/source.py; --changed takes yours as it is",
        )
