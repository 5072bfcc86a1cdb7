"""Locks for one thread: waiting for another one would never end, and ends the sandbox where C code does it."""

import _thread
import queue
import threading


class Lock:
    """`threading.Lock`"""

    clock = None

    def __init__(self):
        self._locked = False

    def acquire(self, blocking=True, timeout=-1):
        if not self._locked:
            self._locked = True
            return True
        if not blocking:
            return False
        if timeout is None or timeout < 0:
            raise RuntimeError("waits for ever: nothing else runs that could release the lock (no threads in this checker)")
        Lock.clock.slept += timeout
        return False

    def release(self):
        if not self._locked:
            raise RuntimeError("release unlocked lock")
        self._locked = False

    def locked(self):
        return self._locked

    def _at_fork_reinit(self):
        self._locked = False

    def __enter__(self):
        self.acquire()
        return True

    def __exit__(self, *_):
        self.release()

    def __repr__(self):
        return f"<{'locked' if self._locked else 'unlocked'} lock>"


def patches(clock):
    """(module, name, value) of every function to replace."""
    Lock.clock = clock
    yield _thread, "allocate_lock", Lock
    yield threading, "_allocate_lock", Lock
    yield threading, "Lock", Lock
    yield queue, "SimpleQueue", queue._PySimpleQueue
