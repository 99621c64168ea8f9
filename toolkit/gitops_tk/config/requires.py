"""`requires`: an older program says that it is one, in place of failing on a key that it does not know."""

import re
from typing import Any

from gitops_tk import __version__
from gitops_tk.config.lines import Path, shown
from gitops_tk.config.source import Source

_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})")


def check(source: Source, requires: Any) -> None:
    """Refuses a file that is not for this version of the program.

    Raises:
        ConfigError: it is for another one, or does not say which (code `config-requires`).
    """
    place: Path = ("requires",)
    if not isinstance(requires, str):
        raise source.error(place, "config-value", "requires: expected text", 'write requires: ">=1.2"')
    here = tuple(int(part) for part in re.findall(r"\d+", __version__)[:3])
    for clause in (_CLAUSE.fullmatch(part.strip()) for part in requires.split(",")):
        if clause is None:
            message = f"requires: {shown(requires)} is not understood"
            raise source.error(place, "config-requires", message, 'write ">=1.2"')
        if not _holds(clause[1], here, tuple(int(part) for part in clause[2].split("."))):
            message = f"the repository requires gitops-tk {requires}, and this is {__version__}"
            raise source.error(place, "config-requires", message, "upgrade gitops-tk")


def _holds(operator: str, here: tuple[int, ...], asked: tuple[int, ...]) -> bool:
    width = max(len(asked), len(here))
    padded, own = asked + (0,) * (width - len(asked)), here + (0,) * (width - len(here))
    order = (own > padded) - (own < padded)
    return {
        ">=": order >= 0,
        "<=": order <= 0,
        "==": order == 0,
        "!=": order != 0,
        ">": order > 0,
        "<": order < 0,
    }[operator]
