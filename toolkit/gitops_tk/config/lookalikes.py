"""Paths that could be taken for what a layout means, and are not: by a pattern, or where letters are folded.

Argo CD's generators go by patterns, in which `*` is any name. A file system of macOS or Windows takes `Prod.yaml` for
`prod.yaml`, and so does whoever works there.
"""

import re
from unicodedata import normalize

from gitops_tk.config.layout import HOLDS, Layout
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.config.template import PLACEHOLDER
from gitops_tk.model.names import DNS_LABEL

_OURS = ".gitops-tk/"


class Lookalikes:
    """What paths could be taken for under a configuration.

    Args:
        config: its layout and environments say what has a meaning.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        # Nobody reads a chart whose service has no values: that it comes is enough to be told of.
        named = (("values", "", "a service's values"), ("chart", "/Chart.yaml", "a service's chart"))
        shared = (("shared", "", "shared values"),) if "shared" in config.layout.templates else ()
        self._patterns = [(_pattern(config, key, end), what) for key, end, what in (*named, *shared)]

    def of(self, path: str) -> str | None:
        """What a path could be taken for that means nothing to the configuration; None for nothing."""
        text = _folded(path)
        if text == CONFIG_FILE:
            return None if path == text else "the configuration"
        if text.startswith(f"{HOLDS}/"):
            return None if _is_hold(self._config, path) or not text.endswith((".yaml", ".yml")) else "a hold"
        if text.startswith(_OURS):
            return None if path.startswith(_OURS) else "what is gitops-tk's own"
        return next((what for pattern, what in self._patterns if pattern.fullmatch(text)), None)


def _is_hold(config: Config, path: str) -> bool:
    match = Layout.match_hold(path)
    if match is None:
        return False
    service, env = match
    return re.fullmatch(DNS_LABEL, service) is not None and env in [one.name for one in config.environments]


def _pattern(config: Config, key: str, end: str) -> re.Pattern[str]:
    envs = "|".join(re.escape(_folded(one.path)) for one in config.environments)
    sources = {"service": "[^/]+", "env": f"(?:{envs})"}
    parts = PLACEHOLDER.split(config.layout.templates[key] + end)
    return re.compile("".join(sources[part] if at % 2 else re.escape(_folded(part)) for at, part in enumerate(parts)))


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold()
