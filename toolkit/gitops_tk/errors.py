"""Every error that a user can meet, and the exit code it ends with (CONTRACT: exit codes).

    GitopsTkError                 1  failed
    ├── UsageError                2  the command line is wrong
    ├── ConfigError               1  gitops-tk.yaml is broken or not understood
    ├── EditRefused               1  a file cannot be edited safely
    ├── MissingFile               1  a service, file or key that is not there
    ├── ChartError                1  a chart cannot be loaded, scaffolded or rendered
    ├── ToolMissing               1  git or Helm is missing or too old
    ├── RepositoryError           1  a checkout or remote cannot be used
    │   ├── RemoteUnreachable     1  network, time limit, remote gone
    │   ├── LoginFailed           1  the remote refused the credentials
    │   └── PushRefused           1  protected branch or a hook: not a race, never retried
    ├── ForgeError                1  a forge's API did not do what was asked
    ├── ArgocdError               1  Argo CD's API did not do what was asked
    ├── RefusedByPolicy           3  a gate, a hold, an older build, an image that moved
    ├── WaitedInVain              6  what was waited for did not come in time
    ├── RaceLost                  4  others pushed first until --retry-for ran out
    └── Interrupted             130  Ctrl-C or SIGTERM

Anything else that reaches the boundary is a bug in gitops-tk, and is said to be one.
"""

from typing import ClassVar


class GitopsTkError(Exception):
    """An expected failure, told to the user without a traceback.

    Args:
        message: what was wrong, in one sentence, without secrets.
        code: a stable name for programs, in kebab-case; the class's default if not given.
        hint: what to do about it.
        file: the repository path or file system path it is about.
        line: the 1-based line in `file`.

    Attributes:
        attempts: how many plans were made before, where it is about a publish.
    """

    exit_code: ClassVar[int] = 1
    outcome: ClassVar[str] = "failed"
    default_code: ClassVar[str] = "failed"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        file: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.file = file
        self.line = line
        self.attempts = 0


class UsageError(GitopsTkError):
    """The command line is wrong: an option, a name, a tag."""

    exit_code = 2
    default_code = "usage"


class ConfigError(GitopsTkError):
    """gitops-tk.yaml is missing, broken, or asks for something that cannot work."""

    default_code = "config"


class EditRefused(GitopsTkError):
    """A file cannot be edited without a risk to what it says."""

    default_code = "unsafe-edit"


class MissingFile(GitopsTkError):
    """A service, a file or a key that the command needs is not there."""

    default_code = "missing"


class ChartError(GitopsTkError):
    """A chart cannot be loaded, scaffolded or rendered."""

    default_code = "chart"


class ToolMissing(GitopsTkError):
    """A program or library that the command needs is missing or too old."""

    default_code = "tool-missing"


class RepositoryError(GitopsTkError):
    """A checkout or a remote cannot be used as asked."""

    default_code = "repository"


class RemoteUnreachable(RepositoryError):
    """The remote did not answer: network, time limit, wrong address."""

    default_code = "unreachable"


class LoginFailed(RepositoryError):
    """The remote refused the credentials, or asked for some."""

    default_code = "login-failed"


class PushRefused(RepositoryError):
    """The remote's rules refuse the push: a protected branch, a hook."""

    default_code = "push-refused"


class ForgeError(GitopsTkError):
    """A forge's API answered something else than was asked for, or nothing until the time was up."""

    default_code = "forge"


class ArgocdError(GitopsTkError):
    """Argo CD's API answered something else than was asked for, or nothing."""

    default_code = "argocd"


class RefusedByPolicy(GitopsTkError):
    """A rule of the repository does not allow the change."""

    exit_code = 3
    outcome = "refused"
    default_code = "refused"


class WaitedInVain(GitopsTkError):
    """What was waited for did not come in the time that was given."""

    exit_code = 6
    default_code = "timed-out"


class RaceLost(GitopsTkError):
    """Others pushed first, on every try, until the time was up."""

    exit_code = 4
    outcome = "conflict"
    default_code = "race-lost"


class Interrupted(GitopsTkError):
    """The user or the system asked the program to stop."""

    exit_code = 130
    default_code = "interrupted"
