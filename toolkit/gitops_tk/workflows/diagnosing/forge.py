"""The forge: is its API known, what may the token do, and is the branch protected as `publish` wants it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime

from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError, LoginFailed
from gitops_tk.forges import place, registry
from gitops_tk.forges.place import Place
from gitops_tk.forges.port import Account, Forge, Protection, Unmet
from gitops_tk.http import Patience
from gitops_tk.model.findings import Finding, error, failed, ok, unchecked, warning
from gitops_tk.repository.location import RemoteLocation
from gitops_tk.workflows.diagnosing.rules import FORGE

_SOON = 14
_RIGHTS = "give the token what docs/forges.md says of this forge, or another one"
_RENEW = "make a new token, and put it where the old one is"
_CHECK = "verify-pr"


class Diagnosis:
    """The findings about one repository's forge.

    Args:
        branch: waits for the name of the branch that would be changed; empty where it is not known.
    """

    def __init__(
        self,
        location: RemoteLocation,
        config: Config,
        environ: Mapping[str, str],
        branch: Callable[[], str],
        patience: Patience,
    ) -> None:
        self._location = location
        self._settings = config.forge
        self._environ = environ
        self._branch = branch
        self._patience = patience
        self._pushed = [one.name for one in config.environments if one.publish == "push"]
        self._proposed = [one.name for one in config.environments if one.publish == "pull-request"]

    def findings(self) -> list[Finding]:
        """A finding for each rule of the forge."""
        found: dict[str, Finding] = {}
        reason = "the forge cannot be asked"
        try:
            for one in self._look():
                found[one.rule] = one
        except LoginFailed as fault:
            found["forge-token"] = failed("forge-token", fault, _RENEW)
            reason = "the forge does not take the token"
        except GitopsTkError as fault:
            found.setdefault("forge", failed("forge", fault, "check the forge's address and the network"))
        if "forge-token" in found and found["forge-token"].state in ("warning", "not-checked"):
            reason = "there is no token for the forge's API"
        return [found.get(rule) or unchecked(rule, reason) for rule in FORGE]

    def _look(self) -> Iterator[Finding]:
        where = place.find(self._location.url, self._environ, self._settings.kind, self._settings.repository)
        if where.kind == "git":
            yield self._unknown()
            return
        login = registry.login(where, self._environ, self._location.login)
        if login is None:
            yield unchecked("forge", "it is asked with a token alone")
            yield self._no_token(where)
            return
        forge = registry.connect(where, login, self._patience)
        # Every forge takes this question, and none answers it to a token that it does not know.
        forge.find("gitops-tk/doctor", self._branch() or "main")
        yield ok("forge", f"{where.api} answers for {where.path}")
        account = forge.account()
        if isinstance(account, Unmet):
            yield ok("forge-token", "the token is accepted")
            yield from (unchecked(rule, account.reason) for rule in ("forge-expiry", "forge-rights"))
        else:
            yield ok(
                "forge-token", f"the token is {account.name}'s" if account.name else "the token is an app's or job's"
            )
            yield self._expiry(account)
            yield self._rights(account)
        yield from self._protection(forge)

    def _unknown(self) -> Finding:
        if self._settings.kind is None and self._proposed:
            return warning(
                "forge",
                f"the forge is not known: what is proposed to {', '.join(self._proposed)} is a branch alone",
                "set forge.kind in gitops-tk.yaml (git, where there is no API)",
            )
        return unchecked("forge", "there is no forge with an API here")

    def _no_token(self, where: Place) -> Finding:
        hint = f"set GITOPS_TK_TOKEN to a token for {where.host}"
        if self._proposed:
            said = f"there is no token for {where.api}: proposals for {', '.join(self._proposed)} are branches"
            return warning("forge-token", said, hint)
        return unchecked("forge-token", f"there is no token for {where.api}", hint)

    def _expiry(self, account: Account) -> Finding:
        try:
            last = date.fromisoformat(account.expires or "")
        except ValueError:
            return unchecked("forge-expiry", "the forge does not tell when the token expires")
        left = (last - datetime.fromtimestamp(self._patience.clock(), UTC).date()).days
        if left < _SOON:
            return warning("forge-expiry", f"the token expires on {last} ({left} days)", _RENEW)
        return ok("forge-expiry", f"the token expires on {last}")

    def _rights(self, account: Account) -> Finding:
        if account.pushes is False:
            return error("forge-rights", "the token may not push to the repository", _RIGHTS)
        if account.proposes is False:
            told = error if self._proposed else warning
            return told("forge-rights", "the token may not open pull requests", _RIGHTS)
        if account.pushes and account.proposes:
            return ok("forge-rights", "the token may push and open pull requests")
        may = "the token may push; " if account.pushes else ""
        whether = "open pull requests" if account.pushes else "push and open pull requests"
        return unchecked("forge-rights", f"{may}the forge does not tell whether it may {whether}")

    def _protection(self, forge: Forge) -> Iterator[Finding]:
        branch = self._branch()
        try:
            found = forge.protection(branch) if branch else Unmet("the branch is not known")
        except GitopsTkError as fault:
            # What may not be seen is no reason to hide what may.
            found = Unmet(fault.message)
        if isinstance(found, Unmet):
            reason = found.reason
            yield from (unchecked(rule, reason) for rule in ("direct-push", "unprotected", "required-check"))
            return
        yield self._direct(branch, found) if self._pushed else unchecked("direct-push", "no environment is pushed to")
        if self._proposed:
            yield self._unprotected(branch, found)
            yield self._required(branch, found)
            return
        yield from (unchecked(rule, "no environment is proposed") for rule in ("unprotected", "required-check"))

    def _direct(self, branch: str, found: Protection) -> Finding:
        fix = f"let this token pass the protection of {branch}, or set publish: pull-request"
        if found.pushes is False:
            said = f"{branch} is protected from this token, and {', '.join(self._pushed)} is published by pushes"
            return error("direct-push", said, fix)
        if found.pushes is None and found.restricted:
            said = f"{branch} is protected, and the forge does not tell whether this token may push to it"
            return unchecked("direct-push", said, fix)
        return ok("direct-push", f"nothing keeps this token from pushing to {branch}")

    def _unprotected(self, branch: str, found: Protection) -> Finding:
        if found.restricted:
            return ok("unprotected", f"{branch} is protected")
        said = f"whoever may write may push to {branch}: {', '.join(self._proposed)} can be changed without review"
        return warning("unprotected", said, f"protect {branch}: pull requests alone, but for the token that pushes")

    def _required(self, branch: str, found: Protection) -> Finding:
        if found.pipeline or any(_CHECK in name for name in found.checks or ()):
            return ok("required-check", f"{_CHECK} has to pass before a merge to {branch}")
        if found.checks is None:
            return unchecked("required-check", "the forge does not tell which checks are required")
        said = f"a pull request to {branch} may be merged though {_CHECK} fails or never ran"
        return warning("required-check", said, f"require the check {_CHECK} (GitLab: pipelines must succeed)")
