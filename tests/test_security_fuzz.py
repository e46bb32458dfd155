"""No input of ours, however strange, ends in anything but a value or a TallgrassError.

By default a few hundred inputs; ``TALLGRASS_TEST_FUZZ=100000`` spreads that many over the readers.
"""

import os
import random
from collections import Counter
from pathlib import Path

import fuzz_inputs
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tallgrass.errors import TallgrassError
from tallgrass.experiment.declaration import read_experiment
from tallgrass.experiment.expansion import expand
from tallgrass.inference.priors import PriorSpec
from tallgrass.items.persons import Bank
from tallgrass.items.publish_map import parse_map
from tallgrass.items.scoring import score
from tallgrass.items.served import Items
from tallgrass.items.sources import ResponseRequest, load_anchors, load_responses
from tallgrass.rollcalls.sources import load_votes
from tallgrass.rollcalls.spec import RunSpec

MAP_PARTS = [
    "item_id=item", "b_hat=b", "b = b ", "a=a", "model='2PL'", "it''s='o''clock, a=b'", "n=3",
    "x=-1e999", "select=a_sd", '"q"=n', "\x1b[2J='\x1b'", "=", "c=c", "'", "x=(SELECT 1)",
]  # fmt: skip
COUNT = int(os.environ.get("TALLGRASS_TEST_FUZZ", "500"))


def read_session(random_, folder):
    for part, data in fuzz_inputs.session_files(random_).items():
        (folder / f"small_{part}.csv").write_bytes(data)
    return load_votes(str(folder), random_.choice(["house", "senate"]))


def read_voteview(random_, folder):
    for part, data in fuzz_inputs.voteview_files(random_).items():
        (folder / f"S109_{part}.csv").write_bytes(data)
    return load_votes(str(folder), "senate").fingerprint


def read_zip(random_, folder):
    (folder / "x.zip").write_bytes(fuzz_inputs.archive(random_))
    votes = load_votes(str(folder / "x.zip"), random_.choice(["house", "senate"]))
    assert "/" not in votes.session
    assert ".." not in votes.session
    return votes.fingerprint


def read_openstates(random_, folder):
    for path in folder.iterdir():
        path.unlink()
    if random_.random() < 0.5:
        (folder / "answer.json").write_bytes(fuzz_inputs.openstates_json(random_))
        given = folder / "answer.json"
    else:
        for part, data in fuzz_inputs.openstates_files(random_).items():
            (folder / f"KS_2025_{part}.csv").write_bytes(data)
        given = folder
    votes = load_votes(str(given), "senate")
    assert "/" not in votes.session
    return votes.fingerprint


def read_answers(random_, folder):
    path = folder / "answers.csv"
    path.write_bytes(fuzz_inputs.answers(random_))
    since = random_.choice(["", "", "2025-01-01"])
    return load_responses(ResponseRequest(str(path), since=since, min_responses=1))


def read_anchors(random_, folder):
    path = folder / "anchors.csv"
    path.write_bytes(fuzz_inputs.anchors(random_))
    return load_anchors(str(path))


def read_scores(random_, folder):
    path = folder / "new.csv"
    path.write_bytes(fuzz_inputs.answers(random_))
    names = ("i0", "i1", "i2", "i3", "i4")
    items = Items(np.ones(5), np.zeros((5, 1)), np.zeros(5), 0.0, 1.0)
    bank = Bank(names, items, np.zeros(5, np.int64), False)
    output = folder / "scores.csv"
    output.unlink(missing_ok=True)
    request = ResponseRequest(str(path), min_responses=1)
    try:
        score(bank, request, output, ("eap", "wle"))
    except TallgrassError:
        assert [one.name for one in folder.iterdir()] == ["new.csv"]
        raise
    return pd.read_csv(output)


def read_map(random_, _folder):
    text = ",".join([*random_.choices(MAP_PARTS, k=random_.randrange(3)), "item_id=item"])
    return parse_map("".join(c for c in text if random_.random() < 0.99))


def read_prior(random_, _folder):
    text = fuzz_inputs.prior(random_)
    prior = PriorSpec.parse(text)
    assert PriorSpec.parse(prior.text) == prior
    prior.describe()
    name = random_.choice(["alpha_prior", "beta_prior", "mu_prior", "sigma_prior"])
    return RunSpec(**{name: text})


def read_toml(random_, folder):
    (folder / "experiment.toml").write_bytes(fuzz_inputs.toml(random_))
    experiment = read_experiment(folder)
    words = [one.words for one in experiment.expect]
    return words, expand(experiment, folder)


# Each with its share of the inputs: what reads several files takes the longest.
READERS = {
    read_session: 0.10, read_voteview: 0.08, read_zip: 0.12, read_answers: 0.10, read_anchors: 0.10,
    read_openstates: 0.10, read_prior: 0.10, read_toml: 0.15, read_scores: 0.10, read_map: 0.05,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.__name__)
def test_a_reader_gives_a_value_or_an_error_of_ours(reader, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz") / "small"
    folder.mkdir()
    ends: Counter[str] = Counter()

    @settings(
        max_examples=int(COUNT * READERS[reader]) + 1,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(st.integers(0, 2**64 - 1))
    def read(seed):
        _read_one(reader, seed, folder, ends)

    read()
    # Generators that only ever make rubbish would prove little, and so would tame ones.
    assert ends["value"] > sum(ends.values()) / 50
    assert sum(ends.values()) - ends["value"] > sum(ends.values()) / 50
    if "TALLGRASS_TEST_FUZZ" in os.environ:
        with Path(os.environ.get("TALLGRASS_TEST_FUZZ_LOG", os.devnull)).open("a") as log:
            log.write(f"{reader.__name__}: {sum(ends.values())} inputs, {ends['value']} values\n")


def _read_one(reader, seed, folder, ends):
    try:
        reader(random.Random(seed), folder)
    except TallgrassError as error:
        text = str(error)
        assert text.isprintable()
        assert len(text) < 20_000
        ends[type(error).__name__] += 1
    else:
        ends["value"] += 1
