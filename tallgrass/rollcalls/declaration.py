"""What is recorded of a run on roll calls before it is sampled."""

import json
from dataclasses import asdict

from tallgrass.inference.precision import DOUBLE
from tallgrass.inference.samplers import adaptation, trajectory
from tallgrass.inference.spec import AUTO
from tallgrass.rollcalls import summaries
from tallgrass.rollcalls.anchor_text import anchors_text
from tallgrass.rollcalls.filters import FilterLog
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.memory import COPY, to_text
from tallgrass.rollcalls.prepare import PRIORS, Prepared
from tallgrass.rollcalls.spec import ModelSpec, RunSpec, prior_record
from tallgrass.rollcalls.used_parameters import used_parameters
from tallgrass.study.analysis import DataSet, Declaration
from tallgrass.study.model_file import short
from tallgrass.study.recorder import installed, versions_of_libraries

_NUMERIC_SETTINGS = ("draws", "tune", "chains", "target_accept")


def declaration(prepared: Prepared) -> Declaration:
    """Params, tags, the numbers among them, the dataset, and the spec as files."""
    spec, data = prepared.spec, prepared.data
    votes, joint = data.votes, data.joint
    counts = {
        "n_legislators": len(votes.legislators),
        "n_rollcalls": len(votes.rollcalls),
        "n_observations": votes.n_observations,
        "n_parameters": prepared.model.n_parameters,
    }
    tags = {
        "model": short(spec.model),
        "chamber": spec.chamber,
        "session": votes.session,
        "data.sha256": data.fingerprint,
        "spec.sha256": spec.sha256,
    }
    if prepared.file is not None:
        tags |= prepared.file.tags
    if prepared.baseline is not None:
        tags["baseline.run_id"] = prepared.baseline.run_id
    metrics = _metrics(spec, counts)
    if joint is not None:
        metrics["data/n_matched"] = len(joint.matched[0])
    profile = {
        "num_rows": len(votes.legislators),
        "num_rollcalls": len(votes.rollcalls),
        "num_elements": votes.n_observations,
    }
    return Declaration(
        params=_params(prepared, counts),
        tags=tags,
        metrics=metrics,
        data=DataSet(f"{votes.session} {votes.chamber}", data.fingerprint, profile, data.location),
        texts={
            "spec/run.json": json.dumps(spec.model_dump(mode="json"), indent=2),
            PRIORS: json.dumps(_priors(prepared), indent=2),
            "data/filters.json": json.dumps(_filter_record(data.filter_log), indent=2),
            "env/requirements.txt": installed(),
            **({COPY: to_text(data.given)} if data.given else {}),
            **({} if prepared.file is None else prepared.file.texts),
        },
        tables={} if joint is None else {"tables/matched_bills": summaries.matched_bills(joint)},
    )


def _params(prepared: Prepared, counts: dict[str, int]) -> dict[str, object]:
    spec, log = prepared.spec, prepared.data.filter_log
    versions = versions_of_libraries()
    given = used_parameters(spec)
    if prepared.file is not None:  # priors and coordinates of our models say nothing of it
        of_ours = set(ModelSpec.model_fields) - {"model"}
        given = {name: value for name, value in given.items() if name not in of_ours}
        given |= {f"prior.{name}": text for name, text in prepared.file.priors.items()}
    return {
        **given,
        **{f"model.{name}": count for name, count in counts.items()},
        **_anchors(prepared),
        **_groups(prepared),
        **{f"prior.{name}": prior.text for name, prior in spec.priors.items()},
        "sampler.name": spec.sampler,
        "sampler.version": versions[spec.sampler],
        "sampler.backend": "jax" if spec.adaptation == "flow" else "numba",
        "sampler.adaptation": adaptation(prepared.model.adaptation, spec),
        "sampler.trajectory": trajectory(prepared.model.trajectory, spec),
        "sampler.target_accept": spec.target_accept,
        "sampler.floatX": DOUBLE,
        "data.source": prepared.data.source,
        "data.n_legislators_read": log.n_legislators_read,
        "data.n_rollcalls_read": log.n_rollcalls_read,
        **{f"version.{library}": number for library, number in versions.items()},
    }


def _priors(prepared: Prepared) -> dict[str, object]:
    """Every prior: of our models as values and in words, of a file's in PyMC's words."""
    if prepared.file is not None:
        return dict(prepared.file.priors)
    return dict(prior_record(prepared.spec))


def _anchors(prepared: Prepared) -> dict[str, object]:
    """Who is held where in the flat model, whoever chose it."""
    model, slugs = prepared.model, prepared.data.votes.slugs
    if model.anchors is None:
        return {}
    held = zip(model.anchors, model.anchor_positions, strict=True)
    return {"model.anchors": anchors_text({slugs[row]: position for row, position in held})}


def _groups(prepared: Prepared) -> dict[str, object]:
    """The groups of a run, the lower mean of the pair first, where they are not D and R."""
    groups = prepared.data.votes.groups
    return {} if groups in ((), PARTIES) else {"model.groups": ", ".join(groups)}


def _metrics(spec: RunSpec, counts: dict[str, int]) -> dict[str, float]:
    """Numbers that are filtered by; MLflow draws parallel coordinates over metrics alone.

    What is hardly ever varied is a param alone: the seed, the limits of the filters, and the mean
    of a prior where it is 0.
    """
    return {
        **{f"data/{name}": n for name, n in counts.items() if name != "n_parameters"},
        "model/n_parameters": counts["n_parameters"],
        **{
            f"sampler/{name}": getattr(spec, name)
            for name in _NUMERIC_SETTINGS
            if getattr(spec, name) != AUTO  # how many there are is known afterwards
        },
        **{f"prior/{name}_mu": prior.mu for name, prior in spec.priors.items() if prior.mu},
        **{f"prior/{name}_sigma": prior.sigma for name, prior in spec.priors.items()},
    }


def _dropped(log: FilterLog) -> dict[str, int]:
    reasons = ("selection", "committee", "duplicate", "minority", "min_votes", "independent")
    return {reason: log.count(reason) for reason in reasons}


def _filter_record(log: FilterLog) -> dict[str, object]:
    return {**asdict(log), "dropped": _dropped(log)}
