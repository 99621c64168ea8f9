"""The forges by kind: one for a place, with the login that belongs to its host."""

from collections.abc import Callable, Mapping

from gitops_tk import logins
from gitops_tk.errors import ForgeError, LoginFailed
from gitops_tk.forges.place import API, Place
from gitops_tk.forges.port import Forge
from gitops_tk.http import Patience
from gitops_tk.logins import Login, host_of


def login(place: Place, environ: Mapping[str, str], own: Login | None = None) -> Login | None:
    """The login for a place's API; None where there is none, or none that may be sent there.

    A GitLab job's own token opens no merge requests on most GitLabs: it counts where GITOPS_TK_TOKEN says so.

    Args:
        own: the login that the remote's URL held, for the remote's own host.
    """
    api = host_of(place.api)
    if place.kind == "git" or not logins.may_carry(place.api.partition("://")[0], api):
        return None
    found = logins.of_environment(place.host, environ)
    if found is None and environ.get(API, "").strip():
        # Whoever names an API says by that that its own host's token may go there.
        found = logins.of_environment(api, environ)
    if found is not None and found.job and not environ.get("GITOPS_TK_TOKEN"):
        found = None
    if found is None and own is not None and own.password and api == place.host:
        found = own
    return found


def connect(place: Place, login: Login | None, patience: Patience | None = None) -> Forge:
    """The forge of a place.

    Raises:
        LoginFailed: there is no login (`no-token`).
        ForgeError: the place has no API.
        UsageError: the login cannot be sent there.
    """
    if place.kind not in _KINDS:
        raise ForgeError(
            "there is no forge with an API here", hint="if it is one, forge.kind in gitops-tk.yaml says which"
        )
    if login is None:
        variables = ["GITOPS_TK_TOKEN", *_variables(place)]
        raise LoginFailed(
            f"there is no token for {host_of(place.api)}", code="no-token", hint=f"set {' or '.join(variables)}"
        )
    return _KINDS[place.kind](place, login, patience)


def _variables(place: Place) -> tuple[str, ...]:
    known = logins.known(place.host, {})
    return known.tokens[:1] if known is not None else ()


def _github(place: Place, login: Login, patience: Patience | None) -> Forge:
    from gitops_tk.forges.github import GitHub

    return GitHub.connect(place.api, place.path, login, patience)


def _gitlab(place: Place, login: Login, patience: Patience | None) -> Forge:
    from gitops_tk.forges.gitlab import GitLab

    return GitLab.connect(place.api, place.path, login, patience)


def _gitea(place: Place, login: Login, patience: Patience | None) -> Forge:
    from gitops_tk.forges.gitea import Gitea

    return Gitea.connect(place.api, place.path, login, patience)


def _bitbucket(place: Place, login: Login, patience: Patience | None) -> Forge:
    from gitops_tk.forges.bitbucket import Bitbucket

    return Bitbucket.connect(place.api, place.path, login, patience)


def _bitbucket_dc(place: Place, login: Login, patience: Patience | None) -> Forge:
    from gitops_tk.forges.bitbucket_dc import BitbucketDC

    return BitbucketDC.connect(place.api, place.path, login, patience)


def _azure(place: Place, login: Login, patience: Patience | None) -> Forge:
    from gitops_tk.forges.azure import Azure

    return Azure.connect(place.api, place.path, place.web, login, patience)


_Connect = Callable[[Place, Login, Patience | None], Forge]
# Each imports its adapter when it is wanted.
_KINDS: Mapping[str, _Connect] = {
    "github": _github,
    "gitlab": _gitlab,
    "gitea": _gitea,
    "bitbucket": _bitbucket,
    "bitbucket-dc": _bitbucket_dc,
    "azure": _azure,
}
