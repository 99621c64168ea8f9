"""What Azure DevOps tells of a branch's policies, to whoever may read the repository.

Where a blocking policy is switched on, changes come by pull requests alone
(https://learn.microsoft.com/azure/devops/repos/git/branch-policies); who may bypass it is no part of a policy.
"""

from msgspec import Struct

from gitops_tk.forges.api import Api, Query
from gitops_tk.forges.port import Protection

# The types of policies that are about checks (https://learn.microsoft.com/rest/api/azure/devops/policy/types).
_STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
_BUILD = "0609b952-1397-4640-95ec-e00a01b2c241"


class _Repository(Struct):
    id: str


class _Type(Struct):
    id: str = ""


class _Settings(Struct, rename="camel"):
    status_name: str | None = None
    display_name: str | None = None


class _Policy(Struct, rename="camel"):
    type: _Type
    settings: _Settings
    is_enabled: bool = False
    is_blocking: bool = False
    is_deleted: bool = False

    @property
    def blocks(self) -> bool:
        """Whether nothing is merged against it."""
        return self.is_enabled and self.is_blocking and not self.is_deleted


class _Policies(Struct):
    value: list[_Policy]


def protection(api: Api, project: str, repository: str, ref: str, version: Query) -> Protection:
    """How a branch is protected by policies.

    Args:
        project: the path of the project's API.
        repository: the path of the repository's.
        ref: the branch, as refs/heads/main.

    Raises:
        LoginFailed, ForgeError: Azure DevOps does not tell it.
    """
    known = api.get(repository, _Repository, version).id
    query = {**version, "repositoryId": known, "refName": ref}
    policies = [one for one in api.get(f"{project}/policy/configurations", _Policies, query).value if one.blocks]
    checks = [one.settings for one in policies if one.type.id.lower() in (_STATUS, _BUILD)]
    names = (one.status_name or one.display_name or "" for one in checks)
    return Protection(
        restricted=bool(policies), pushes=None if policies else True, checks=tuple(name for name in names if name)
    )
