"""What runs: an Application as Argo CD's API answers it, the parts that say how it is.

Source: the API's description (`/swagger.json` of every server), v1alpha1Application.
"""

from datetime import datetime

from msgspec import Struct

# The hex digits of a commit's id.
_COMMIT = 40


class Metadata(Struct, frozen=True):
    """Which Application it is."""

    name: str
    labels: dict[str, str] | None = None


class Health(Struct, frozen=True):
    """Healthy, Progressing, Degraded, Suspended, Missing or Unknown; why is said of resources alone."""

    status: str = "Unknown"
    message: str = ""


class Sync(Struct, frozen=True):
    """Synced, OutOfSync or Unknown, and the commits that this was found at; several of several sources."""

    status: str = "Unknown"
    revision: str = ""
    revisions: list[str] | None = None


class Condition(Struct, frozen=True):
    """What Argo CD complains of; a type that ends in Error stands in the way."""

    type: str = ""
    message: str = ""


class Resource(Struct, frozen=True):
    """An object of the cluster."""

    kind: str = ""
    name: str = ""
    status: str = ""
    health: Health | None = None


class ResourceResult(Struct, frozen=True, rename="camel"):
    """What became of an object, or of a hook, in a sync."""

    kind: str = ""
    name: str = ""
    status: str = ""
    message: str = ""
    hook_phase: str = ""


class SyncResult(Struct, frozen=True):
    """What a sync did."""

    revision: str = ""
    revisions: list[str] | None = None
    resources: list[ResourceResult] | None = None


class Operation(Struct, frozen=True, rename="camel"):
    """A sync: Running, Terminating, Succeeded, Failed or Error."""

    phase: str = ""
    message: str = ""
    sync_result: SyncResult | None = None
    finished_at: datetime | None = None
    retry_count: int = 0


class Summary(Struct, frozen=True):
    """What runs in short."""

    images: list[str] | None = None


class Status(Struct, frozen=True, rename="camel"):
    """How an Application is."""

    sync: Sync = Sync()
    health: Health = Health()
    conditions: list[Condition] | None = None
    operation_state: Operation | None = None
    resources: list[Resource] | None = None
    summary: Summary = Summary()
    reconciled_at: datetime | None = None


class LiveApplication(Struct, frozen=True):
    """An Application.

    Attributes:
        operation: what has been asked for and has not begun.
    """

    metadata: Metadata
    status: Status = Status()
    operation: dict[str, object] | None = None

    @property
    def revisions(self) -> tuple[str, ...]:
        """The commits that it was last compared to."""
        sync = self.status.sync
        return tuple(sync.revisions or ([sync.revision] if sync.revision else []))

    @property
    def commit(self) -> str | None:
        """The commit among the revisions: of a published chart there is a version, too."""
        return next((one for one in self.revisions if len(one) == _COMMIT), next(iter(self.revisions), None))

    @property
    def synced_revisions(self) -> tuple[str, ...]:
        """The commits that the last sync was for."""
        state = self.status.operation_state
        done = state.sync_result if state else None
        return tuple((done.revisions or ([done.revision] if done.revision else [])) if done else ())

    @property
    def is_busy(self) -> bool:
        """Whether a sync runs, or is about to."""
        state = self.status.operation_state
        return self.operation is not None or (state is not None and state.phase in ("Running", "Terminating"))

    @property
    def images(self) -> tuple[str, ...]:
        """The images that run."""
        return tuple(self.status.summary.images or ())
