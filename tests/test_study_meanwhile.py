"""What is made ready while the chains run."""

import threading

import pytest

from tallgrass.study.meanwhile import meanwhile


def test_what_was_begun_meanwhile_is_done_at_the_end():
    threads = []
    with meanwhile(lambda: threads.append(threading.current_thread())) as begin:
        assert threads == []
        begin()
        begin()
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


def test_what_cannot_be_made_ready_stops_nothing():
    def fail():
        raise ImportError("broken")

    with meanwhile(fail) as begin:
        begin()


def test_nothing_is_made_ready_where_there_is_nothing():
    with meanwhile(None) as begin:
        begin()


def interrupted_while(make_ready):
    with meanwhile(make_ready) as begin:
        begin()
        raise KeyboardInterrupt


def test_an_interrupt_does_not_wait():
    done = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        interrupted_while(lambda: done.wait(60))
    done.set()
