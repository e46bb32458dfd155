"""The model of a run as parameters: its form, its priors (as text), what goes with what."""

from typing import Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tallgrass.errors import SpecError
from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.anchor_text import AUTOMATIC, DEFAULT, anchors_text, parse_anchors
from tallgrass.rollcalls.career_spec import CareerSpec
from tallgrass.rollcalls.sign_text import parse_signs, signs_text
from tallgrass.study.model_file import is_reference

ModelName = Literal["flat", "hierarchical", "joint", "dynamic"]
Coordinates = Literal["canonical", "textbook"]
Likelihood = Literal["kernel", "gather"]

Discrimination = Literal["free", "equal"]
JointForm = Literal["anchored", "seed"]

# A party or group of fewer members has a prior of sigma_within with this share of the scale.
SMALL_PARTY, SMALL_PARTY_SCALE = 20, 0.5
FEW_MEMBERS = 15  # a party or group of fewer members gets a warning

# The fixed priors of the joint model; the seed form takes that of the discriminations from the run.
JOINT_PRIORS: dict[str, dict[str, str]] = {
    "anchored": {
        "delta": "normal:0,1",
        "log_k": "normal:0,0.5",
        "sigma_bill": "halfnormal:5",
        "sigma_within": "halfnormal:1",
        "sigma_dif": "halfnormal:2",
    },
    "seed": {
        "alpha": "normal:0,2",
        "mu": "normal:0,2",
        "sigma_chamber": "halfnormal:1",
        "sigma_party": "halfnormal:1",
        "sigma_within": "halfnormal:1",
    },
}


class ModelSpec(CareerSpec):
    """The model: its form, priors (as text), coordinates and likelihood.

    Examples
    --------
    >>> tg.ModelSpec(model="flat").beta_prior
    'normal:0,1'
    """

    model: str = Field(
        "hierarchical",
        description="flat, hierarchical, joint, dynamic, or one of your own: my_models.py:function",
    )
    dims: int = Field(
        1,
        description="dimensions: 1, or 2 (axis 1 is between the parties, axis 2 within)",
    )
    coordinates: Coordinates = Field(
        "canonical", description="canonical (fast) or textbook; the same posterior"
    )
    likelihood: Likelihood = Field(
        "kernel", description="kernel (one pass) or gather (textbook only: a reference)"
    )
    joint_form: JointForm = Field(
        "anchored",
        description="joint: anchored at the House's parties, or the first published form",
    )
    dif: bool = Field(
        True, description="joint, anchored: matched bills may differ between the chambers"
    )
    anchors: str = Field(
        DEFAULT,
        description="flat, held fixed: typical (party medians), auto (PCA extremes at +1 and -1, "
        "as in earlier versions), or slug:position,slug:position",
    )
    rollcall_signs: str = Field(
        "",
        description="which side the yeas of roll calls are on: vote_id:+ (right), vote_id:- (left)",
    )
    discrimination: Discrimination = Field(
        "free", description="hierarchical: free (2PL), or equal (Rasch) for all roll calls"
    )
    beta_prior: str = Field("normal:0,1", description="prior of the discriminations")
    alpha_prior: str = Field("normal:0,5", description="prior of the difficulties")
    beta_2_prior: str = Field(
        "normal:0,1", description="dims=2: prior of the discriminations on the second axis"
    )
    mu_prior: str = Field("normal:0,2", description="prior of the party means (hierarchical)")
    sigma_prior: str = Field(
        "halfnormal:1", description="prior of the spread within a party (hierarchical)"
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str) -> str:
        known = get_args(ModelName)
        if name in known or is_reference(name):
            return name
        listed = ", ".join(f"'{word}'" for word in known)
        raise SpecError(f"bad value for model (Input should be {listed} or FILE.py:FUNCTION)", name)

    @field_validator("dims")
    @classmethod
    def _one_or_two(cls, dims: int) -> int:
        if dims not in (1, 2):
            raise SpecError(
                "dims: models have one or two dimensions",
                dims,
                "use 1 or 2; axes beyond the second have no direction that could be named",
            )
        return dims

    @field_validator("beta_prior", "beta_2_prior", "alpha_prior", "mu_prior", "sigma_prior")
    @classmethod
    def _canonical_text(cls, text: str, info: ValidationInfo) -> str:
        try:
            prior = PriorSpec.parse(text)
        except SpecError as error:
            raise SpecError(f"{info.field_name}: {error.what}", text, error.mend) from None
        if info.field_name in ("alpha_prior", "mu_prior") and prior.positive:
            raise SpecError(
                f"{info.field_name}: a prior on the whole real line is needed",
                text,
                "use normal:mu,sigma",
            )
        if info.field_name == "beta_2_prior" and (prior.positive or prior.mu != 0):
            raise SpecError(
                "beta_2_prior: the second axis has no direction, so the prior is symmetric",
                text,
                "use normal:0,sigma",
            )
        if info.field_name == "sigma_prior" and not prior.positive:
            raise SpecError(
                f"{info.field_name}: a prior on positive values is needed",
                text,
                "use halfnormal:1 or lognormal:0,0.5",
            )
        return prior.text

    @field_validator("anchors")
    @classmethod
    def _canonical_anchors(cls, text: str) -> str:
        named = parse_anchors(text.strip())
        return text.strip() if named is None else anchors_text(named)

    @field_validator("rollcall_signs")
    @classmethod
    def _canonical_signs(cls, text: str) -> str:
        return signs_text(parse_signs(text))

    @model_validator(mode="after")
    def _signs_are_of_one_scale(self) -> Self:
        if not self.rollcall_signs:
            return self
        if self.model not in ("flat", "hierarchical"):
            raise SpecError(
                "signs of roll calls go with one chamber at one time",
                f"model={self.model}, rollcall_signs={self.rollcall_signs}",
                "leave rollcall_signs out, or use model=flat or model=hierarchical",
            )
        positive = self.discrimination == "free" and PriorSpec.parse(self.beta_prior).positive
        if positive and -1 in parse_signs(self.rollcall_signs).values():
            raise SpecError(
                "a roll call with the sign - and a prior of positive discriminations",
                f"rollcall_signs={self.rollcall_signs}, beta_prior={self.beta_prior}",
                "use beta_prior=normal:0,1",
            )
        return self

    @model_validator(mode="after")
    def _anchors_are_of_the_flat_model(self) -> Self:
        if self.model != "flat" and self.anchors not in AUTOMATIC:
            raise SpecError(
                "anchors are held fixed in the flat model only",
                f"model={self.model}, anchors={self.anchors}",
                "add model=flat, or leave anchors out",
            )
        return self

    @model_validator(mode="after")
    def _two_dimensions_are_of_one_chamber(self) -> Self:
        if self.dims == 2 and self.model not in ("flat", "hierarchical"):
            raise SpecError(
                "two dimensions go with one chamber",
                f"dims=2, model={self.model}",
                "use model=hierarchical or model=flat with chamber=house or chamber=senate",
            )
        if self.dims == 2 and self.anchors not in AUTOMATIC:
            raise SpecError(
                "anchors fix a scale of one dimension; with dims=2 the groups fix it",
                f"dims=2, anchors={self.anchors}",
                "leave anchors out, or use dims=1",
            )
        default = type(self).model_fields["beta_2_prior"].default
        if self.dims == 1 and self.beta_2_prior != default:
            raise SpecError(
                "beta_2_prior is a setting of two dimensions",
                f"dims=1, beta_2_prior={self.beta_2_prior}",
                "add dims=2, or leave it out",
            )
        return self

    @model_validator(mode="after")
    def _equal_discriminations_are_hierarchical(self) -> Self:
        if self.discrimination == "free":
            return self
        if (self.model, self.dims) != ("hierarchical", 1):
            raise SpecError(
                "discrimination=equal goes with model=hierarchical and dims=1",
                f"model={self.model}, dims={self.dims}",
                "leave discrimination out, or use the hierarchical model",
            )
        default = type(self).model_fields["beta_prior"].default
        if self.beta_prior != default:
            raise SpecError(
                "equal discriminations have no prior",
                f"beta_prior={self.beta_prior}",
                "leave beta_prior out, or use discrimination=free",
            )
        return self

    @model_validator(mode="after")
    def _gather_is_textbook(self) -> Self:
        if self.likelihood == "gather" and self.coordinates != "textbook":
            raise SpecError(
                "likelihood gather goes with textbook coordinates only",
                f"coordinates={self.coordinates}",
                "add coordinates=textbook, or use likelihood=kernel",
            )
        return self

    @model_validator(mode="after")
    def _joint_settings(self) -> Self:
        fields = type(self).model_fields
        if self.model != "joint":
            for name in ("joint_form", "dif"):
                if getattr(self, name) != fields[name].default:
                    raise SpecError(
                        f"{name} is a setting of the joint model",
                        f"model={self.model}, {name}={str(getattr(self, name)).lower()}",
                        "add model=joint and chamber=both, or leave it out",
                    )
            return self
        if self.joint_form == "anchored" and self.coordinates != "canonical":
            raise SpecError(
                "the anchored form of the joint model has canonical coordinates only",
                f"coordinates={self.coordinates}",
                "leave coordinates and likelihood out, or use joint_form=seed",
            )
        fixed = ["alpha_prior", "mu_prior", "sigma_prior"]
        fixed += ["beta_prior"] if self.joint_form == "anchored" else []
        for name in fixed:
            if getattr(self, name) != fields[name].default:
                raise SpecError(
                    f"{name}: the joint model has priors of its own",
                    getattr(self, name),
                    f"leave {name} out",
                )
        return self

    @property
    def has_anchors(self) -> bool:
        """Whether members are held fixed: in the flat model of one dimension."""
        return (self.model, self.dims) == ("flat", 1)

    @property
    def priors(self) -> dict[str, PriorSpec]:
        """The priors by variable: alpha, beta, and for the hierarchical model mu and sigma.

        With two dimensions also beta_2.

        The joint model, anchored: delta, log_k, sigma_bill, sigma_within (in units of half the gap
        between the chamber's parties) and, with deviations, sigma_dif. The seed form: alpha, beta,
        mu (of mu_global), sigma_chamber, sigma_party and sigma_within. The dynamic model:
        :meth:`tallgrass.rollcalls.career_spec.CareerSpec.career_priors`.
        """
        if self.model == "dynamic":
            return self.career_priors(getattr(self, "chamber", "") == "both")
        if self.model == "joint":
            texts = dict(JOINT_PRIORS[self.joint_form])
            if self.joint_form == "seed":
                texts["beta"] = self.beta_prior
            elif not self.dif:
                del texts["sigma_dif"]
            return {name: PriorSpec.parse(text) for name, text in texts.items()}
        if is_reference(self.model):
            return {}  # they are in the file
        names = ["alpha"] + (["beta"] if self.discrimination == "free" else [])
        names += ["beta_2"] if self.dims == 2 else []
        names += ["mu", "sigma"] if self.model == "hierarchical" else []
        return {name: PriorSpec.parse(getattr(self, f"{name}_prior")) for name in names}
