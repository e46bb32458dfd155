"""The parameters of the dynamic model: many sessions on one scale, carried by their members."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tallgrass.errors import SpecError
from tallgrass.inference.priors import PriorSpec
from tallgrass.inference.spec import Frozen

MODEL = "dynamic"
Walk = Literal["t4", "normal"]

# Priors of the dynamic model that are not parameters of a run.
FIXED_PRIORS = {"sigma_bill": "halfnormal:5", "sigma_new": "halfnormal:1"}
SIGMA_DIF = "halfnormal:2"  # of matched bills' deviations, as in the joint model


class CareerSpec(Frozen):
    """Which sessions, how members are linked, and the priors of the walk and of the scales."""

    walk: Walk = Field("t4", description="dynamic: steps of a career are t4 or normal")
    tau_prior: str = Field(
        "halfnormal:0.5", description="dynamic: prior of tau, the size of a step a biennium"
    )
    mu_walk_prior: str = Field(
        "normal:0,0.5",
        description="dynamic: step a biennium of the mean position of a party's new members",
    )
    delta_prior: str = Field("normal:0,1", description="dynamic: prior of a session's midpoint")
    log_k_prior: str = Field(
        "normal:0,0.5", description="dynamic: prior of the log of a session's half gap"
    )
    reference: str = Field(
        "last", description="dynamic: the session that sets the scale: last, or its name"
    )
    members: str = Field(
        "", description="dynamic: CSV file (session, slug, person) that corrects who is who"
    )
    chamber_changes: bool = Field(
        True, description="dynamic, both chambers: members who change chamber carry the scale"
    )
    matched_bills: bool = Field(
        True, description="dynamic, both chambers: bills that both voted on carry the scale"
    )
    leave_out: str = Field("", description="dynamic: sessions to leave out, separated by commas")

    _PRIORS: ClassVar[tuple[str, ...]] = ("tau", "mu_walk", "delta", "log_k")

    @field_validator("tau_prior", "mu_walk_prior", "delta_prior", "log_k_prior")
    @classmethod
    def _canonical_prior(cls, text: str, info: Any) -> str:
        try:
            prior = PriorSpec.parse(text)
        except SpecError as error:
            raise SpecError(f"{info.field_name}: {error.what}", text, error.mend) from None
        wanted = info.field_name == "tau_prior"
        if prior.positive != wanted:
            raise SpecError(
                f"{info.field_name}: a prior on "
                f"{'positive values' if wanted else 'the whole real line'} is needed",
                text,
                "use halfnormal:0.5 or lognormal:-2,0.5" if wanted else "use normal:mu,sigma",
            )
        return prior.text

    @model_validator(mode="after")
    def _settings_of_the_dynamic_model(self) -> Self:
        model = getattr(self, "model", MODEL)
        if model == MODEL:
            self._refuse_settings_of_other_models()
            return self
        for name, field in CareerSpec.model_fields.items():
            value = getattr(self, name)
            if value != field.default:
                raise SpecError(
                    f"{name} is a setting of the dynamic model",
                    f"model={model}, {name}={str(value).lower()}",
                    "add model=dynamic, or leave it out",
                )
        return self

    def _refuse_settings_of_other_models(self) -> None:
        """Parameters of the subclass, :class:`tallgrass.rollcalls.spec.RunSpec`."""
        fields = type(self).model_fields
        for name in ("alpha_prior", "beta_prior", "mu_prior", "sigma_prior"):
            if name in fields and getattr(self, name) != fields[name].default:
                raise SpecError(
                    f"{name}: the dynamic model has priors of its own",
                    getattr(self, name),
                    f"leave {name} out; its own are tau_prior, mu_walk_prior, delta_prior and "
                    "log_k_prior",
                )
        if getattr(self, "adaptation", "") == "flow":
            raise SpecError(
                "adaptation=flow does not sample the dynamic model",
                "model=dynamic, adaptation=flow",
                "leave adaptation out: in these coordinates it is not needed",
            )

    def career_priors(self, both: bool) -> dict[str, PriorSpec]:
        """The priors by variable; ``both``: of two chambers with matched bills."""
        texts = {name: getattr(self, f"{name}_prior") for name in self._PRIORS}
        texts |= FIXED_PRIORS
        if both and self.matched_bills:
            texts["sigma_dif"] = SIGMA_DIF
        return {name: PriorSpec.parse(text) for name, text in texts.items()}
