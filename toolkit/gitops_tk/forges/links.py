"""Addresses of pages of a forge that people follow; nothing is asked there."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from gitops_tk.forges.place import Place


def compare_url(place: Place, older: str, newer: str) -> str | None:
    """The page on which a forge shows what is between two commits; None where its kind is not known."""
    page = _PAGES.get(place.kind)
    return page(place, quote(older, safe=""), quote(newer, safe="")) if page else None


def _repository(place: Place) -> str:
    return f"{place.web}/{quote(place.path)}"


def _bitbucket_dc(place: Place, older: str, newer: str) -> str:
    key, _, slug = place.path.partition("/")
    person = key.startswith("~")
    owner = f"users/{quote(key[1:])}" if person else f"projects/{quote(key)}"
    return f"{place.web}/{owner}/repos/{quote(slug)}/compare/commits?targetBranch={older}&sourceBranch={newer}"


def _azure(place: Place, older: str, newer: str) -> str:
    organization, project, name = (quote(part, safe="") for part in place.path.split("/", 2))
    page = f"{place.web}/{organization}/{project}/_git/{name}/branchCompare"
    return f"{page}?baseVersion=GC{older}&targetVersion=GC{newer}"


_PAGES: Mapping[str, Callable[[Place, str, str], str]] = {
    "github": lambda place, older, newer: f"{_repository(place)}/compare/{older}...{newer}",
    "gitlab": lambda place, older, newer: f"{_repository(place)}/-/compare/{older}...{newer}",
    "gitea": lambda place, older, newer: f"{_repository(place)}/compare/{older}...{newer}",
    # The newer one comes first.
    "bitbucket": lambda place, older, newer: f"{_repository(place)}/branches/compare/{newer}%0D{older}",
    "bitbucket-dc": _bitbucket_dc,
    "azure": _azure,
}
