"""Sections of gitops-tk.yaml that stand by themselves: the forge, the skeleton, and what checks leave out."""

import re
from collections.abc import Sequence

from gitops_tk.config import model
from gitops_tk.config.forge import FileForge
from gitops_tk.config.lines import Path, shown
from gitops_tk.config.source import Source
from gitops_tk.model import names

# Never a local file: the repository does not say what is read on the machine that runs the tool.
_REMOTE = re.compile(r"(?:https?|ssh)://[A-Za-z0-9\[][^\s@]*|(?:ssh://)?[A-Za-z0-9_.][\w.-]*@[A-Za-z0-9][\w.:/~-]*")
# What follows the host in a repository's address: owners, groups and subgroups, a project; spaces are Azure's.
_REPOSITORY = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[\w.~-][\w.~ -]*(?:/[\w.~-][\w.~ -]*)*")


def forge(source: Source) -> FileForge:
    """The forge, as a file describes it.

    Raises:
        ConfigError: a repository, label or reviewer could be no name, or a draft is to be merged by the forge.
    """
    found: FileForge = source.convert(("forge",), FileForge)
    if found.repository is not None and not _REPOSITORY.fullmatch(found.repository):
        message = f"forge.repository: {shown(found.repository)} is not a repository's name"
        hint = "write what follows the host in its address, such as team/gitops"
        raise source.error(("forge", "repository"), "config-value", message, hint)
    for key, listed in (("labels", found.labels), ("reviewers", found.reviewers)):
        for position, name in enumerate(listed):
            # Some forges take labels and reviewers as one text, with commas in between.
            if not name.strip() or not name.isprintable() or "," in name:
                message = f"forge.{key}: {shown(name)} is not a name"
                raise source.error(("forge", key, position), "config-value", message)
    if found.draft and found.auto_merge:
        message = "forge: a draft cannot be merged, so draft and auto-merge exclude each other"
        raise source.error(("forge", "auto-merge"), "config-value", message)
    return found


def skeleton(source: Source) -> model.FileSkeleton:
    """What new services are made from.

    Raises:
        ConfigError: it is no place that could be read.
    """
    place: Path = ("skeleton",)
    found: model.FileSkeleton = source.convert(place, model.FileSkeleton)
    if found.path is not None and not _is_inside(found.path):
        message = f"skeleton.path: {shown(found.path)} is not a folder inside a repository"
        raise source.error((*place, "path"), "config-value", message)
    if found.url is not None and not _REMOTE.fullmatch(found.url):
        message = f"skeleton.url: {shown(found.url)} is not a remote repository's address"
        raise source.error((*place, "url"), "config-value", message, "use https:// or ssh://, without a password")
    if found.ref is not None:
        source.check((*place, "ref"), names.branch, found.ref)
    if (found.url is None) != (found.ref is None):
        raise source.error(place, "config-value", "skeleton.url and skeleton.ref go together")
    return found


def validation(source: Source, environments: Sequence[str]) -> model.Validation:
    """What validate knows and leaves out.

    Raises:
        ConfigError: a path leaves the repository, or a rule is switched off without a reason or where nothing is.
    """
    place: Path = ("validate",)
    written: model.FileValidate = source.convert(place, model.FileValidate, {"off"})
    for position, path in enumerate(written.crds):
        if not _is_inside(path.rstrip("/")):
            message = f"validate.crds: {shown(path)} is not a file or folder of the repository"
            raise source.error((*place, "crds", position), "config-value", message)
    crds = tuple((path.rstrip("/"), source.lines.of((*place, "crds", at))) for at, path in enumerate(written.crds))
    return model.Validation(crds=crds, off=_switched_off(source, (*place, "off"), environments))


def verification(source: Source, environments: Sequence[str]) -> tuple[model.Off, ...]:
    """The rules of verify-pr that are switched off.

    Raises:
        ConfigError: a reason is missing, or an environment is not there.
    """
    source.convert(("verify",), model.FileVerify, {"off"})
    return _switched_off(source, ("verify", "off"), environments)


def _switched_off(source: Source, place: Path, environments: Sequence[str]) -> tuple[model.Off, ...]:
    return tuple(_off(source, (*place, at), environments) for at in range(len(source.list(place))))


def _off(source: Source, place: Path, environments: Sequence[str]) -> model.Off:
    one: model.FileOff = source.convert(place, model.FileOff)
    if not one.reason.strip() or not one.reason.isprintable():
        raise source.error((*place, "reason"), "config-value", f"{shown(one.rule)} is switched off without a reason")
    what = f"{shown(one.rule)} is switched off in"
    source.check_environments((*place, "environments"), one.environments or (), environments, what)
    return model.Off(
        rule=one.rule,
        reason=one.reason,
        services=None if one.services is None else tuple(one.services),
        environments=None if one.environments is None else tuple(one.environments),
        line=source.lines.of((*place, "rule")),
    )


def _is_inside(path: str) -> bool:
    return bool(path) and path.isprintable() and not {"", ".", ".."} & set(path.split("/"))
