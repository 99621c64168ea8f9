"""What a forge keeps: pull requests on real bare repositories. A merge really merges."""

import itertools
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.repositories import git, tips

ROBOT = "robot"


class Refused(Exception):
    """The forge does not do it; why."""


@dataclass
class Comment:
    """A comment."""

    id: int
    author: str
    body: str
    version: int = 0


@dataclass
class Pull:
    """A pull request.

    Attributes:
        fork: the owner of the fork that the branch is in; None for the repository itself.
        looks: how often it must be looked at before the forge knows whether it can be merged.
        armed: the method that the forge will merge it with once its checks have passed.
        approvals: who approves it, with the ids of their reviews.
    """

    number: int
    branch: str
    base: str
    title: str
    body: str
    author: str
    head: str
    draft: bool = False
    state: str = "open"
    fork: str | None = None
    merge_commit: str | None = None
    looks: int = 0
    armed: str | None = None
    queued: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    approvals: dict[str, int] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    version: int = 0


@dataclass
class Settings:
    """What a repository's plan and settings allow.

    Attributes:
        checks: whether required checks still run: then nothing is merged, and auto-merge waits.
        looks: how often a new pull request is looked at before the forge knows whether it can be merged.
        people: who can be asked for a review.
        guarded: whether the main branch is protected.
        passes: whether the robot may push to it all the same.
        required: the checks that have to pass before a merge.
        pushes: whether the robot may push to the repository.
        scopes: what its token may do.
        expires: the last day of its token.
    """

    checks: bool = False
    auto_merge: bool = True
    drafts: bool = True
    dismissals: bool = True
    methods: tuple[str, ...] = ("merge", "squash", "rebase")
    looks: int = 0
    people: tuple[str, ...] = ("ann", "bob", "team:platform")
    guarded: bool = True
    passes: bool = True
    required: tuple[str, ...] = ("verify-pr",)
    pushes: bool = True
    scopes: tuple[str, ...] = ("repo", "api")
    expires: str | None = "2099-12-31"


class Repository:
    """A repository on the forge, and the bare repository that it is."""

    def __init__(self, path: str, folder: Path, author: str = ROBOT) -> None:
        self.path = path
        self.folder = folder
        self.author = author
        self.settings = Settings()
        # Whether a pull request outlives its branch, as on GitLab and Bitbucket Cloud.
        self.keeps_open = False
        self.pulls: dict[int, Pull] = {}
        self.labels: dict[str, int] = {}
        self._ids = itertools.count(1001)
        self._contained: dict[tuple[str, str], bool] = {}

    def new_id(self) -> int:
        """A number that nothing else has."""
        return next(self._ids)

    def tips(self) -> dict[str, str]:
        """Each branch with its commit."""
        return tips(self.folder)

    def refresh(self) -> None:
        """Follows what was pushed: heads move, and what has landed or lost its branch is open no more."""
        tips = self.tips()
        for pull in self.opened():
            if pull.fork is not None:
                continue
            if pull.branch not in tips:
                pull.state = pull.state if self.keeps_open else "closed"
                continue
            if tips[pull.branch] != pull.head:
                pull.head = tips[pull.branch]
                pull.version += 1
            if pull.base in tips and self._contains(tips[pull.base], pull.head):
                pull.state, pull.merge_commit, pull.armed = "merged", tips[pull.base], None

    def opened(self) -> list[Pull]:
        """The open pull requests, the newest first."""
        return [pull for pull in sorted(self.pulls.values(), key=lambda one: -one.number) if pull.state == "open"]

    def open(self, branch: str, base: str, title: str, body: str, *, draft: bool = False) -> Pull:
        """Opens a pull request of this repository's own branch.

        Raises:
            Refused: there is no such branch, or nothing to merge.
        """
        tips = self.tips()
        for name in (branch, base):
            if name not in tips:
                raise Refused(f"there is no branch {name}")
        if self._contains(tips[base], tips[branch]):
            raise Refused(f"No commits between {base} and {branch}")
        return self._add(branch, base, title, body, self.author, tips[branch], draft=draft)

    def open_fork(self, owner: str, branch: str, base: str, title: str) -> Pull:
        """Somebody's pull request from a fork, whose branch may have any name."""
        pull = self._add(branch, base, title, "", owner, "f" * 40)
        pull.fork = owner
        return pull

    def twin(self, branch: str, base: str) -> Pull | None:
        """The open pull request of the same branches."""
        return next((one for one in self.opened() if (one.branch, one.base, one.fork) == (branch, base, None)), None)

    def comment(self, pull: Pull, author: str, body: str) -> Comment:
        """Adds a comment."""
        made = Comment(self.new_id(), author, body)
        pull.comments.append(made)
        return made

    def approve(self, pull: Pull, who: str) -> None:
        """A person approves."""
        pull.approvals[who] = self.new_id()

    def mergeable(self, pull: Pull) -> bool | None:
        """Whether it can be merged; None while the forge still works that out."""
        if pull.looks > 0:
            pull.looks -= 1
            return None
        return self._merged_tree(pull) is not None

    def merge(self, pull: Pull, method: str) -> str:
        """Merges, and returns the new commit.

        Raises:
            Refused: there is a conflict.
        """
        base = self.tips()[pull.base]
        tree = self._merged_tree(pull)
        if tree is None:
            raise Refused("there is a conflict")
        parents = ["-p", base, *(["-p", pull.head] if method == "merge" else [])]
        message = git(self.folder, "log", "-1", "--format=%B", pull.head) if method == "rebase" else pull.title
        made = git(self.folder, "commit-tree", tree, *parents, "-m", message)
        git(self.folder, "update-ref", f"refs/heads/{pull.base}", made, base)
        pull.state, pull.merge_commit, pull.armed, pull.queued = "merged", made, None, False
        pull.version += 1
        return made

    def pass_checks(self) -> None:
        """All checks pass: what is armed is merged."""
        self.settings.checks = False
        self.refresh()
        for pull in self.opened():
            if pull.armed is not None:
                self.merge(pull, pull.armed)

    def compare(self, older: str, newer: str) -> list[tuple[str, str]] | None:
        """The ids and messages of the commits between, the newest first; None where one is not there."""
        done = subprocess.run(
            ["git", "log", "-z", "--format=%H%n%B", f"{older}..{newer}", "--"], cwd=self.folder, capture_output=True
        )
        if done.returncode or not re.fullmatch(r"[\w./-]+", older + newer):
            return None
        found = (record.partition("\n") for record in done.stdout.decode().split("\0") if record)
        return [(oid, message.strip()) for oid, _, message in found]

    def _add(
        self, branch: str, base: str, title: str, body: str, author: str, head: str, *, draft: bool = False
    ) -> Pull:
        number = max(self.pulls, default=0) + 1
        pull = Pull(number, branch, base, title, body, author, head, draft, looks=self.settings.looks)
        self.pulls[number] = pull
        return pull

    def _merged_tree(self, pull: Pull) -> str | None:
        done = subprocess.run(
            ["git", "merge-tree", "--write-tree", f"refs/heads/{pull.base}", pull.head],
            cwd=self.folder,
            capture_output=True,
        )
        return done.stdout.decode().split("\n")[0] if done.returncode == 0 else None

    def _contains(self, base: str, head: str) -> bool:
        if (base, head) not in self._contained:
            done = subprocess.run(["git", "merge-base", "--is-ancestor", head, base], cwd=self.folder)
            self._contained[base, head] = done.returncode == 0
        return self._contained[base, head]
