"""wait: until Argo CD reports services synced to what the repository holds, and healthy."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gitops_tk.argocd.client import Server, Window, connect
from gitops_tk.argocd.live import LiveApplication
from gitops_tk.argocd.verdict import Relation, Verdict, judge, unhealthy
from gitops_tk.config.load import load
from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import GitopsTkError, MissingFile
from gitops_tk.http import Patience, Unanswered
from gitops_tk.model import names
from gitops_tk.model.durations import exact
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.location import locate
from gitops_tk.repository.remote import Remote
from gitops_tk.values.image import read_image
from gitops_tk.workflows.chart_pins import written_in
from gitops_tk.workflows.layers import CHART_VALUES, layer_paths, read_layers, require
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.views import open_remote
from gitops_tk.workflows.wiring.manifests import required

# A rollout reports trouble that passes: an autoscaler without metrics of new pods, a repository server that restarts.
_SETTLES = 30.0
_REFRESHES = 30.0
_PAUSES = (1.0, 2.0, 3.0, 5.0)

Tell = Callable[[str], None]


class WaitRequest(Struct, frozen=True, kw_only=True):
    """What is waited for, and how long.

    Attributes:
        services: those that are waited for; empty for all that have an image in the environment.
        revision: the commit of the GitOps repository that is waited for; None for the branch's newest.
        timeout: in seconds.
    """

    services: tuple[str, ...]
    env: str
    revision: str | None = None
    timeout: float = 600.0


class Clock(Struct, frozen=True, kw_only=True):
    """Time, so that tests can hold it still."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Awaited(Struct, kw_only=True):
    """A release that is waited for, and how far it has come.

    Attributes:
        version: what git says should run.
        shape: the object ids of what the release is made from.
        since: since when it has been in trouble, by the clock; None where it is not.
        refreshed: when Argo CD was last asked to look at the repository.
    """

    service: str
    application: str
    version: str
    shape: tuple[str, ...]
    verdict: Verdict = Verdict(state="coming", said="not asked yet")
    seen: LiveApplication | None = None
    since: float | None = None
    refreshed: float | None = None
    windows: tuple[Window, ...] = ()
    ended: bool = False


class Waiting:
    """Asks Argo CD again and again.

    Args:
        remote: the GitOps repository; its snapshot is taken already.
        wanted: the commit that is waited for.
        tell: told each change of what a service's Application says.
    """

    def __init__(
        self,
        request: WaitRequest,
        config: Config,
        remote: Remote,
        wanted: Snapshot,
        server: Server,
        tell: Tell,
        clock: Clock | None = None,
    ) -> None:
        self._request = request
        self._config = config
        self._remote = remote
        self._server = server
        self._tell = tell
        self._clock = clock or Clock()
        self._environment = config.environment(request.env)
        self._wanted = wanted
        self._shapes: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._heard = False
        self.awaited = _awaited(config, self._environment, request.services, wanted)

    def run(self) -> Result:
        """Waits until every service is there, one has failed, or the time is up.

        Raises:
            LoginFailed: Argo CD refuses the token, or does not let it look.
            Unanswered, ArgocdError: it cannot be asked.
        """
        deadline = self._clock.now() + self._request.timeout
        turn = 0
        while True:
            for one in self.awaited:
                if not one.ended:
                    self._look(one)
            if all(one.ended for one in self.awaited) or any(one.verdict.state == "failed" for one in self.awaited):
                return self._result(in_time=True)
            left = deadline - self._clock.now()
            if left <= 0:
                return self._result(in_time=False)
            self._clock.sleep(min(_PAUSES[min(turn, len(_PAUSES) - 1)], left))
            turn += 1

    def _look(self, one: Awaited) -> None:
        now = self._clock.now()
        again = one.refreshed is None or now - one.refreshed >= _REFRESHES
        try:
            if again:
                one.refreshed = now
                one.seen = self._server.application(one.application, refresh=True)
                one.windows = self._holding(one)
            else:
                one.seen = self._server.application(one.application)
        except Unanswered as error:
            # Argo CD restarts, too: only one that never answered is told at once.
            if not self._heard:
                raise
            self._changed(one, Verdict(state="coming", said=f"no answer: {error.message}"))
            return
        self._heard = True
        verdict = judge(
            one.seen, lambda revision: self._relation(one, revision), lambda revision: self._pin(one, revision)
        )
        if verdict.state == "troubled":
            one.since = now if one.since is None else one.since
            if now - one.since >= _SETTLES:
                verdict = Verdict(state="failed", said=verdict.said, reasons=verdict.reasons)
        else:
            one.since = None
        self._changed(one, verdict)
        one.ended = verdict.state in ("there", "failed")

    def _holding(self, one: Awaited) -> tuple[Window, ...]:
        if one.seen is None or one.seen.status.sync.status != "OutOfSync":
            return ()
        found = self._server.windows(one.application)
        return () if found.can_sync else tuple(found.active_windows or [Window(kind="deny")])

    def _changed(self, one: Awaited, verdict: Verdict) -> None:
        if one.windows and verdict.said == "out of sync":
            verdict = Verdict(state=verdict.state, said=f"out of sync: {_held_back(one.windows)}")
        if verdict.said != one.verdict.said:
            version = f" {one.version}" if verdict.state == "there" and not verdict.newer else ""
            self._tell(f"{one.service} in {self._environment.name}:{version} {verdict.said}")
        one.verdict = verdict

    def _relation(self, one: Awaited, revision: str) -> Relation:
        if revision == self._wanted.revision or self._shape(one, revision) == one.shape:
            return "same"
        # Whoever came later has brought the branch to something else: nothing goes back to what is waited for.
        head = self._remote.refresh().revision or ""
        return "newer" if self._shape(one, revision) == self._shape(one, head) else "other"

    def _shape(self, one: Awaited, revision: str) -> tuple[str, ...]:
        if revision not in self._shapes:
            try:
                snapshot = self._remote.named(names.revision(revision))
                shapes = {
                    each.service: shape(self._config, self._environment, each.service, snapshot)
                    for each in self.awaited
                }
            except GitopsTkError:
                # A version of a chart, or a commit that the remote does not hand out.
                shapes = {}
            self._shapes[revision] = shapes
        return self._shapes[revision].get(one.service, ())

    def _pin(self, one: Awaited, revision: str) -> str | None:
        """The version of its chart that a release pins at a commit."""
        if self._config.chart is None or not self._shape(one, revision):
            return None
        path = self._config.layout.values_path(one.service, self._environment)
        data = self._remote.named(revision).read([path]).get(path, b"")
        pin = written_in(self._config.chart, data, path)
        return None if pin is None else str(pin)

    def _result(self, *, in_time: bool) -> Result:
        problems = [problem for one in self.awaited for problem in self._problems(one, in_time=in_time)]
        failed = any(one.verdict.state == "failed" for one in self.awaited)
        done = all(one.verdict.state == "there" for one in self.awaited)
        return Result(
            command="wait",
            outcome="unchanged" if done else "failed",
            branch=self._remote.branch,
            problems=tuple(problems),
            details={"revision": self._wanted.revision, "applications": [self._told(one) for one in self.awaited]},
            exit_code=None if done or failed else 6,
        )

    def _problems(self, one: Awaited, *, in_time: bool) -> list[Problem]:
        place = f"{one.service} in {self._environment.name}"
        said = "; ".join((one.verdict.said, *self._reasons(one)))
        if one.verdict.state == "there":
            moved = f"{place} has moved on: what runs is newer than {one.version}"
            return [Problem(code="moved-on", message=moved, severity="warning")] if one.verdict.newer else []
        if one.verdict.state == "failed":
            hint = f"look at {self._server.base}/applications/{one.application}"
            return [Problem(code="unhealthy", message=f"{place}: {said}", hint=hint)]
        if in_time:
            return []
        message = f"{place} was not there after {exact(self._request.timeout)}: {said}"
        return [Problem(code="timed-out", message=message, hint="give it longer with --timeout")]

    def _reasons(self, one: Awaited) -> tuple[str, ...]:
        if one.verdict.reasons or one.seen is None or not one.verdict.said.startswith("synced, "):
            return one.verdict.reasons
        try:
            return unhealthy(self._server.resources(one.application))
        except GitopsTkError:
            return ()

    def _told(self, one: Awaited) -> dict[str, Any]:
        seen = one.seen
        return {
            "service": one.service,
            "env": self._environment.name,
            "application": one.application,
            "version": one.version,
            "state": one.verdict.state,
            "message": one.verdict.said,
            "sync": seen.status.sync.status if seen else None,
            "health": seen.status.health.status if seen else None,
            "revision": seen.commit if seen else None,
            "images": list(seen.images) if seen else [],
        }


def shape(config: Config, environment: Environment, service: str, snapshot: Snapshot) -> tuple[str, ...]:
    """The object ids of what a release is made from: its chart's tree and its values files.

    Two commits with the same shape are the same release: Argo CD may be at either.
    """
    chart, *values = layer_paths(config, service, environment)
    paths = [chart.removesuffix(f"/{CHART_VALUES}"), *values]
    found = snapshot.entries(paths)
    return tuple(found[path].oid if path in found else "" for path in paths)


def _awaited(
    config: Config, environment: Environment, services: Sequence[str], wanted: Snapshot
) -> tuple[Awaited, ...]:
    argocd = required(config)
    # Nobody waits by mistake for what was never deployed, unless it is named.
    everything = not services
    listed = config.layout.find_services(wanted, [environment]) if everything else dict.fromkeys(services)
    chosen = [names.service(service) for service in listed]
    layers = read_layers(wanted, config, [(service, environment.name) for service in chosen])
    found = []
    for service in chosen:
        values = layers[service, environment.name]
        require(values, wanted, config, environment)
        images = [read_image(values.merged, keys) for keys in config.image_keys(service).values()]
        versions = [image.version for image in images if image is not None and image.version]
        if not versions and everything:
            continue
        if not versions:
            raise MissingFile(
                f"{service} was never deployed to {environment.name}: Argo CD has no Application of it",
                code="never-deployed",
                hint=f"bring an image there first: gitops-tk bump {service} -e {environment.name} --tag TAG",
                file=values.own_path,
            )
        found.append(
            Awaited(
                service=service,
                application=argocd.name_of(service, environment.name),
                version=" and ".join(dict.fromkeys(versions)),
                shape=shape(config, environment, service, wanted),
            )
        )
    return tuple(found)


def _held_back(windows: Sequence[Window]) -> str:
    shown = ", ".join(
        f"{one.kind} at {one.schedule} for {one.duration}" if one.schedule else one.kind for one in windows
    )
    return f"a sync window of the project holds it back ({shown})"


def wait(
    request: WaitRequest, options: Options, tell: Tell, *, patience: Patience | None = None, clock: Clock | None = None
) -> Result:
    """Waits for services in an environment of the remote's branch; a checkout only tells which remote.

    Raises:
        GitopsTkError: see `Waiting.run`; or a service is unknown, or was never deployed there (`never-deployed`).
    """
    location = locate(options.repo, options.cwd, options.environ)
    with open_remote(location, options) as remote:
        snapshot = remote.snapshot()
        wanted = remote.named(names.revision(request.revision)) if request.revision else snapshot
        config = load(wanted)
        argocd = required(config)
        server = connect(options.environ, namespace=argocd.installed_in, project=argocd.project, patience=patience)
        try:
            return Waiting(request, config, remote, wanted, server, tell, clock).run()
        finally:
            server.close()
