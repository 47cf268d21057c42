"""What is public and stays within a version: names with their arguments and attributes, settings, commands.

python -m tools.public_api > tests/public_api.txt

A test holds the file against the code, so that nobody changes by accident what others build on. A line that goes or
changes needs what `docs/versions.md` says.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel

import classpulse
from classpulse import client
from classpulse.cli import cli
from classpulse.settings import known_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def public_api() -> list[str]:
    """One line for each thing."""
    modules = [line for module in (classpulse, client) for line in _module(module)]
    settings = [f"setting {name}" for name in sorted(known_names())]
    return [*modules, *settings, *_commands(cli, "classpulse")]


def _module(module: ModuleType) -> Iterator[str]:
    for name in sorted(module.__all__):
        thing, path = getattr(module, name), f"{module.__name__}.{name}"
        if isinstance(thing, type):
            yield from _class(thing, path)
        elif callable(thing):
            yield f"{path}{inspect.signature(thing)}"
        else:
            yield f"{path}: {type(thing).__name__}"


def _class(kind: type, path: str) -> Iterator[str]:
    """How it is made, and what it has that is its own or of another class of ours."""
    own = [each for each in kind.__mro__ if each.__module__.startswith("classpulse")]
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    yield f"class {path}({bases})"
    if not issubclass(kind, BaseModel) and any("__init__" in vars(each) for each in own):
        yield f"{path}.__init__{inspect.signature(kind.__init__)}"
    names = {name for each in own for name in (*vars(each), *inspect.get_annotations(each), *_kept(each))}
    for name in sorted(name for name in names if not name.startswith("_")):
        if not hasattr(BaseModel, name):
            yield f"{path}.{name}{_told(inspect.getattr_static(kind, name, None))}"


def _told(member: object) -> str:
    if isinstance(member, property):
        return f" -> {inspect.signature(member.fget).return_annotation}" if member.fget else ""
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    return str(inspect.signature(function)) if inspect.isfunction(function) else ""


def _kept(kind: type) -> set[str]:
    """The attributes that its `__init__` keeps."""
    made = vars(kind).get("__init__")
    if not inspect.isfunction(made) or made.__code__.co_filename.startswith("<"):  # of a dataclass
        return set()
    found = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(made))))
    stored = (node for node in found if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return {node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self"}


def _commands(command: click.Command, path: str) -> Iterator[str]:
    given = (" | ".join(one.opts + one.secondary_opts) for one in command.params if isinstance(one, click.Option))
    taken = (one.human_readable_name for one in command.params if isinstance(one, click.Argument))
    yield " ".join(["command", path, *taken, *(f"[{option}]" for option in sorted(given))])
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands(command.commands[name], f"{path} {name}")


if __name__ == "__main__":
    print("\n".join(public_api()))
