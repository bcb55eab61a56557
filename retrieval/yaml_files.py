"""Reading YAML as YAML 1.2 reads it: `on`, `yes` and `no` are words, only true and false are booleans.

PyYAML follows YAML 1.1, where the join key `on:` of a semantic model would be the boolean true and the country code
NO of a policy false. A key that is written twice is an error: PyYAML keeps the last and says nothing, so that a
policy's second `sales:` would undo the first.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"
_BOOLEAN = "tag:yaml.org,2002:bool"
_CSafe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where it was built in: nine times as fast, and start-up reads some 5,000 lines."""


class _Strict:
    """Refuses a key that is there twice; what is merged in by `<<` may be overridden, as it is meant to be."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """The mapping of a node; called by PyYAML."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if (key.tag, key.value) in seen:
                    problem = f"the key {key.value!r} is there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)  # type: ignore[misc]  # a mixin of PyYAML's loaders


class _Loader(_Strict, yaml.SafeLoader):
    """The safe loader with the booleans of YAML 1.2."""


class _FastLoader(_Strict, _CSafe):  # type: ignore[misc]  # chosen above; it has the interface of a SafeLoader
    """The same on libyaml."""


for _each in (_Loader, _FastLoader):
    _each.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _each.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml(text: str) -> Any:
    """One document. Raises `yaml.YAMLError`."""
    try:
        return yaml.load(text, Loader=_FastLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        # libyaml's errors name the line after; ours says where and what in words.
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
