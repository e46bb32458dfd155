"""The scales that known positions lead to, with all sessions and without one."""

import numpy as np
import pytest
from toy import numeric_jacobian
from toy_careers import toy_careers

from tallgrass.rollcalls.career_scales import Known, fit_scales, scales_logp
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.summaries.left_out import _without


def known_of(careers: Careers, seed=0, normal=False):
    rng = np.random.default_rng(seed)
    return Known(
        rng.normal(size=len(careers.sitting_of_row)),
        np.tile([-1.0, 1.0], (len(careers.sittings), 1)),
        0.1,
        np.array([0.3, 0.4]),
        rng.normal(size=(2, len(careers.sitting_of_column))),
        np.full(len(careers.sessions), 0.8),
        normal,
    )


@pytest.mark.parametrize("normal", [False, True])
def test_the_gradient_is_that_of_the_density(normal):
    careers = toy_careers(both=True)
    known = known_of(careers, normal=normal)
    point = 0.3 * np.random.default_rng(1).normal(size=2 * len(careers.sittings))

    def value(z):
        return np.array([scales_logp(careers, known, z.reshape(2, -1))[0]])

    numeric = numeric_jacobian(value, point, step=1e-4)[0]
    np.testing.assert_allclose(
        scales_logp(careers, known, point.reshape(2, -1))[1].ravel(), numeric, rtol=1e-6, atol=1e-6
    )


def test_members_who_do_not_move_give_the_scale_that_their_positions_have():
    careers = toy_careers(sizes=(30, 30))
    delta, k = np.array([0.3, -0.2, 0.0]), np.array([0.6, 1.3, 1.0])
    rng, x = np.random.default_rng(2), {}
    v = []
    for person, t in zip(careers.persons.of_seat, careers.sitting_of_row, strict=True):
        at = x.setdefault(person, (1.0 if "R" in person else -1.0) + 0.3 * rng.normal())
        v.append((at - delta[t]) / k[t])
    known = known_of(careers)._replace(v=np.array(v), tau=0.01)
    priors = RunSpec(model="dynamic", chamber="house").priors
    found = fit_scales(careers, known, priors)
    np.testing.assert_allclose(found[0], delta, atol=0.02)
    np.testing.assert_allclose(np.exp(found[1]), k, rtol=0.02)
    # without the session between, the others stay where they are
    kept = np.array([True, False, True])
    fewer, part = _without(careers, known, kept)
    assert fewer.sessions == ("2019", "2025")
    np.testing.assert_allclose(fit_scales(fewer, part, priors), found[:, kept], atol=0.01)
