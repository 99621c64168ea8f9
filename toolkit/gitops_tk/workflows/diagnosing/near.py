"""The repository as far as it lies here: its configuration, who commits, and what git would do to files and commits."""

import os
from collections.abc import Mapping
from pathlib import Path

from gitops_tk import logins, scratch
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.findings import Finding, error, failed, ok, unchecked, warning
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.git import Git
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.workflows.layers import layer_paths

_WHO = (
    "git config user.name NAME and git config user.email MAIL; in CI set GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, "
    "GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL"
)
# The hooks that `git commit` runs and that can refuse or rewrite; pushes are made elsewhere, without hooks.
_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg")
_ATTRIBUTES = ("filter", "working-tree-encoding", "ident")


def identity(environ: Mapping[str, str], checkout: Checkout | None) -> Finding:
    """Whether git knows who commits; nobody commits under a name that git makes up."""
    with scratch.folder() as folder:
        alone = Git.from_environment(environ, (("user.useConfigOnly", "true"),), folder)
        git = checkout.git if checkout is not None else alone
        for who in ("AUTHOR", "COMMITTER"):
            done = git.run("var", f"GIT_{who}_IDENT")
            if done.status:
                return error("identity", f"git does not know the {who.lower()} of a commit", _WHO)
    shown = done.stdout.decode("utf-8", "replace").rpartition(">")[0]
    return ok("identity", f"commits are made by {shown}>")


def credentials(location: RemoteLocation, environ: Mapping[str, str]) -> Finding:
    """Whether the environment's token is for the remote's host, and may be sent there."""
    scheme, _, _ = location.url.partition("://")
    host = logins.host_of(location.url)
    if scheme not in ("http", "https") or not host:
        return unchecked("credentials", "the remote is reached by SSH or as a folder: no token is sent there")
    found = location.login if location.login and location.login.password else logins.of_environment(host, environ)
    if found is not None and not logins.may_carry(scheme, host):
        return error("credentials", f"the token is not sent to http://{host}: it would be readable", "use https")
    if found is not None:
        return ok("credentials", f"a token goes to {host}, and to no other host")
    held = [name for forge in logins.FORGES for name in forge.tokens if environ.get(name, "").strip()]
    if held:
        return warning(
            "credentials",
            f"{held[0]} is set, and is not for {host}: it is not sent there",
            f"set GITOPS_TK_TOKEN to the token for {host}",
        )
    return unchecked("credentials", f"no variable holds a token for {host}: git's credential helpers are asked")


def shallow(checkout: Checkout) -> Finding:
    """Whether the checkout has all of its history."""
    if checkout.git.run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        return warning(
            "shallow",
            "the checkout is shallow: history, explain and verify-pr see only its newest commits",
            "git fetch --unshallow; in CI fetch-depth: 0 (GitHub), GIT_DEPTH: 0 (GitLab)",
        )
    return ok("shallow", "the checkout has all of its history")


def hooks(checkout: Checkout) -> Finding:
    """Whether hooks run when git commits in the checkout."""
    said = checkout.git.run("rev-parse", "--git-path", "hooks").stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    folder = checkout.root / said
    found = [name for name in _HOOKS if os.access(folder / name, os.X_OK) and (folder / name).is_file()]
    if found:
        return warning(
            "hooks",
            f"{', '.join(found)} in {_shown(folder)} runs when --local or --commit commits, and may refuse or rewrite",
            "let it pass gitops-tk's commits; delivery without --local runs no hooks of yours",
        )
    return ok("hooks", "no hook runs when git commits here")


def filters(checkout: Checkout, config: Config) -> Finding:
    """Whether git keeps the files that the tool edits in another form than the checkout shows."""
    paths = _edited(checkout.snapshot(), config)
    data = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
    done = checkout.git.run("check-attr", "-z", "--stdin", *_ATTRIBUTES, data=data)
    if done.status:
        return unchecked("filters", "git does not tell the attributes of files")
    fields = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    rows = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
    found = [(path, f"{name}={value}") for path, name, value in rows if value not in ("unspecified", "unset", "")]
    if not found:
        return ok("filters", f"git keeps {len(paths)} files as they are")
    path, attribute = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return warning(
        "filters",
        f"{path} has the git attribute {attribute}{more}: what git keeps differs from what the checkout shows",
        f"take the files that gitops-tk edits out of it in .gitattributes: {path} -{attribute.partition('=')[0]}",
    )


def configuration(config: Config | None, fault: GitopsTkError | None) -> Finding:
    """Whether gitops-tk.yaml can be read."""
    if fault is not None:
        return failed("config", fault, "gitops-tk config schema prints what may be in it")
    if config is None:
        return unchecked("config", f"there is no {CONFIG_FILE} here or above", "cd to a checkout, or --repo URL")
    names = ", ".join(one.name for one in config.environments)
    return ok("config", f"{CONFIG_FILE} names the environments {names}")


def _edited(snapshot: Snapshot, config: Config) -> list[str]:
    services = config.layout.find_services(snapshot)
    wanted = {CONFIG_FILE}
    for service, environments in services.items():
        for environment in config.environments:
            if environment.name in environments:
                wanted |= set(layer_paths(config, service, environment)[1:])
    return sorted(snapshot.entries(sorted(wanted)))


def _shown(folder: Path) -> str:
    home = Path(os.path.normpath(folder))
    return home.name if home.parent.name == ".git" else str(home)
