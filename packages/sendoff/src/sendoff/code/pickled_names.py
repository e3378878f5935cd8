"""Whether a script defines what its models' pickles name as ``__main__.NAME``: notes, before anything is loaded.

A pickle of a class that the training script itself defined names it so, and the worker then looks in the score script
(``sendoff_serving.worker.script``). What is not there fails in init(), with an AttributeError.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..packaging.check_script import names_of
from ..spec.model import Model


def main_notes(models: Iterable[Model], path: str, script: bytes) -> list[str]:
    """What a reader should know of models whose pickles name what the script does not have.

    Args:
        models: The deployment's models.
        path: What the script is called.
        script: Its content.

    Returns:
        One note for each model; none where the script's names cannot all be known.
    """
    wanted = {model.id: _of_main(model) for model in models}
    if not any(wanted.values()):
        return []
    there = names_of(script)
    if there is None:
        return []
    notes = []
    for model, names in wanted.items():
        lost = sorted(names - there)
        if lost:
            it = "it" if len(lost) == 1 else "them"
            notes.append(
                f"The pickle of model {model} names {_listed(lost)} of the program that saved it (__main__), and "
                f"{path} neither defines nor imports {it}: loading the pickle there fails. Define {it} in the script, "
                f"or save the model again with {it} in a module of its own."
            )
    return notes


def _of_main(model: Model) -> set[str]:
    """The names at the top of ``__main__`` that a model's pickles import."""
    imported = (finding.imported.split(".") for finding in model.scan.findings)
    return {parts[1] for parts in imported if parts[0] == "__main__" and len(parts) > 1}


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
