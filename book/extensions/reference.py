"""The reference shows the library as a reader imports it, and forgets no module.

In a page, a line `@MODULES course_lib.models@` stands for a section on each public module of that package.

Type hints name the module that defines a class; a reader knows the package that offers it. So
`course_lib.data.splits.Split` is linked to the entry of `course_lib.data.Split`.
"""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

SECTION = """
## {title}

```{{eval-rst}}
.. automodule:: {module}
   :members:
```
"""


def insert_modules(_app: Sphinx, _docname: str, source: list[str]) -> None:
    """Write the sections on the modules of a package."""
    source[0] = re.sub(r"^@MODULES (\S+)@$", lambda match: sections(match.group(1)), source[0], flags=re.MULTILINE)


def sections(package: str) -> str:
    """A section for each module of a package whose name does not start with an underscore."""
    modules = [f"{package}.{info.name}" for info in pkgutil.iter_modules(import_module(package).__path__)]
    public = [module for module in modules if not module.rpartition(".")[2].startswith("_")]
    return "".join(SECTION.format(title=module.partition(".")[2], module=module) for module in public)


def resolve_public_name(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: Element) -> Element | None:
    """Try the name in each package above the module that defines it. None leaves the reference unresolved."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith("course_lib."):
        return None
    parts = target.split(".")
    python = env.get_domain("py")
    for depth in range(len(parts) - 2, 0, -1):
        public = ".".join([*parts[:depth], parts[-1]])
        if public in python.objects:
            docname = node.get("refdoc", "")
            return python.resolve_xref(env, docname, app.builder, "obj", public, node, contnode)
    return None


def skip_tuple_fields(_app: Sphinx, _what: str, _name: str, member: object, *_: object) -> bool | None:
    """Leave out the fields of a named tuple: the signature lists them, and Python knows only their position."""
    return True if type(member).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict:
    app.connect("source-read", insert_modules)
    app.connect("missing-reference", resolve_public_name)
    app.connect("autodoc-skip-member", skip_tuple_fields)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
