"""diff: what a promotion would change, or what changed between two revisions; values and rendered objects."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import RepositoryError
from gitops_tk.model import names
from gitops_tk.model.changes import Publish
from gitops_tk.model.evidence import Evidence
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.policy.gates import Arrival
from gitops_tk.repository.changed import changed_paths
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import CheckoutLocation, RemoteLocation, locate
from gitops_tk.workflows.comparing.evidence import compared, evidence
from gitops_tk.workflows.comparing.sources import Sources
from gitops_tk.workflows.gating.gates import Judge, Judged
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.promote import PromoteRequest, plan
from gitops_tk.workflows.releases import Target
from gitops_tk.workflows.views import Views, look_back, open_remote


class Onlooker(Judge):
    """Answers for the gates, and lets everything pass: who looks at a change wants to see it before it may be made."""

    def judge(
        self, views: Views, config: Config, environment: Environment, arrivals: Sequence[Arrival], publish: Publish
    ) -> dict[str, Judged]:
        """What the gates say."""
        found = super().judge(views, config, environment, arrivals, publish)
        return {service: replace(one, closed=()) for service, one in found.items()}


class Revisions(Struct, frozen=True):
    """Two revisions: branches, tags or commits; of a checkout whatever git takes for one.

    Attributes:
        head: None for the files of a checkout as they lie there, and for a remote's branch.
    """

    base: str
    head: str | None


def of_promotion(request: PromoteRequest, target: Target, options: Options) -> Evidence:
    """The evidence of a promotion that is not made.

    Raises:
        GitopsTkError: the promotion would be refused, or the repository cannot be read.
    """
    with look_back(options) as views:
        return evidence(views, plan(request, views, None, Onlooker()), options.environ, target=target)


def of_revisions(revisions: Revisions, services: Sequence[str], target: Target, options: Options) -> Evidence:
    """The evidence of what changed between two revisions.

    Args:
        services: only these; none means every one.

    Raises:
        GitopsTkError: there is no such revision, or a side cannot be read.
    """
    wanted = [names.service(service) for service in services]
    with _both(revisions, options) as (home, before, after):
        paths = changed_paths(before, after)
        releases, urls = compared(before, after, paths, options.environ, target, wanted)
        sources = Sources(home.url if home else None, load(after).forge, options.environ, ask=False)
    head = revisions.head or options.branch or "now"
    return Evidence(subject=f"diff: {revisions.base} to {head}", releases=sources.told(releases, urls))


def result(found: Evidence) -> Result:
    """The Result that evidence is printed from."""
    return Result(
        command="diff",
        outcome="unchanged",
        skipped=found.skipped,
        gates=found.gates,
        details={"subject": found.subject, "source": found.source, **_plain(found)},
    )


def _plain(found: Evidence) -> Mapping[str, object]:
    return {"releases": to_builtins(found.releases), "rollback": list(found.rollback)}


@contextmanager
def _both(revisions: Revisions, options: Options) -> Iterator[tuple[RemoteLocation | None, Snapshot, Snapshot]]:
    location = locate(options.repo, options.cwd, options.environ)
    if isinstance(location, CheckoutLocation) and options.branch is None:
        checkout = Checkout(location.root, options.environ)
        head = _at(checkout, revisions.head) if revisions.head else checkout.snapshot()
        yield checkout.home, _at(checkout, revisions.base), head
        return
    base, head_name = names.branch(revisions.base), names.branch(revisions.head) if revisions.head else None
    with open_remote(location, options) as remote:
        newest = remote.snapshot()
        yield remote.home, remote.named(base), remote.named(head_name) if head_name else newest


def _at(checkout: Checkout, name: str) -> Snapshot:
    try:
        return checkout.at(name)
    except RepositoryError as error:
        raise RepositoryError(
            f"the checkout has no revision {name!r}",
            code="unknown-revision",
            hint="git fetch, or name the remote with --repo",
        ) from error
