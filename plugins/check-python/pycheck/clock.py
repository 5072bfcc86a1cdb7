"""Time without waiting: `sleep` moves the clock forward, and asyncio runs on the same clock, without sockets."""

import asyncio
import asyncio.base_events
import time

_monotonic, _time, _perf_counter = time.monotonic, time.time, time.perf_counter


class Clock:
    """The sandbox's clock plus everything slept."""

    def __init__(self):
        self.slept = 0.0

    def sleep(self, seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.slept += seconds

    def patches(self):
        yield time, "sleep", self.sleep
        yield time, "monotonic", lambda: _monotonic() + self.slept
        yield time, "perf_counter", lambda: _perf_counter() + self.slept
        yield time, "time", lambda: _time() + self.slept
        yield asyncio, "new_event_loop", lambda: Loop(self)
        yield asyncio.events, "new_event_loop", lambda: Loop(self)


class _Selector:
    """Waits for nothing but time."""

    def __init__(self, clock):
        self.clock = clock

    def select(self, timeout):
        if timeout is None:
            raise RuntimeError("asyncio waits for something that never happens (no sockets or threads in this checker)")
        if timeout > 0:
            self.clock.slept += timeout
        return ()


class Loop(asyncio.base_events.BaseEventLoop):
    """An event loop of timers and callbacks."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock
        self._selector = _Selector(clock)

    def time(self):
        return self._clock.slept

    def _process_events(self, events):
        """There are none."""

    def _write_to_self(self):
        """Nothing sleeps that would need waking."""
