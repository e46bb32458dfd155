"""A made-up run in the shape that sampling leaves behind, without sampling anything.

The posterior is the truth plus noise of about the size that real votes leave, so tables and
pictures look like those of a converged run.
"""

import numpy as np
import xarray as xr

from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

FIRST = ["Ana", "Bo", "Cleo", "Dov", "Émile", "Fay", "Gus", "Hana", "Ike", "Jo"]
LAST = ["Alcala", "Baumgardner", "Claeys", "Dietrich", "Erickson", "Fagg", "Gossage", "Haley"]
RUN_ID = "0123456789abcdef0123456789abcdef"


def example_spec(model: str = "hierarchical", **parameters: object) -> RunSpec:
    """The run's parameters; 250 draws of 4 chains unless told otherwise."""
    values = {"model": model, "session": "simulated", "draws": 250, "chains": 4} | parameters
    return RunSpec(**values)


def example_votes(
    n_legislators: int = 30, n_rollcalls: int = 50, seed: int = 0, independents: int = 0
) -> tuple[VoteMatrix, dict[str, np.ndarray]]:
    """Votes and the values that they were drawn from (in the order of the matrix)."""
    rng = np.random.default_rng(seed)
    party = (np.arange(n_legislators) >= 0.4 * n_legislators).astype(int)
    party[:independents] = -1
    members = tuple(
        Legislator(
            slug=f"m{i:03d}",
            name=f"{FIRST[i % len(FIRST)]} {LAST[i // len(FIRST) % len(LAST)]}",
            party=PARTIES[party[i]] if party[i] >= 0 else "Independent",
            district=str(i + 1),
        )
        for i in range(n_legislators)
    )
    rollcalls = tuple(
        RollCall(
            vote_id=f"v{j:04d}",
            bill=f"HB {2001 + j}",
            motion="Final Action",
            vote_type="Final Action",
            date=f"2025-{1 + j % 4:02d}-{1 + j % 28:02d}",
            title=f"Concerning matter number {j}",
        )
        for j in range(n_rollcalls)
    )
    mu, sigma = np.array([-1.6, 1.0]), np.array([0.35, 0.7])
    xi = np.where(party < 0, 0.0, mu[party] + sigma[party] * rng.standard_normal(n_legislators))
    beta = rng.normal(0, 1.6, n_rollcalls)
    alpha = beta * rng.normal(0.3, 1.0, n_rollcalls)
    p_yea = 1 / (1 + np.exp(alpha - np.outer(xi, beta)))
    cells = np.where(rng.random(p_yea.shape) < p_yea, 1, -1)
    cells[rng.random(p_yea.shape) < 0.08] = 0
    votes = VoteMatrix(cells.astype(np.int8), members, rollcalls, "example", "house")
    return votes, {"xi": xi, "alpha": alpha, "beta": beta, "mu": mu, "sigma": sigma}


def example_trace(
    votes: VoteMatrix,
    truth: dict[str, np.ndarray],
    model: str = "hierarchical",
    chains: int = 4,
    draws: int = 250,
    seed: int = 1,
) -> xr.DataTree:
    """A DataTree with the groups, names and attributes that sampling writes."""
    rng = np.random.default_rng(seed)
    n = len(votes.slugs)
    index = votes.party_index

    def noisy(values: np.ndarray, scale: float | np.ndarray) -> np.ndarray:
        return values + scale * rng.standard_normal((chains, draws, len(values)))

    xi, scale = truth["xi"], 1.6 / np.sqrt(np.count_nonzero(votes.cells, axis=1) + 4)
    anchor = np.zeros(n, np.int8)
    if model == "flat":
        top = np.where(index == 1, xi, -np.inf).argmax()
        bottom = np.where(index == 0, xi, np.inf).argmin()
        anchor[[top, bottom]] = 1, -1
        stretch = 2 / (xi[top] - xi[bottom])
        shift = 1 - stretch * xi[top]
        beta = truth["beta"] / stretch
        truth = truth | {"beta": beta, "alpha": truth["alpha"] + shift * beta}
        xi, scale = stretch * xi + shift, scale * stretch
    # The mean of a posterior misses the truth by about its standard deviation.
    xi_draws = noisy(xi + scale * rng.standard_normal(n), scale)
    xi_draws[..., anchor != 0] = anchor[anchor != 0]
    variables = {
        "xi": (("chain", "draw", "legislator"), xi_draws),
        "alpha": (("chain", "draw", "rollcall"), noisy(truth["alpha"], 0.4)),
        "beta": (("chain", "draw", "rollcall"), noisy(truth["beta"], 0.35)),
    }
    coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
    coords |= {"legislator": list(votes.slugs), "rollcall": list(votes.vote_ids)}
    if model == "hierarchical":
        dims = ("chain", "draw", "party")
        variables["mu_party"] = (dims, noisy(truth["mu"], 0.12))
        variables["sigma_within"] = (dims, np.abs(noisy(truth["sigma"], 0.06)))
        coords["party"] = list(PARTIES)
    energy = 4000 + 12 * rng.standard_normal((chains, draws))
    flags = np.zeros((chains, draws), bool)
    statistics = {
        "diverging": flags,
        "energy": energy,
        "n_steps": np.full((chains, draws), 15),
        "step_size": np.full((chains, draws), 0.31),
        "tree_depth": np.full((chains, draws), 4),
        "reached_max_treedepth": flags,
        "acceptance_rate": np.full((chains, draws), 0.87),
        "lp": -energy + 300,
    }
    legislators = {"legislator": list(votes.slugs)}
    groups = {
        "/posterior": xr.Dataset(variables, coords=coords),
        "/sample_stats": xr.Dataset(
            {name: (("chain", "draw"), values) for name, values in statistics.items()}
        ),
        "/observed_data": xr.Dataset(
            {"votes": (("legislator", "rollcall"), votes.cells)},
            coords=legislators | {"rollcall": list(votes.vote_ids)},
        ),
        "/constant_data": xr.Dataset(
            {"party_index": ("legislator", index), "anchor": ("legislator", anchor)},
            coords=legislators,
        ),
    }
    trace = xr.DataTree.from_dict(groups)
    trace.attrs = {
        "tallgrass_version": "0.1.0",
        "run_id": RUN_ID,
        "spec": example_spec(model, draws=draws, chains=chains).to_json(),
        "model": model,
        "chamber": votes.chamber,
        "session": votes.session,
        "data_sha256": votes.fingerprint,
        "sampler": "nutpie",
        "sampler_version": "0.16.11",
        "created_at": "2025-06-01T12:00:00+00:00",
        "sampling_s": 4.2,
        "compile_s": 1.1,
        "version_numpy": np.__version__,
    }
    return trace
