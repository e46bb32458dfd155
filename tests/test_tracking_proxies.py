"""Proxies that do not answer are named, without their passwords."""

import os

import pytest
from example_store import bare_folder

from tallgrass.cli.output import in_browser
from tallgrass.errors import TrackingError
from tallgrass.tracking import store
from tallgrass.tracking.proxies import proxy_for

# Nobody listens there.
DEAD = "http://me:hush-hush@127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_dead_proxy_is_named_where_the_server_cannot_be_reached(tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, DEAD)
    with bare_folder(tmp_path), pytest.raises(TrackingError) as caught:
        store.connect("http://mlflow.example:5000")
    message = str(caught.value)
    assert f"through the proxy http://***@127.0.0.1:1 of {variable}" in message
    assert "check the proxy, or reach mlflow.example without it: NO_PROXY=mlflow.example" in message
    assert "hush" not in message


def test_hosts_that_need_no_proxy_have_none(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,inside.example")
    assert proxy_for("http://inside.example:5000") is None
    assert proxy_for("http://127.0.0.1:5000") is None
    assert proxy_for("https://mlflow.example") is None
    assert proxy_for("sqlite:///mlflow.db") is None
    assert proxy_for("http://mlflow.example").host == "mlflow.example"


def test_a_server_that_is_down_behind_no_proxy_names_none(tmp_path):
    with bare_folder(tmp_path), pytest.raises(TrackingError) as caught:
        store.connect("http://127.0.0.1:1")
    assert "proxy" not in str(caught.value).lower()


def test_only_a_local_store_needs_a_server_to_be_started_for_its_pages(tmp_path, monkeypatch):
    with bare_folder(tmp_path):
        assert in_browser("http://127.0.0.1:5000/#/x").endswith("(start it with: tallgrass ui)")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
        assert in_browser("https://mlflow.example/#/x") == "https://mlflow.example/#/x"
