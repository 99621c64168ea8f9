"""doctor: what the tool stands on, looked at before it matters; nothing is changed."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from msgspec import Struct, to_builtins

from gitops_tk.argocd.rules import BY_NAME
from gitops_tk.config.load import CONFIG_FILE, load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.forges import place
from gitops_tk.http import Patience
from gitops_tk.model.findings import Finding, error, failed, ok, unchecked, warning
from gitops_tk.model.result import Problem, Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import RemoteLocation, locate
from gitops_tk.repository.remote import Remote
from gitops_tk.workflows.diagnosing import live, tools
from gitops_tk.workflows.diagnosing import near as here
from gitops_tk.workflows.diagnosing import remote as there
from gitops_tk.workflows.diagnosing.forge import Diagnosis
from gitops_tk.workflows.diagnosing.rules import NETWORK, RULES
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.wiring.generated import objects
from gitops_tk.workflows.wiring.rules.repository import repository

# Each is one question: whoever does not answer it soon is not there.
_GIT_SECONDS = "20"
_PATIENCE = Patience(total=0.0, connect=5.0, read=10.0)
_NO_GIT = "there is no git that can be used"


class Subject(Struct, frozen=True, kw_only=True):
    """What is looked at.

    Attributes:
        checkout: the folder; None for a remote's URL, and outside a repository.
        location: where the remote is; None where none is known.
        config: the checkout's configuration; None where there is none, or it cannot be read.
        fault: why there is no repository or no configuration, where there should be one.
    """

    checkout: Checkout | None = None
    location: RemoteLocation | None = None
    config: Config | None = None
    fault: GitopsTkError | None = None


def doctor(options: Options, *, offline: bool = False, patience: Patience = _PATIENCE) -> Result:
    """Looks at each rule once, those that need the network at the same time.

    Args:
        offline: leave out what needs the network.

    Returns:
        Every rule under `findings`; errors and warnings are problems, too.
    """
    environ = {"GITOPS_TK_GIT_TIMEOUT": _GIT_SECONDS, **options.environ}
    git = tools.git(environ)
    found = {"git": git, "helm": tools.helm(environ)}
    near = far = _NO_GIT
    if git.state != "error":
        subject = _subject(options, environ)
        found |= {one.rule: one for one in _near(subject, environ)}
        if not offline:
            found |= {one.rule: one for one in _far(subject, options.branch, environ, patience)}
        near, far = _reasons(subject, offline=offline)
    findings = [found.get(rule) or unchecked(rule, far if rule in NETWORK else near) for rule in RULES]
    return _result(findings)


def _subject(options: Options, environ: Mapping[str, str]) -> Subject:
    try:
        location = locate(options.repo, options.cwd, environ)
        if isinstance(location, RemoteLocation):
            return Subject(location=location)
        checkout = Checkout(location.root, environ)
        checkout.is_git  # noqa: B018 - it raises where git refuses the folder
    except GitopsTkError as fault:
        # Whoever asks outside a repository wants to know the rest.
        return Subject(fault=None if options.repo is None and fault.code == "no-repository" else fault)
    try:
        return Subject(checkout=checkout, location=checkout.home, config=load(checkout.snapshot()))
    except GitopsTkError as fault:
        return Subject(checkout=checkout, location=checkout.home, fault=fault)


def _near(subject: Subject, environ: Mapping[str, str]) -> Iterator[Finding]:
    checkout, config = subject.checkout, subject.config
    yield here.identity(environ, checkout)
    if subject.location is not None:
        yield here.credentials(subject.location, environ)
    if subject.location is None or checkout is not None:
        yield here.configuration(config, subject.fault)
    if checkout is not None and checkout.is_git:
        yield here.shallow(checkout)
        yield here.hooks(checkout)
        if config is not None:
            yield here.filters(checkout, config)
    if checkout is not None and config is not None:
        yield _wired(checkout.snapshot(), config)
    if checkout is not None and subject.location is None:
        yield unchecked("credentials", "no remote is known")
        yield warning(
            "remote",
            "the checkout has no remote: bump and promote work with --local alone",
            "git remote add origin URL",
        )


def _wired(snapshot: Snapshot, config: Config) -> Finding:
    rule = "argocd-repository"
    if config.argocd is None:
        return unchecked(rule, f"{CONFIG_FILE} has no argocd section")
    found, _ = objects(snapshot)
    faults = sorted(repository(snapshot, config, config.argocd, found), key=lambda one: BY_NAME[one.rule].severity)
    if not faults:
        return ok(rule, f"no manifest in argocd/ names another repository than {CONFIG_FILE}")
    first, *others = faults
    more = f", and {len(others)} more: gitops-tk validate" if others else ""
    message = f"{first.file}:{first.line}: {first.message}{more}"
    tell = error if BY_NAME[first.rule].severity == "error" else warning
    return tell(rule, message, BY_NAME[first.rule].fix)


def _far(subject: Subject, branch: str | None, environ: Mapping[str, str], patience: Patience) -> Iterator[Finding]:
    pool = ThreadPoolExecutor(4)
    try:
        config, looked = subject.config, None
        if subject.location is not None:
            looked = pool.submit(_look, subject, subject.location, branch, environ)
            if subject.checkout is None:
                seen = looked.result()
                config = seen.config
                if config is not None or seen.fault is not None:
                    yield here.configuration(config, seen.fault)
        others: list[Future[list[Finding]]] = []
        if config is not None:
            others.append(pool.submit(_argocd, config, environ, patience))
        if subject.location is not None:
            others.append(pool.submit(_clock, subject.location, config, environ, patience))
        if config is not None and subject.location is not None and looked is not None:
            forge = Diagnosis(subject.location, config, environ, _named(looked), patience)
            others.append(pool.submit(forge.findings))
        yield from looked.result().findings if looked else ()
        for one in others:
            yield from one.result()
    finally:
        # Whoever interrupts it does not wait for what is asked.
        pool.shutdown(wait=False, cancel_futures=True)


def _look(subject: Subject, location: RemoteLocation, branch: str | None, environ: Mapping[str, str]) -> there.Seen:
    try:
        checkout = subject.checkout
        return there.look(checkout.open_remote(branch) if checkout else Remote(location, branch, environ))
    except GitopsTkError as fault:
        return there.Seen(findings=(failed("remote", fault, "check --repo and --branch"),))


def _named(looked: "Future[there.Seen]") -> Callable[[], str]:
    return lambda: looked.result().branch


def _argocd(config: Config, environ: Mapping[str, str], patience: Patience) -> list[Finding]:
    return [live.argocd(config, environ, patience)]


def _clock(
    location: RemoteLocation, config: Config | None, environ: Mapping[str, str], patience: Patience
) -> list[Finding]:
    url = location.url
    if not url.startswith("http") and config is not None:
        # Over SSH nobody tells the time, and the forge that is reached by it does.
        try:
            url = place.find(url, environ, config.forge.kind, config.forge.repository).api or url
        except GitopsTkError:
            url = location.url
    return [there.clock(url, config, patience)]


def _reasons(subject: Subject, *, offline: bool) -> tuple[str, str]:
    """Why rules that nobody spoke of were not looked at: those of the machine, and those of the network."""
    if subject.checkout is None and subject.location is None:
        near = "there is no repository here"
    elif subject.checkout is None:
        near = "only a checkout shows it, and --repo names a remote"
    else:
        near = "gitops-tk.yaml cannot be read" if subject.fault else "the checkout is no git repository"
    if offline:
        return near, "--offline: nothing is asked over the network"
    if subject.location is None:
        return near, "no remote is known" if subject.checkout else near
    return near, "the remote or its gitops-tk.yaml cannot be read"


def _result(findings: list[Finding]) -> Result:
    problems = tuple(
        Problem(code=one.rule, message=one.message, hint=one.fix, severity=one.state)
        for one in findings
        if one.state in ("error", "warning")
    )
    failing = any(problem.severity == "error" for problem in problems)
    return Result(
        command="doctor",
        outcome="failed" if failing else "unchanged",
        problems=problems,
        details={"findings": to_builtins(findings)},
    )
