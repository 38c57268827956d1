"""Progress, cancellation, and the interpreter that stays free."""

import os
import signal
import threading
import time

import ftuseg
import numpy as np
import pytest
from tqdm import tqdm


@pytest.fixture(scope="module")
def large(pixels):
    """A slide that takes long enough to be interrupted."""
    return np.tile(pixels, (4, 4, 1))


def test_progress_reaches_its_end(engine, slides):
    seen = []
    engine.segment(slides["two-organs"], progress=lambda *tiles: seen.append(tiles))
    done, planned = seen[-1]
    assert done == planned > 0
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_progress_works_with_tqdm(engine, slides):
    with tqdm(unit="tile", file=open(os.devnull, "w")) as bar:
        result = engine.segment(slides["two-organs"], progress=bar)
        assert bar.n == bar.total == result.record["tiles"]["inferred"] > 0


def test_progress_comes_on_the_callers_thread(engine, slides):
    threads = set()
    engine.segment(slides["two-organs"], progress=lambda *_: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_an_error_of_the_callback_ends_the_work(engine, large, found, slides):
    def fail(done, planned):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        engine.segment(large, mpp=2.0, progress=fail)
    # The engine can be used again right away.
    again = engine.segment(slides["kidney-1"])
    assert again.rle() == found["kidney-1"].rle()


def test_false_and_events_cancel(engine, large):
    with pytest.raises(ftuseg.Cancelled):
        engine.segment(large, mpp=2.0, progress=lambda done, planned: done < 1)
    event = threading.Event()
    event.set()
    with pytest.raises(ftuseg.Cancelled):
        engine.segment(large, mpp=2.0, cancel=event)


def test_ctrl_c_cancels(engine, large):
    timer = None

    def press(done, planned):
        nonlocal timer
        if timer is None:
            timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()

    done = []
    with pytest.raises(KeyboardInterrupt):
        engine.segment(large, mpp=2.0, progress=press)
        done.append("too late")
    assert not done
    timer.join()


def test_the_interpreter_is_free_meanwhile(engine, large):
    worked = threading.Event()
    stop = threading.Event()
    ran = []

    def work():
        while not stop.is_set():
            ran.append(1)
            if len(ran) > 20:
                worked.set()
            time.sleep(0.001)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        # It ends only once the other thread has worked.
        with pytest.raises(ftuseg.Cancelled):
            engine.segment(large, mpp=2.0, cancel=worked)
    finally:
        stop.set()
        thread.join()
    assert len(ran) > 20


def test_threads_share_an_engine(engine, found, slides):
    results = {}

    def work(id):
        results[id] = engine.segment(slides[id]).rle()

    threads = [threading.Thread(target=work, args=(id,)) for id in slides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {id: result.rle() for id, result in found.items()}


def test_progress_that_is_none_is_refused(engine, slides):
    for progress in (3, "bar"):
        with pytest.raises(ftuseg.UsageError, match="progress"):
            engine.segment(slides["kidney-1"], progress=progress)
