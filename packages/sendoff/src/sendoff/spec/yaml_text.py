"""YAML from anywhere, within bounds: a short text must not become a value without end.

An alias is a reference, so a text of 1 KB can name a value of more parts than memory holds; nothing notices until
something walks it. So what a text would be when all its aliases are written out is counted before it is built.
"""

from __future__ import annotations

from typing import Any

import yaml

DEEPEST = 100
"""Levels of lists and mappings within each other, aliases written out."""
MOST = 500_000
"""Parts (keys, values, entries), aliases written out."""
_BITS = 1024
_NAMES = {"int": "whole number", "float": "number", "timestamp": "date", "bool": "true or false"}


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with bounds, and with a place in every error."""

    def __init__(self, text: str | bytes) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise yaml.composer.ComposerError(
                None, None, f"it is nested more than {DEEPEST} levels deep", self.get_mark()
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None:
            _measure(node, {})
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        # PyYAML takes the last of two values of one key without a word; YAML 1.2 and conda refuse both.
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} is there twice; only one can be meant", key.start_mark
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except (ValueError, OverflowError, KeyError, IndexError):
            value = None
        else:
            if not isinstance(value, int) or value.bit_length() <= _BITS:
                return value
        kind = node.tag.rpartition(":")[2]
        shown = str(node.value)[:40] if isinstance(node, yaml.ScalarNode) else "this"
        raise yaml.constructor.ConstructorError(
            None, None, f"{shown!r} is no {_NAMES.get(kind, kind)} that can be read", node.start_mark
        )


def load(text: str | bytes) -> Any:
    """The value of a YAML text.

    Raises:
        yaml.YAMLError: It is no YAML, or beyond the bounds; ``problem`` and ``problem_mark`` say what and where.
    """
    loader = Loader(text)
    try:
        return loader.get_single_data()
    except RecursionError:
        raise yaml.composer.ComposerError(None, None, "it is nested too deep", loader.get_mark()) from None
    finally:
        loader.dispose()


def _measure(node: Any, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Parts and levels of a node with aliases written out."""
    if id(node) in known:
        found = known[id(node)]
        if found is None:
            raise yaml.composer.ComposerError(None, None, "an alias stands within its own anchor", node.start_mark)
        return found
    known[id(node)] = None
    inner = node.value if isinstance(node, yaml.CollectionNode) else []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in inner for part in pair]
    parts, levels = 1, 0
    for part in inner:
        more, below = _measure(part, known)
        parts += more
        levels = max(levels, below + 1)
    if parts > MOST or levels > DEEPEST:
        much = f"more than {MOST:,} parts" if parts > MOST else f"more than {DEEPEST} levels"
        raise yaml.composer.ComposerError(None, None, f"with its aliases written out it has {much}", node.start_mark)
    known[id(node)] = parts, levels
    return parts, levels
