"""Git behind one door: its environment, its time limit, and what its failures mean."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gitops_tk import process
from gitops_tk.errors import GitopsTkError, LoginFailed, RemoteUnreachable, RepositoryError, ToolMissing, UsageError
from gitops_tk.logins import redact
from gitops_tk.process import Completed, Process, TimeLimit

OLDEST = (2, 34)
_DEFAULT_TIMEOUT = 120.0
# What a person or a CI system may tell git by the environment. All else named GIT_* (GIT_DIR, GIT_INDEX_FILE, ...)
# is about the repository of whoever started us, a hook for instance, and would point git elsewhere.
_KEPT = re.compile(
    r"GIT_(?:AUTHOR_|COMMITTER_|SSH|ASKPASS|CONFIG_|SSL_|TRACE|HTTP_|PROXY_|CURL_|TERMINAL_PROMPT|EXEC_PATH"
    r"|ALLOW_PROTOCOL|TEST_)"
)
# Traces to standard error (1, 2, true) would be read as what git says; those to a file are kept.
_TRACED = re.compile(r"GIT_(?:TRACE|CURL_VERBOSE)")
_SETTINGS = (
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("advice.detachedHead", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    # What is written and read here is UTF-8, and without a signature's report in between.
    ("i18n.commitEncoding", "UTF-8"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("log.showSignature", "false"),
    # What a commit holds is what its id says, whatever a clone has put in its place.
    ("core.useReplaceRefs", "false"),
)


class Git(NamedTuple):
    """How git is run: where, with which environment, for how long at most.

    Attributes:
        env: the environment, made by `environment`.
        timeout: the time limit of each process, in seconds.
        folder: the repository, or None.
    """

    env: Mapping[str, str]
    timeout: float
    folder: Path | None = None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], settings: Sequence[tuple[str, str]] = (), folder: Path | None = None
    ) -> "Git":
        """Git with a cleaned environment and further settings, which no argument list shows.

        Raises:
            UsageError: a variable that steers git is not what it has to be (`bad-environment`).
        """
        return cls(environment(environ, settings), _timeout(environ), folder)

    def start(self, *arguments: str, reads: bool = False) -> Process:
        """Starts git; the caller finishes it.

        Raises:
            ToolMissing: git is not installed.
        """
        where = ["-C", str(self.folder)] if self.folder else []
        return process.start(["git", *where, *arguments], env=self.env, reads=reads)

    def finish(self, started: Process, data: bytes | None = None) -> Completed:
        """Waits for git's end.

        Raises:
            RemoteUnreachable: the time limit was reached.
        """
        try:
            return process.finish(started, data=data, timeout=self.timeout)
        except TimeLimit as error:
            raise RemoteUnreachable(
                f"git did not finish within {self.timeout:g} s",
                code="time-limit",
                hint="is the remote reachable? GITOPS_TK_GIT_TIMEOUT sets another limit, in seconds",
            ) from error

    def run(self, *arguments: str, data: bytes | None = None) -> Completed:
        """Runs git to its end, whatever its exit status."""
        return self.finish(self.start(*arguments, reads=data is not None), data)

    def read(self, *arguments: str, data: bytes | None = None) -> str:
        """Runs git and returns what it wrote, without the final newline.

        Raises:
            RepositoryError: git failed.
        """
        done = self.run(*arguments, data=data)
        if done.status:
            raise failure(done, self.folder)
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def environment(environ: Mapping[str, str], settings: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """The environment for git: what steers it elsewhere is taken out, settings are added (git-config(1))."""
    env = {name: value for name, value in environ.items() if not name.startswith("GIT_") or _KEPT.match(name)}
    for name in [name for name, value in env.items() if _TRACED.match(name) and not value.startswith("/")]:
        del env[name]
    # Git gets it as a header for its one host; other variables may be for its credential helpers.
    env.pop("GITOPS_TK_TOKEN", None)
    env["LC_ALL"] = "C"
    env.setdefault("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
    if "CI" in environ or not os.isatty(0):
        env.setdefault("GIT_TERMINAL_PROMPT", "0")
    count = int(_number(environ, "GIT_CONFIG_COUNT", r"\d{1,6}") or 0)
    for number, (key, value) in enumerate((*_SETTINGS, *settings), count):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    env["GIT_CONFIG_COUNT"] = str(count + len(_SETTINGS) + len(settings))
    return env


def _timeout(environ: Mapping[str, str]) -> float:
    return _number(environ, "GITOPS_TK_GIT_TIMEOUT", r"\d{1,6}(\.\d+)?") or _DEFAULT_TIMEOUT


def _number(environ: Mapping[str, str], name: str, form: str) -> float | None:
    text = environ.get(name)
    if not text:
        return None
    if not re.fullmatch(form, text, re.ASCII):
        raise UsageError(f"{name} is {text!r}, which is not a number that can be used", code="bad-environment")
    return float(text)


def failure(done: Completed, where: object = None) -> GitopsTkError:
    """What a failed git process means, told without secrets."""
    text = redact(done.stderr.decode("utf-8", "replace"))
    said = _gist(text)
    lower = text.lower()
    place = f" {where}" if isinstance(where, str) else ""
    if re.search(r"requested url returned error: 30\d|unable to update url base from redirection", lower):
        return RemoteUnreachable(
            f"the remote{place} redirects elsewhere: {said}",
            code="redirected",
            hint="credentials are not sent along with a redirect: use the repository's new URL",
        )
    if "hash algorithm" in lower:
        return RepositoryError(
            f"the remote{place} names objects by another hash than this git: {said}", code="object-format"
        )
    if "dubious ownership" in lower:
        return RepositoryError(
            f"git does not trust a repository of somebody else: {said}",
            code="untrusted",
            hint="if you do: git config --global --add safe.directory FOLDER",
        )
    if _LOGIN.search(lower):
        return LoginFailed(
            f"the remote{place} refused the login: {said}",
            hint="set GITOPS_TK_TOKEN (or the forge's usual variable), a credential helper, or an SSH key",
        )
    if "couldn't find remote ref" in lower:
        return RepositoryError(
            f"the remote{place} has no such branch: {said}", code="unknown-branch", hint="check --branch"
        )
    if _DISK.search(lower):
        return _unwritten(said)
    if "failed to write commit object" in lower:
        return unsigned(done)
    if _GONE.search(lower):
        return RemoteUnreachable(f"the remote{place} cannot be read: {said}", hint="check --repo and the network")
    return RepositoryError(f"git failed{place}: {said}", code="git")


def unsigned(done: Completed) -> RepositoryError:
    """What a commit means that git could not sign, or could not write with its signature."""
    text = redact(done.stderr.decode("utf-8", "replace"))
    said = _gist(text)
    if _DISK.search(text.lower()):
        return _unwritten(said)
    return RepositoryError(
        f"git could not sign the commit: {said}",
        code="signing",
        hint="see user.signingkey and gpg.format in git's configuration; commit.gpgsign is what asks for signatures",
    )


def _unwritten(said: str) -> RepositoryError:
    return RepositoryError(f"git could not write: {said}", code="disk", hint="is the disk full?")


_LOGIN = re.compile(
    r"authentication failed|could not read (?:username|password)|permission denied|http basic: access denied"
    r"|returned error: 40[13]|invalid username or|host key verification failed|terminal prompts disabled"
)
_DISK = re.compile(
    r"no space left|out of diskspace|cannot write|couldn't write|failed writing|unable to create temporary file"
    r"|disk quota|file too large|read-only file system"
)
_GONE = re.compile(
    r"could not resolve host|failed to connect|couldn't connect|connection (?:refused|reset|timed out|closed)"
    r"|does not appear to be a git repository|repository '.*' (?:not found|does not exist)|repository not found"
    r"|not found|early eof|unexpected disconnect|hung up|returned error: [45]\d\d|no such file or directory"
    r"|could not read from remote|operation timed out|gnutls|ssl|unable to access|network is unreachable"
)


def check_version(said: bytes) -> None:
    """Refuses a git that would silently leave out some of what it is told by its environment.

    Args:
        said: what `git --version` wrote.

    Raises:
        ToolMissing: it is too old.
    """
    found = re.search(rb"(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST:
        raise ToolMissing(
            f"git {version[0]}.{version[1]} is too old",
            code="git-too-old",
            hint=f"gitops-tk needs git {OLDEST[0]}.{OLDEST[1]} or newer",
        )


def shown_version(said: bytes) -> str:
    """What `git --version` wrote, for people: `git 2.47.1`."""
    found = re.search(rb"\d+(?:\.\d+)+", said)
    return f"git {found[0].decode() if found else 'of an unknown version'}"


def _gist(text: str) -> str:
    # Git says what matters in its last `fatal:` or `error:` line; a remote's own lines say more than either.
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "ERROR:"))]
    return "; ".join(line.partition(":")[2].strip() for line in told[:4]) or (lines[-1] if lines else "no reason given")
