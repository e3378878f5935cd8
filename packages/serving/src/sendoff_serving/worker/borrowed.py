"""A faster parser of JSON, borrowed from the front where both run on the same kind of Python.

The worker has nothing but the standard library and what the user installed. The front has orjson, whose extension
module is one file that needs nothing else; where its name says that this interpreter can load it, it is loaded here
under no name in ``sys.modules``, so the script sees nothing of it and may have an orjson of its own.
"""

import importlib.machinery
import importlib.util
from typing import Any, Callable, Optional

_NAME = "orjson.orjson"


def parser(extension: Optional[str]) -> Optional[Callable[[bytes], Any]]:
    """Return ``orjson.loads``, None where this interpreter cannot have it.

    It reads what ``json.loads`` reads and gives the same values, with three differences: some texts that ``json`` reads
    are errors (NaN, numbers out of range, surrogates alone), whole numbers of more than 64 bits become floats, and
    nesting may be 1024 deep, where ``json`` has the interpreter's limit on recursion.

    Args:
        extension: the front's extension module.
    """
    if extension is None or not extension.endswith(importlib.machinery.EXTENSION_SUFFIXES[0]):
        return None
    try:
        loader = importlib.machinery.ExtensionFileLoader(_NAME, extension)
        spec = importlib.util.spec_from_loader(_NAME, loader)
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        loader.exec_module(module)
        loads: Callable[[bytes], Any] = module.loads
        return loads
    except Exception:  # whatever it is, the standard library can do it too
        return None
