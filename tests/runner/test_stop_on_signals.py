"""The first Ctrl-C sets an event; the handlers come back."""

import signal
import threading

import pytest

from inception_search.runner.signals import stop_on_signals


class TestStopOnSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_first_sets_the_event_and_gives_back_the_handlers(self, number):
        before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
        with stop_on_signals() as stop:
            assert not stop.is_set()
            signal.raise_signal(number)
            assert stop.is_set()
            assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before

    def test_without_any_the_handlers_come_back_too(self):
        before = signal.getsignal(signal.SIGINT)
        with stop_on_signals():
            assert signal.getsignal(signal.SIGINT) is not before
        assert signal.getsignal(signal.SIGINT) is before

    def test_another_thread_gets_an_event_and_changes_nothing(self):
        seen = []

        def work() -> None:
            before = signal.getsignal(signal.SIGINT)
            with stop_on_signals() as stop:
                seen.append((stop.is_set(), signal.getsignal(signal.SIGINT) is before))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [(False, True)]
