"""What GitHub tells of a token and of a branch's protection, to whoever may read the repository."""

from urllib.parse import quote

from msgspec import Struct

from gitops_tk.forges.api import Api
from gitops_tk.forges.port import Account, Protection

# The rules that stand in the way of a push; the others are about deleting, forcing and signing.
_BARRIERS = ("pull_request", "update", "required_status_checks", "merge_queue", "required_deployments")


class _User(Struct):
    login: str


class _Permissions(Struct):
    push: bool = False


class _About(Struct):
    permissions: _Permissions | None = None
    private: bool = False


class _Check(Struct):
    context: str


class _Required(Struct):
    contexts: list[str] = []


class _Guards(Struct):
    enabled: bool = False
    required_status_checks: _Required | None = None


class _Branch(Struct):
    protection: _Guards | None = None


class _Parameters(Struct):
    required_status_checks: list[_Check] = []


class _Rule(Struct):
    type: str
    ruleset_id: int
    parameters: _Parameters | None = None


class _Ruleset(Struct):
    current_user_can_bypass: str | None = None


def account(api: Api, at: str) -> Account:
    """Whose token it is. Only classic tokens tell their scopes; an App's, and a workflow's own, is no user's.

    Args:
        at: the repository's path in the API.

    Raises:
        LoginFailed, ForgeError: GitHub does not tell it.
    """
    answer = api.send("GET", "/user")
    name = "" if answer.status == 403 else answer.read(_User).login
    headers = answer.reply.headers if answer.reply else {}
    about = api.get(at, _About)
    scopes = headers.get("x-oauth-scopes", "").replace(",", " ").split()
    enough = "repo" in scopes or ("public_repo" in scopes and not about.private)
    may_write = about.permissions.push if about.permissions is not None else None
    return Account(
        name=name,
        expires=headers.get("github-authentication-token-expiration", "")[:10] or None,
        pushes=may_write and enough if scopes else may_write,
        proposes=enough if scopes else None,
    )


def protection(api: Api, at: str, branch: str) -> Protection:
    """How a branch is protected, by rules and by the protection that came before them.

    Who may pass by the older kind is told to administrators alone.

    Raises:
        LoginFailed, ForgeError: GitHub does not tell it.
    """
    name = quote(branch, safe="")
    guards = api.get(f"{at}/branches/{name}", _Branch).protection or _Guards()
    answer = api.send("GET", f"{at}/rules/branches/{name}", query={"per_page": 100})
    # Older servers have no rules.
    rules = [] if answer.status == 404 else answer.read(list[_Rule])
    contexts = guards.required_status_checks.contexts if guards.required_status_checks else []
    of_rules = [one.context for rule in rules if rule.parameters for one in rule.parameters.required_status_checks]
    barriers = dict.fromkeys(rule.ruleset_id for rule in rules if rule.type in _BARRIERS)
    passes = [_passes(api, at, number) for number in barriers]
    return Protection(
        restricted=guards.enabled or bool(barriers),
        pushes=False if False in passes else None if guards.enabled or None in passes else True,
        checks=(*contexts, *of_rules),
    )


def _passes(api: Api, at: str, ruleset: int) -> bool | None:
    answer = api.send("GET", f"{at}/rulesets/{ruleset}")
    can = answer.read(_Ruleset).current_user_can_bypass if answer.ok else None
    return can in ("always", "exempt") if can is not None else None
