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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_end)
