"""What must be true of all messages, so that no reader meets a hole, a wrong number or a stranger's HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cphub.i18n import sources
from cphub.i18n.banana import BananaError, Link, Parameter, Plural, Tree, walk
from cphub.i18n.catalogue import (
    DOCUMENTATION,
    MESSAGES,
    SOURCE,
    message_files,
    parse_message,
    read_messages,
)
from cphub.i18n.languages import language, normalise

ROOT = Path(__file__).parents[2]

COMPLETE = ("fr", "ar")
"""Languages the tool promises in full; others may have holes."""

DYNAMIC_PREFIXES = ("events-",)
"""Beginnings of keys whose ends are codes out of the data, and which no source spells out to its last part."""

KEPT_PREFIXES = ("common-",)
"""Words every page may need; they may stand ready before the first one does."""

_KEY = re.compile(r"[a-z_]+-[a-z0-9_:-]*[a-z0-9]")


@dataclass(frozen=True, slots=True)
class _File:
    """The readable messages of one subject in one language."""

    subject: str
    code: str
    sources: Mapping[str, object]
    trees: Mapping[str, Tree]


def problems(catalogue_folder: Path = MESSAGES, root: Path | None = ROOT) -> list[str]:
    """Every problem in one line each, nothing when all is well.

    `root` is the repository whose code and templates are read; None looks at the messages alone."""
    found: list[str] = []
    files: list[_File] = []
    for path in message_files(catalogue_folder):
        file, broken = _read(path)
        found += [f"{_name(path)}: {problem}" for problem in broken]
        if file:
            files.append(file)
    found += _problems_of_messages(files)
    if root:
        found += _problems_of_sources(root, files)
    return found


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _read(path: Path) -> tuple[_File | None, list[str]]:
    subject, code = path.parent.name, path.stem
    if normalise(code) != code:
        return None, ["not the name of a language"]
    try:
        texts = read_messages(path)
    except (OSError, ValueError, RecursionError) as error:
        return None, [f"cannot be read: {error}"]
    broken: list[str] = []
    trees: dict[str, Tree] = {}
    for key, text in texts.items():
        try:
            # What is written about messages may say "<b>"; it is never shown to readers.
            trees[key] = () if code == DOCUMENTATION else parse_message(text)
        except BananaError as error:
            broken.append(f"{key}: {error}")
    return _File(subject, code, texts, trees), broken


def _problems_of_messages(files: list[_File]) -> Iterator[str]:
    by_place = {(file.subject, file.code): file for file in files}
    homes: dict[tuple[str, str], str] = {}
    for subject in sorted({file.subject for file in files}):
        source = by_place.get((subject, SOURCE))
        if not source:
            yield f"{subject}: has no {SOURCE}.json"
            continue
        for code in (DOCUMENTATION, *COMPLETE):
            there = by_place.get((subject, code))
            for key in sorted(source.sources.keys() - (there.sources if there else {}).keys()):
                yield f"{subject}/{code}.json: {key} is missing"
        for file in files:
            if file.subject == subject:
                yield from (f"{subject}/{file.code}.json: {problem}" for problem in _problems_of(file, source))
    for file in files:
        for key in file.sources:
            home = homes.setdefault((file.code, key), file.subject)
            if home != file.subject:
                yield f"{file.subject}/{file.code}.json: {key} is already in {home}"


def _problems_of(file: _File, source: _File) -> Iterator[str]:
    for key, text in file.sources.items():
        if not key.startswith(f"{file.subject}-"):
            yield f"{key} does not begin with {file.subject}-"
        elif not _KEY.fullmatch(key):
            yield f"{key} is not lower case with hyphens"
        if key not in source.sources:
            yield f"{key} is not in {SOURCE}.json"
        if file.code == DOCUMENTATION and not text:
            yield f"{key} says nothing"
    for key, tree in file.trees.items():
        if file.code != DOCUMENTATION:
            yield from (f"{key}: {problem}" for problem in _wrong(tree, source.trees.get(key), file.code))


def _wrong(tree: Tree, original: Tree | None, code: str) -> Iterator[str]:
    forms = len(language(code).plural_tags)
    for node in walk(tree):
        if isinstance(node, Plural) and len(node.forms) > forms:
            yield f"PLURAL has {len(node.forms)} forms, the language {forms}"
    if original is None:
        return
    here, there = _parameters(tree), _parameters(original)
    if here != there:
        yield f"has {_listed(here)} where {SOURCE} has {_listed(there)}"
    for address in sorted(_addresses(tree) - _addresses(original)):
        yield f"links to {address}, {SOURCE} does not"


def _parameters(tree: Tree) -> set[int]:
    return {node.position for node in walk(tree) if isinstance(node, Parameter)}


def _addresses(tree: Tree) -> set[str]:
    return {
        "".join(part if isinstance(part, str) else f"${part.position}" for part in node.address)
        for node in walk(tree)
        if isinstance(node, Link)
    }


def _listed(positions: set[int]) -> str:
    return " ".join(f"${position}" for position in sorted(positions)) or "no parameter"


def _problems_of_sources(root: Path, files: list[_File]) -> Iterator[str]:
    keys = {key for file in files if file.code == SOURCE for key in file.sources}
    subjects = {file.subject for file in files}
    for found in sources.asked_for(root):
        if _KEY.fullmatch(found.what) and found.what not in keys:
            yield f"{found.place}: no message {found.what}"
    for key in sources.taxonomy_keys():
        if "taxonomy" in subjects and key not in keys:
            yield f"taxonomy/{SOURCE}.json: {key} is missing"
    prefixes = (*DYNAMIC_PREFIXES, *KEPT_PREFIXES, *sources.built_prefixes(root))
    for key in unused(keys, sources.mentioned(root), prefixes):
        yield f"{key.partition('-')[0]}/{SOURCE}.json: {key} is used nowhere"
    for found in sources.unreadable(root):
        yield f"{found.place}: cannot be read: {found.what}"
    for found in sources.unspoken(root):
        yield f"{found.place}: words outside a message: {found.what}"


def unused(keys: set[str], mentioned: set[str], prefixes: tuple[str, ...]) -> list[str]:
    """Keys that no source writes out and that begin with none of the prefixes."""
    return sorted(key for key in keys - mentioned if not key.startswith(prefixes))
