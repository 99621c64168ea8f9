"""A skeleton: what a new service is made from. The project's own, or a team's.

`skeleton.yaml` tells its version, the profiles, which files are Jinja2 templates, and which are for some profiles
alone. Delimiters are `[[ ]]`, `[% %]` and `[# #]`, which Helm and Go do not use. Templates run in Jinja2's sandbox,
and a name that they do not know is an error.
"""

import json
import os
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct, field

from gitops_tk import process
from gitops_tk.charts import templates
from gitops_tk.charts.answers import Answers
from gitops_tk.errors import ChartError, UsageError
from gitops_tk.nesting import document

ABOUT = "skeleton.yaml"
PARTS = ("chart", "app")
# What a team's templates may take.
_SECONDS = 20.0
_MEMORY = 1024**3
_KEPT = ("PATH", "LANG", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")


class Variable(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the skeleton's own questions."""

    description: str = ""
    default: str = ""


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """What `skeleton.yaml` says.

    Attributes:
        version: the skeleton's own version, recorded in each chart.
        profiles: kinds of services, each with a line about it.
        templated: patterns of the files that are templates; `*` stands for any characters, `/` included.
        only: patterns of files that some profiles alone have.
        without: answers that a profile has no use for, and refuses.
        for_modules: patterns of those files of app/ that a Go module that is there already gets, too.
        variables: what `--var` answers.
    """

    version: str
    profiles: dict[str, str]
    templated: tuple[str, ...] = ()
    only: dict[str, tuple[str, ...]] = {}
    without: dict[str, tuple[str, ...]] = {}
    for_modules: tuple[str, ...] = field(default=(), name="for-modules")
    variables: dict[str, Variable] = {}


class Skeleton:
    """A skeleton.

    Args:
        files: its files, by their paths in it.
        trusted: whether it is the program's own, whose templates need no process to be held in.

    Raises:
        ChartError: `skeleton.yaml` is missing, or says something that it cannot (code `skeleton`).
    """

    def __init__(self, files: Mapping[str, bytes], trusted: bool = False) -> None:
        for path in files:
            if {"", ".", "..", ".git"} & set(path.lower().split("/")) or not path.isprintable():
                raise ChartError(f"the skeleton holds {path!r}, which is no plain file", code="skeleton", file=path)
        self.files = files
        self._trusted = trusted
        self.about = about(files)

    @classmethod
    def in_folder(cls, folder: Path) -> "Skeleton":
        """Reads a skeleton from disk; a symbolic link in it is refused."""
        files = {ABOUT: (folder / ABOUT).read_bytes()} if (folder / ABOUT).is_file() else {}
        for path in sorted(path for part in PARTS for path in (folder / part).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise ChartError(f"the skeleton holds a symbolic link: {name}", code="skeleton", file=name)
            if path.is_file():
                files[name] = path.read_bytes()
        return cls(files, trusted=True)

    def check(self, answers: Answers) -> None:
        """Refuses a profile and variables that the skeleton does not have, and answers without a use.

        Raises:
            UsageError: with what it has.
        """
        _check_known("profile", answers.profile, self.about.profiles)
        for name in answers.vars:
            _check_known("variable", name, self.about.variables)
        for name in self.about.without.get(answers.profile, ()):
            if getattr(answers, name, None):
                raise UsageError(
                    f"a service of the profile {answers.profile} has no {name}",
                    code="useless-answer",
                    hint=f"leave {name} out, or choose another profile",
                )

    def render(self, part: str, profile: str, context: Mapping[str, Any]) -> dict[str, bytes]:
        """The files of a part (`chart` or `app`) for a profile, by their paths inside it.

        Args:
            context: what templates may use by name.

        Raises:
            ChartError: a template is broken, or uses what it does not know.
        """
        mine = {path: data for path, data in sorted(self.files.items()) if path.startswith(part + "/")}
        mine = {path: data for path, data in mine.items() if self._has(path, profile)}
        texts = {path: _text(path, data) for path, data in mine.items() if self._is_templated(path)}
        fill = _filled_here if self._trusted else _filled_apart
        filled = fill(texts, context) if texts else {}
        return {path[len(part) + 1 :]: filled.get(path, data) for path, data in mine.items()}

    def for_module(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those of the files of app/ that a Go module that is there already gets, too."""
        rules = self.about.for_modules
        return {path: data for path, data in files.items() if any(fnmatchcase(f"app/{path}", rule) for rule in rules)}

    def _has(self, path: str, profile: str) -> bool:
        return all(profile in profiles for rule, profiles in self.about.only.items() if fnmatchcase(path, rule))

    def _is_templated(self, path: str) -> bool:
        return any(fnmatchcase(path, rule) for rule in self.about.templated)


def _text(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ChartError(f"the skeleton's {path}: {error}", code="skeleton", file=path) from error


def about(files: Mapping[str, bytes]) -> About:
    """What a skeleton says of itself.

    Raises:
        ChartError: `skeleton.yaml` is missing or broken (code `skeleton`).
    """
    if ABOUT not in files:
        raise ChartError(f"the skeleton has no {ABOUT}", code="skeleton", file=ABOUT)
    try:
        return msgspec.convert(document(files[ABOUT].decode("utf-8-sig")), About)
    except (UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ChartError(f"the skeleton's {ABOUT}: {error}", code="skeleton", file=ABOUT) from error


def _filled_here(texts: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, bytes]:
    return _told(templates.fill(texts, context))


def _filled_apart(texts: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, bytes]:
    """Fills a team's templates in, in a process of its own: what never ends, or wants all memory, ends that alone."""
    # The folder that we are called in may be a checkout: nothing is imported from there (-P).
    arguments = [sys.executable, "-P", "-m", "gitops_tk.charts.templates"]
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    request = json.dumps({"texts": texts, "context": context}).encode()
    try:
        done = process.run(arguments, env=env, data=request, timeout=_SECONDS, memory=_MEMORY)
    except process.TimeLimit:
        done = process.Completed(1, b"", b"")
    if done.status:
        raise ChartError("the skeleton takes too long or too much memory to fill in", code="skeleton")
    return _told(json.loads(done.stdout))


def _told(answer: Mapping[str, Any]) -> dict[str, bytes]:
    if "failed" in answer:
        name = answer["file"]
        message = f"the skeleton's {name}: {answer['failed']}"
        raise ChartError(message, code="skeleton", file=name, line=answer["line"])
    return {name: text.encode() for name, text in answer["found"].items()}


def _check_known(what: str, name: str, known: Mapping[str, object]) -> None:
    if name not in known:
        raise UsageError(f"there is no {what} {name!r}", code=f"unknown-{what}", hint=f"there are {', '.join(known)}")
