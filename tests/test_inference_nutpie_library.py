"""Modules that are loaded at their first use."""

import sys

from tallgrass.inference.nutpie_library import loaded_when_used


def test_a_module_is_loaded_at_its_first_use_and_then_as_ever(tmp_path, monkeypatch, capsys):
    (tmp_path / "slow_module.py").write_text("print('loading')\nvalue = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_module", raising=False)
    before = list(sys.meta_path)
    with loaded_when_used("slow_module"):
        import slow_module
    assert sys.meta_path == before
    assert capsys.readouterr().out == ""
    assert slow_module.value == 3
    assert capsys.readouterr().out == "loading\n"
    import slow_module as again

    assert again is slow_module
