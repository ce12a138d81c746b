"""Addresses of lists: the present one with something in it changed."""

from collections.abc import Collection
from urllib.parse import urlencode

from flask import request


def address(**changes: str | None) -> str:
    """This page with these parameters instead of its own, from the first page on; None takes one away."""
    gone = {"after", "uselang", *changes}
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in gone and value]
    query = urlencode([*kept, *((name, value) for name, value in changes.items() if value)])
    return f"{request.path}?{query}" if query else request.path


def next_page(mark: str | None) -> str | None:
    """The address of the page that follows, if one does."""
    return address(after=mark) if mark else None


def given(name: str, among: Collection[str]) -> str | None:
    """A filter of this address. One that names nothing that exists is left out, so that old links go on to work."""
    value = request.args.get(name)
    return value if value and value in among else None
