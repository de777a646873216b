"""Exceptions of host objects on their way through the engine, by number.

The table is small: an exception that the engine swallowed, because another try succeeded, is forgotten when newer ones come.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict

_CAPACITY = 256

_numbers = itertools.count(1)
_thrown: OrderedDict[int, BaseException] = OrderedDict()


def keep(error: BaseException) -> int:
    """Keeps an exception and returns its number."""
    number = next(_numbers)
    _thrown[number] = error
    while len(_thrown) > _CAPACITY:
        try:
            _thrown.popitem(last=False)
        except KeyError:
            break
    return number


def take(number: int) -> BaseException | None:
    """The exception, once."""
    return _thrown.pop(number, None)
