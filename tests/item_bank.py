"""A bank of items in its owner's own schema in PostgreSQL, with attempts, anchors and windows."""

import pandas as pd
import sqlalchemy as sa
from item_data import simulated_items
from postgres import engine_of

# As in a bank that is run by others: a schema, joins on numbers, reserved names, no nulls.
TABLES = """
CREATE SCHEMA shared_irt;
CREATE TABLE shared_irt.items (id integer PRIMARY KEY, code text NOT NULL, is_anchor boolean);
CREATE TABLE shared_irt.windows (id serial PRIMARY KEY, label text NOT NULL UNIQUE);
CREATE TABLE shared_irt.current (
    item_id integer REFERENCES shared_irt.items, "A" float, "order" float
);
CREATE TABLE shared_irt.item_calibration (
    id serial PRIMARY KEY,
    item_id integer NOT NULL REFERENCES shared_irt.items,
    window_id integer NOT NULL REFERENCES shared_irt.windows,
    model text NOT NULL,
    a_hat double precision NOT NULL,
    b_hat double precision NOT NULL,
    "select" double precision,
    n_responses integer NOT NULL,
    drift_flag boolean NOT NULL DEFAULT false,
    UNIQUE (item_id, window_id, model)
);
CREATE TABLE shared_irt.attempts (person bigint, item_id integer, is_correct boolean, label text)
"""
ANCHORS = (
    'SELECT i.id AS anchor_id, c."A" AS disc, c."order" AS diff FROM shared_irt.items i '
    "JOIN shared_irt.current c ON c.item_id = i.id WHERE i.is_anchor"
)
CONSTANTS = "SELECT id AS window_id, '2PL' AS model FROM shared_irt.windows WHERE label = :window"
MAP = "item_id=item,a_hat=a,b_hat=b,select=b_sd,n_responses=n"
LABEL = "2026-10 monthly"


def make_bank(address):
    """Tables and rows of the bank in an empty database."""
    simulated = simulated_items(n_users=500, n_items=10, n_anchors=3, per_user=8, seed=2)
    responses, engine = simulated.responses, engine_of(address)
    with engine.begin() as connection:
        for statement in TABLES.split(";"):
            connection.execute(sa.text(statement))
    items = pd.DataFrame({"id": range(101, 111), "code": responses.items})
    items["is_anchor"] = items.index < 3
    current = pd.DataFrame(
        {"item_id": [101, 102, 103], "A": simulated.anchors.a, "order": simulated.anchors.b}
    )
    attempts = pd.DataFrame(
        {
            "person": responses.user.astype(int),
            "item_id": responses.item.astype(int) + 101,
            "is_correct": responses.correct == 1,
            "label": LABEL,
        }
    )
    append = {"schema": "shared_irt", "index": False, "if_exists": "append"}
    items.to_sql("items", engine, **append)
    current.to_sql("current", engine, **append)
    attempts.to_sql("attempts", engine, **append)
    pd.DataFrame({"label": ["2026-09 monthly", LABEL]}).to_sql("windows", engine, **append)


def rows_of(url, table="shared_irt.item_calibration"):
    with engine_of(url).connect() as connection:
        return pd.read_sql(f"SELECT * FROM {table} ORDER BY item_id", connection)
