"""Evidence: what a reviewer wants to know about a change. Nothing secret is in it: it is masked before it gets here."""

from typing import Any, Literal

from msgspec import Struct

from gitops_tk.model.changes import Gate, Skipped
from gitops_tk.model.image import Image

# What stands in the place of a secret that is there.
HIDDEN = "(hidden)"


class SourceCommit(Struct, frozen=True):
    """A commit of an application's repository: its id and the first line of its message."""

    commit: str
    subject: str


class ImageChange(Struct, frozen=True, kw_only=True):
    """An image that a release gets.

    Attributes:
        image: which of the service's images.
        before: None where there was none.
        after: None where there is none any more.
        since: since when the source environment holds it, in seconds since 1970 (UTC); None where that is not known.
        compare: where the source repository shows what is between the two revisions.
        commits: the commits between the two revisions, newest first.
    """

    image: str
    before: Image | None
    after: Image | None
    since: int | None = None
    compare: str | None = None
    commits: tuple[SourceCommit, ...] = ()


class FieldChange(Struct, frozen=True, kw_only=True):
    """A key of a release's values, or a field of an object, that changes.

    Attributes:
        path: where it is, such as `spec.template.spec.containers[web].image`.
        before: what it held; None where there was nothing.
        after: what it holds; None where there is nothing.
        diff: of longer text the lines that change, in place of before and after.
        hidden: whether it is a secret, or has one in it; HIDDEN stands for what is there then.
        because: what it follows from: it says nothing new where that is told already.
    """

    path: str
    before: Any = None
    after: Any = None
    diff: str | None = None
    hidden: bool = False
    because: Literal["image", "checksum"] | None = None


class ObjectChange(Struct, frozen=True, kw_only=True):
    """A Kubernetes object that comes, goes or changes.

    Attributes:
        namespace: None for the release's own, and where there is none.
        was: the name that it had, where it comes under another one.
        text: of an object that is added what it holds, as YAML.
    """

    change: Literal["added", "removed", "changed"]
    api_version: str
    kind: str
    name: str
    namespace: str | None = None
    was: str | None = None
    fields: tuple[FieldChange, ...] = ()
    text: str | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{place}"


class Caution(Struct, frozen=True, kw_only=True):
    """Something that is worth a look before the change goes on.

    Attributes:
        code: stable, in kebab-case; docs/evidence.md lists them.
        object: the Kubernetes object that it is about, or None.
    """

    code: str
    message: str
    object: str | None = None


class ReleaseChange(Struct, frozen=True, kw_only=True):
    """What changes for one service in one environment.

    Attributes:
        values: the keys of its merged values that change, but for those of its images.
        not_rendered: why its objects could not be compared; None where they were, or where it has no chart.
    """

    service: str
    env: str
    images: tuple[ImageChange, ...] = ()
    values: tuple[FieldChange, ...] = ()
    objects: tuple[ObjectChange, ...] = ()
    cautions: tuple[Caution, ...] = ()
    not_rendered: str | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """What a change does, release by release.

    Attributes:
        subject: the change in one line.
        source: the environment that a promotion comes from.
        rollback: the commands that bring back what ran before.
        command: the command that prints all of this.
    """

    subject: str
    source: str | None = None
    releases: tuple[ReleaseChange, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    gates: tuple[Gate, ...] = ()
    rollback: tuple[str, ...] = ()
    command: str = ""
