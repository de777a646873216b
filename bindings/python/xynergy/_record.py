"""Results: thin views of the decoded JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing import ClassVar

T = TypeVar("T")

_BY_NAME: dict[str, type[Record]] = {}


class Record:
    """A result. Its fields are attributes, `record["field"]` works as well, and `to_dict()` gives the plain dictionary.

    Records compare by value, pickle, and are understood by pydantic, so that a web framework can return them as they are.
    """

    __slots__ = ("_data",)

    _data: dict[str, Any]
    _FIELDS: ClassVar[dict[str, str]] = {}
    _OPEN: ClassVar[bool] = False

    def __init__(self, data: Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        given = {**(data or {}), **{_key(name): value for name, value in fields.items()}}
        _set(self, {key: _raw(value) for key, value in given.items()})

    def __init_subclass__(cls) -> None:
        _BY_NAME.setdefault(cls.__name__, cls)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            key = name
            if name.endswith("_") and name[:-1] in self._FIELDS:
                key = name[:-1]
            how = self._FIELDS.get(key)
            if how is None:
                if self._OPEN and key in self._data:
                    return decode(self._data[key], "?")
                raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self)}")
            value = self._data.get(key)
            return decode(value, how) if how else value

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed; take to_dict() and change that")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __getitem__(self, key: str) -> Any:
        value = self._data[key]
        how = self._FIELDS.get(key, "?" if self._OPEN else "")
        return decode(value, how) if how else value

    def get(self, key: str, default: Any = None) -> Any:
        """The field of this name, or `default`."""
        return self[key] if key in self._data else default

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def keys(self) -> list[str]:
        """The names of the fields that are there."""
        return list(self._data)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Record):
            return self._data == other._data
        return self._data == other if isinstance(other, dict) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._data,)

    def __copy__(self) -> Record:
        return self

    def __repr__(self) -> str:
        from xynergy._show import text

        return text(self)

    def _repr_html_(self) -> str:
        from xynergy._show import html

        return html([self])

    def __dir__(self) -> list[str]:
        fields = set(self._FIELDS) | (set(self._data) if self._OPEN else set())
        return sorted({*object.__dir__(self), *fields})

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary; changing it changes no record."""
        found: dict[str, Any] = _copy(self._data)
        return found

    def to_json(self, *, indent: int | None = None) -> str:
        """JSON of it. `xynergy.to_json` gives the form that is the same in every language."""
        import json

        return json.dumps(self._data, ensure_ascii=False, indent=indent)

    def model_dump(self, *, exclude_none: bool = False, **_: Any) -> dict[str, Any]:
        """As pydantic's, for code that was written for the openai package."""
        return _without_none(self._data) if exclude_none else self.to_dict()

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False, **_: Any) -> str:
        """As pydantic's, for code that was written for the openai package."""
        import json

        return json.dumps(self.model_dump(exclude_none=exclude_none), ensure_ascii=False, indent=indent)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with one row; nested fields are columns with dots in their names."""
        from xynergy._show import frame

        return frame([self])

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from xynergy._pydantic import core_schema

        return core_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        from xynergy._pydantic import json_schema

        return json_schema(cls.__name__)


class Object(Record):
    """An object whose fields are not known beforehand."""

    __slots__ = ()
    _OPEN = True
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Records(list[T]):
    """A list of results that can also be a table."""

    def to_dict(self) -> list[Any]:
        """A plain list of plain dictionaries."""
        return [item.to_dict() if isinstance(item, Record) else item for item in self]

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row for each."""
        from xynergy._show import frame

        return frame(list(self))

    def _repr_html_(self) -> str:
        from xynergy._show import html

        return html(list(self))


_slot: Any = Record.__dict__["_data"]
_set = _slot.__set__
_new = object.__new__


def view(cls: type[Record], data: dict[str, Any]) -> Record:
    """A record over a dictionary that nobody else changes."""
    record = _new(cls)
    _set(record, data)
    return record


def decode(value: Any, how: str) -> Any:
    """A decoded value as the generated `how` says: a name, `[...]`, `{...}` or `?`."""
    kind = value.__class__
    if kind is dict:
        if how[0] == "{":
            return {key: decode(item, how[1:-1]) for key, item in value.items()}
        if how[0] == "?":
            return view(Object, value)
        return value if how[0] == "[" else view(_BY_NAME[how], value)
    if kind is list:
        if how[0] == "[":
            return Records(decode(item, how[1:-1]) for item in value)
        if how[0] == "?":
            return Records(decode(item, "?") for item in value)
    return value


def _key(name: str) -> str:
    """The field that a keyword argument means: `from_` is `from`."""
    return name[:-1] if name.endswith("_") else name


def _raw(value: Any) -> Any:
    if isinstance(value, Record):
        return value._data
    if isinstance(value, (list, tuple)):
        return [_raw(item) for item in value]
    return {key: _raw(item) for key, item in value.items()} if isinstance(value, dict) else value


def _copy(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if value.__class__ is list else value


def _without_none(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if value.__class__ is list else value
