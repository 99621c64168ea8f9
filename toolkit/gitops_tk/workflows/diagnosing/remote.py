"""The remote: does it answer, may we push, and does it have the same time."""

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from msgspec import Struct

from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.config.policy import Gates
from gitops_tk.errors import GitopsTkError
from gitops_tk.http import Door, Patience
from gitops_tk.model.findings import Finding, error, failed, ok, unchecked, warning
from gitops_tk.repository.git import failure
from gitops_tk.repository.push import classify
from gitops_tk.repository.remote import Remote

_ADDRESS = "check the remote's address (git remote -v, or --repo), the network and the proxy"
_WRITE = "give the token, key or account write access to the repository"
# What gates that go by time can bear: their units are minutes.
_SKEW = 60.0


class Seen(Struct, frozen=True, kw_only=True):
    """What a remote showed.

    Attributes:
        branch: the branch that would be changed; empty where it is not known.
        config: its configuration; None where it cannot be read.
        fault: why it cannot be read.
    """

    findings: tuple[Finding, ...]
    branch: str = ""
    config: Config | None = None
    fault: GitopsTkError | None = None


def look(remote: Remote) -> Seen:
    """Reads the remote's newest commit, and asks whether a push would be taken: nothing is changed."""
    try:
        with remote:
            snapshot = remote.snapshot()
            reached = ok("remote", f"{remote.location.url} answers, and has the branch {remote.branch}")
            config, fault = None, None
            try:
                config = load(snapshot)
            except GitopsTkError as broken:
                fault = broken
            pushed = _push(remote) if snapshot.revision else unchecked("push", "the repository is empty")
            return Seen(findings=(reached, pushed), branch=remote.branch, config=config, fault=fault)
    except GitopsTkError as broken:
        return Seen(findings=(failed("remote", broken, _ADDRESS), unchecked("push", "the remote cannot be read")))


def _push(remote: Remote) -> Finding:
    done = remote.git.run("push", "--dry-run", "--porcelain", "origin", f"HEAD:refs/heads/{remote.branch}")
    if done.status == 0:
        return ok("push", f"a dry run of a push to {remote.branch} is taken; hooks and protection are asked by none")
    answer = classify(done)
    if answer.answer == "raced":
        return ok("push", f"a dry run of a push to {remote.branch} is answered; somebody else pushes just now")
    fault = failure(done, remote.location.url)
    return error("push", f"{remote.location.url} takes no push: {fault.message}", _WRITE)


def clock(url: str, config: Config | None, patience: Patience) -> Finding:
    """Whether this machine's clock agrees with a server's, by the Date header of any answer (RFC 9110, 6.6.1).

    Args:
        url: the address of the remote or of its forge, without a login, which is not sent along.
        config: tells whether a gate goes by time.
        patience: has the clock.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return unchecked("clock", "the remote does not speak HTTP: nobody tells the time")
    door = Door(f"{parts.scheme}://{parts.netloc}", {}, {}, patience)
    try:
        before = patience.clock()
        reply = door.send("GET", f"{parts.path}/info/refs")
        told = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except GitopsTkError as fault:
        return unchecked("clock", f"nobody tells the time: {fault.message}", fault.hint)
    except ValueError:
        return unchecked("clock", f"{parts.netloc} does not tell the time")
    finally:
        door.close()
    # The server's second is somewhere between asking and hearing.
    skew = (before + patience.clock()) / 2 - told - 0.5
    if abs(skew) <= _SKEW:
        return ok("clock", f"this machine's clock agrees with that of {parts.netloc}")
    way = "ahead of" if skew > 0 else "behind"
    message = f"this machine's clock is {abs(skew):.0f} s {way} that of {parts.netloc}"
    fix = "set it: timedatectl set-ntp true, or the host's clock for a container"
    if config is not None and any(_goes_by_time(one.policy.gates) for one in config.environments):
        return error("clock", f"{message}: soak and freeze are judged by it", fix)
    return warning("clock", message, fix)


def _goes_by_time(gates: Gates) -> bool:
    return gates.soak is not None or bool(gates.freeze)
