"""What is recorded of a calibration before anything is estimated."""

import json
from dataclasses import asdict

from tallgrass.inference.precision import DOUBLE
from tallgrass.inference.samplers import adaptation, trajectory
from tallgrass.items.model import ItemModel
from tallgrass.items.prepare import COPY, PreparedCalibration
from tallgrass.items.priors import ANCHOR_SD, LOG_SD_SD, MEAN_SD
from tallgrass.items.spec import CalibrationSpec
from tallgrass.items.used_parameters import used_parameters
from tallgrass.study.analysis import DataSet, Declaration
from tallgrass.study.recorder import installed, versions_of_libraries
from tallgrass.tracking.store import masked

MODEL = "items"
ANCHORS_TAG = "anchors.sha256"


def declaration(prepared: PreparedCalibration) -> Declaration:
    """Params, tags, the numbers among them, the dataset, and the spec as files."""
    spec, responses, log = prepared.spec, prepared.data.responses, prepared.data.log
    parameters, used = without_secrets(spec), used_parameters(spec)
    location = masked(prepared.data.location)
    # What a run was sampled with has one name in every kind of run.
    sampler = {"nuts": spec.sampler, "gibbs": "gibbs"}.get(spec.engine, "em")
    counts = {
        "n_users": len(responses.users),
        "n_items": len(responses.items),
        "n_responses": len(responses),
        "n_anchors": 0 if prepared.anchors is None else len(prepared.anchors.items),
    }
    dropped = {
        "n_rows": log.n_rows,
        "n_missing": log.n_missing,
        "n_duplicates": log.n_duplicates,
        "n_items_dropped": len(log.dropped),
        "n_anchors_dropped": len(prepared.thin_anchors),
        "n_users_dropped": log.n_users_dropped,
    }
    covariates = prepared.data.covariates
    kept = [] if covariates is None else [name for name in covariates.columns if name != "user"]
    versions = versions_of_libraries()
    priors = priors_of(spec)
    return Declaration(
        params={
            **{name: value for name, value in parameters.items() if name in used},
            "sampler": sampler,
            "model": MODEL,
            "session": location,
            "population.resolved": "free" if spec.free else "standard",
            **{f"model.{name}": value for name, value in counts.items()},
            **({"data.covariates": ", ".join(kept)} if kept else {}),
            **priors,
            **_steps(spec),
            **{f"version.{library}": number for library, number in versions.items()},
        },
        tags={
            "model": MODEL,
            "engine": spec.engine,
            "item_model": spec.item_model,
            "session": location,
            "window": spec.window,
            "anchors.thin": ", ".join(prepared.thin_anchors),
            "data.sha256": responses.fingerprint,
            **({} if prepared.anchors is None else {ANCHORS_TAG: prepared.anchors.fingerprint}),
            "spec.sha256": spec.sha256,
        },
        metrics={f"data/{name}": float(value) for name, value in {**counts, **dropped}.items()},
        data=DataSet(
            f"responses {spec.window}".strip(),
            responses.fingerprint,
            {"num_rows": counts["n_responses"], **counts},
            location,
        ),
        texts={
            "spec/run.json": json.dumps(parameters, indent=2),
            "spec/prior.json": json.dumps(priors, indent=2),
            "data/filters.json": json.dumps(asdict(log), indent=2),
            "env/requirements.txt": installed(),
            **({COPY: prepared.data.given} if prepared.data.given else {}),
        },
        tables={} if covariates is None else {"tables/covariates": covariates},
    )


def priors_of(spec: CalibrationSpec) -> dict[str, str]:
    """The priors of items and abilities by name, as recorded."""
    priors = {
        "prior.theta": "normal:mean,sd" if spec.free else "normal:0,1",
        "prior.a": spec.a_prior,
        "prior.b": spec.b_prior,
        **({"prior.c": spec.c_prior} if spec.item_model == "3pl" else {}),
    }
    if spec.has_anchors:
        sd = f"{ANCHOR_SD:g}"
        priors |= {"prior.anchor_log_a_sd": sd, "prior.anchor_b_sd": sd}
    if spec.free:
        priors |= {
            "prior.population_mean": f"normal:0,{MEAN_SD:g}",
            "prior.population_sd": f"lognormal:0,{LOG_SD_SD:g}",
        }
    if spec.engine == "mml":
        priors = dict.fromkeys(priors, "none") | {"prior.theta": priors["prior.theta"]}
    return priors


def without_secrets(spec: CalibrationSpec) -> dict[str, object]:
    """The parameters with the passwords of addresses masked: everybody can read a run."""
    return {
        name: masked(value) if isinstance(value, str) else value
        for name, value in spec.model_dump(mode="json").items()
    }


def _steps(spec: CalibrationSpec) -> dict[str, str]:
    """What mass matrix and trajectories of NUTS were made of, and how exactly; of NUTS alone."""
    if spec.engine != "nuts":
        return {}
    return {
        "sampler.adaptation": adaptation(ItemModel.adaptation, spec.sampler_spec),
        "sampler.trajectory": trajectory(ItemModel.trajectory, spec.sampler_spec),
        "sampler.floatX": DOUBLE,
    }
