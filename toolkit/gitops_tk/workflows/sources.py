"""Where the source code of services is, as their charts say, and what came into it between two images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from gitops_tk.charts.manifest import composed
from gitops_tk.errors import GitopsTkError, UsageError
from gitops_tk.forges import place
from gitops_tk.forges.links import compare_url
from gitops_tk.helm_yaml import plain
from gitops_tk.model import names
from gitops_tk.model.evidence import ImageChange, ReleaseChange, SourceCommit

# The repository's URL, the older commit, the newer one.
Commits = Callable[[str, str, str], Sequence[SourceCommit]]
# Each costs a request, and nobody reads the commits of a hundred services on one page.
_MOST_ASKED = 50


def source_urls(chart: bytes) -> tuple[str, ...]:
    """The addresses of source code that a Chart.yaml names: `sources`, then `home`."""
    try:
        node = composed(chart.decode())
        about: dict[str, Any] = plain(node) if node is not None else {}
    except ValueError:
        # Told when the chart is loaded.
        return ()
    listed = about.get("sources")
    urls = [*(listed if isinstance(listed, list) else []), about.get("home")]
    return tuple(url for url in urls if isinstance(url, str) and url.startswith(("https://", "http://")))


def with_sources(
    releases: Iterable[ReleaseChange],
    urls: Mapping[str, Sequence[str]],
    environ: Mapping[str, str],
    commits: Commits | None,
) -> tuple[ReleaseChange, ...]:
    """The releases, their images with a link to what is between their revisions, and the commits that are there.

    Args:
        urls: by service, where its source code may be.
        environ: the process's environment, which may say what a host is.
        commits: asks a forge; None where there is none to ask.
    """
    asked: dict[tuple[str, str, str], tuple[SourceCommit, ...]] = {}

    def told(service: str, image: ImageChange) -> ImageChange:
        older, newer = (one.revision if one else "" for one in (image.before, image.after))
        if not older or not newer or older == newer:
            return image
        for url in urls.get(service, ()):
            link = _link(url, older, newer, environ)
            if link is not None:
                key = (url, older, newer)
                if commits is not None and key not in asked and len(asked) < _MOST_ASKED:
                    asked[key] = tuple(commits(*key))
                return replace(image, compare=link, commits=asked.get(key, ()))
        return image

    return tuple(
        replace(one, images=tuple(told(one.service, image) for image in one.images)) if one.images else one
        for one in releases
    )


def _link(url: str, older: str, newer: str, environ: Mapping[str, str]) -> str | None:
    try:
        found = place.find(url, environ)
        return compare_url(found, names.revision(older), names.revision(newer))
    except UsageError:
        return None
    except GitopsTkError:
        # A page of a forge that is no repository.
        return None
