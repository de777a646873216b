"""What happens when the process forks and when the interpreter ends."""

from __future__ import annotations

import atexit
import os

from xynergy import _background, _loop, _native, _notices

_GRACE_MS = 2_000


def _in_child() -> None:
    from xynergy import _threads

    _loop.forget_all()
    _background.forget()
    _notices.forget()
    _threads.forget()


def _at_end() -> None:
    # The threads of the engine first: what they still have to say is dropped. None of them takes the interpreter's lock.
    _native.shutdown(_GRACE_MS)
    _notices.join()
    _background.stop()
    # What daemon threads are still in the middle of ends with the process.
    _native.keep_others_out()


if hasattr(os, "register_at_fork"):
    # Registered first: closed last before the fork and opened first after it. They are the functions themselves, so that no other
    # thread of Python's runs between them and the fork.
    os.register_at_fork(
        before=_native.before_fork,
        after_in_parent=_native.after_fork_in_parent,
        after_in_child=_native.after_fork_in_child,
    )
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_end)
