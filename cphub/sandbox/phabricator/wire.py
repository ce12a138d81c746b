"""How Conduit reads a call: PHP's form fields, or one JSON field, and what it says when it cannot."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from flask import Request

T = TypeVar("T")

CORE = "ERR-CONDUIT-CORE"
_KEY = re.compile(r"\[([^\[\]]*)\]")
_NOT_UTF8 = (
    "Attempting to construct a query using a non-utf8 string when utf8 is expected. "
    "Use the `%B` conversion to escape binary strings data."
)
_NOT_A_FORM = (
    "Use form-encoded data to submit parameters to Conduit endpoints. "
    "Sending a JSON-encoded body and setting 'Content-Type': 'application/json' is not currently supported."
)


class ConduitError(Exception):
    """A refusal, told as HTTP 200 with this code and text."""

    def __init__(self, code: str, info: str) -> None:
        super().__init__(info)
        self.code = code
        self.info = info


@dataclass(frozen=True, slots=True)
class Call:
    """One call as read. ``strict`` is set for the JSON form: there "4" is not a number."""

    params: Mapping[str, Any]
    token: str
    strict: bool

    def value(self, name: str) -> Any:
        return self.params.get(name)


def read_call(request: Request) -> Call:
    """Read a POST body, or the query string of a GET: tokens, and even writes, are taken that way too."""
    if request.content_type == "application/json":
        raise ConduitError(CORE, _NOT_A_FORM)
    if request.mimetype == "multipart/form-data":  # read by PHP itself, which turns the dot into an underscore
        params = _nested((key.replace(".", "_"), text) for key, text in request.form.items(multi=True))
    else:
        body = request.query_string if request.method == "GET" else request.get_data()
        params = _nested(_pairs(body))
    params.pop("output", None)
    if isinstance(packed := params.get("params"), str):
        params = json.loads(packed)
        head = params.pop("__conduit__", {})
        return Call(params, str(head.get("token", "")), strict=True)
    token = params.pop("api.token", "")
    return Call(params, token if isinstance(token, str) else "", strict=False)


def _pairs(body: bytes) -> Iterable[tuple[str, str]]:
    for field in filter(None, body.split(b"&")):
        name, _, value = field.replace(b"+", b" ").partition(b"=")
        yield _unquoted(name), _unquoted(value)


def _unquoted(part: bytes) -> str:
    """A byte that is not UTF-8 stays visible as a lone surrogate, see ``check_utf8``."""
    return unquote_to_bytes(part).decode(errors="surrogateescape")


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0]=1`` as ``{"a": {"b": ["1"]}}``: of a key named twice the last wins, ``[]`` appends."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        start = name.find("[")
        path = [name[:start], *_KEY.findall(name[start:])] if start > 0 and name.endswith("]") else [name]
        node = tree
        for key in path[:-1]:
            inner = node.setdefault(key or str(len(node)), {})
            node = inner if isinstance(inner, dict) else {}
        node[path[-1] or str(len(node))] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    return list(inner.values()) if list(inner) == [str(index) for index in range(len(inner))] else inner


def check_params(method: str, call: Call, known: Iterable[str]) -> None:
    unknown = [f"'{name}'" for name in call.params if name not in known]
    if unknown:
        text = f'API Method "{method}" does not define these parameters: {", ".join(unknown)}.'
        raise ConduitError("ERR-CONDUIT-CALL", text)


def check_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConduitError(CORE, _NOT_UTF8) from None
    return text


def read_text(name: str, value: Any, _call: Call) -> str:
    if not isinstance(value, str):
        raise ConduitError(CORE, f'Error while reading "{name}": Expected string, got something else.')
    return check_utf8(value)


def read_number(name: str, value: Any, call: Call) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not call.strict and isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    raise ConduitError(CORE, f'Error while reading "{name}": Expected integer, got something else.')


def read_list(name: str, value: Any, call: Call, read: Callable[[str, Any, Call], T]) -> list[T]:
    if not isinstance(value, list):
        raise ConduitError(CORE, f'Error while reading "{name}": Expected a list, but value is not a list.')
    if not value:
        raise ConduitError(CORE, f'Error while reading "{name}": Expected a nonempty list, but value is an empty list.')
    return [read(f"{name}[{index}]", item, call) for index, item in enumerate(value)]


def read_mapping(value: Any) -> dict[str, Any]:
    """PHP has one type for lists and maps; an absent or empty one is both."""
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return dict(value) if isinstance(value, Mapping) else {}


def read_page_size(call: Call) -> tuple[int, Any]:
    """The page size of a ``*.search``, and the same as it comes back in ``cursor.limit``."""
    asked = call.value("limit")
    if asked is None:
        return 100, 100
    text = str(asked)
    if not re.fullmatch(r"-?[0-9]+", text) or int(text) > 100:
        bound = "Maximum page size for Conduit API method calls is 100"
    elif int(text) < 1:
        bound = "Minimum page size for Conduit API method calls is 1"
    else:
        return int(text), echo_limit(asked)
    raise ConduitError("ERR-INVALID-PAGE-SIZE", f"{bound}, but this call specified {text}.")


def echo_limit(asked: Any) -> Any:
    """A limit sent as a form field comes back as the text it was; but "1" comes back as a number."""
    return 1 if asked == "1" else asked
