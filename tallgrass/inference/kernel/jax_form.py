"""The kernel's Op for JAX, on which nutpie's normalizing-flow adaptation runs.

JAX is an optional extra and is not imported before :func:`register` is called. Only
:mod:`tallgrass.inference.flow` calls it.
"""

from typing import Any

from tallgrass.inference.kernel.dense import VoteLogLikelihood
from tallgrass.inference.kernel.several import SeveralVoteLogLikelihood


def register() -> None:
    """Teach PyTensor's JAX backend the Op and switch JAX to double precision.

    Raises
    ------
    ImportError
        When JAX is not installed.
    """
    import jax
    from pytensor.link.jax.dispatch import jax_funcify

    # In single precision the energy of a trajectory is off by about 0.01 a step.
    jax.config.update("jax_enable_x64", True)
    jax_funcify.register(VoteLogLikelihood)(_jax_vote_loglik)
    jax_funcify.register(SeveralVoteLogLikelihood)(_jax_several)


def vote_loglik_jax(votes: Any, v: Any, a: Any, b: Any) -> tuple[Any, Any, Any, Any]:
    """The log-likelihood and its gradients for v, a and b as JAX arrays.

    The formula, and the shapes, of :func:`tallgrass.inference.kernel.dense.reference`. JAX can
    differentiate the value too, and compiles the outputs that are used.
    """
    import jax.numpy as jnp

    z = votes * (jnp.outer(v, b) - a)
    e = jnp.exp(-jnp.abs(z))
    value = jnp.sum(jnp.where(votes != 0, jnp.minimum(z, 0.0) - jnp.log1p(e), 0.0))
    residual = votes * jnp.where(z > 0, e, 1.0) / (1.0 + e)
    return value, residual @ b, -residual.sum(axis=0), v @ residual


def _jax_vote_loglik(op: VoteLogLikelihood, **_: Any) -> Any:
    return vote_loglik_jax


def _jax_several(op: SeveralVoteLogLikelihood, **_: Any) -> Any:
    def several_vote_loglik(votes: Any, a: Any, *axes: Any) -> tuple[Any, ...]:
        import jax.numpy as jnp

        v, b = jnp.stack(axes[: op.dims]), jnp.stack(axes[op.dims :])
        z = votes * (v.T @ b - a)
        e = jnp.exp(-jnp.abs(z))
        value = jnp.sum(jnp.where(votes != 0, jnp.minimum(z, 0.0) - jnp.log1p(e), 0.0))
        residual = votes * jnp.where(z > 0, e, 1.0) / (1.0 + e)
        return value, -residual.sum(axis=0), *(b @ residual.T), *(v @ residual)

    return several_vote_loglik
