"""Where the source code of services is, as their charts say, and what came into it between two images."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from gitops_tk.charts.manifest import composed
from gitops_tk.config.forge import FileForge
from gitops_tk.errors import GitopsTkError
from gitops_tk.forges import place, registry
from gitops_tk.forges.links import compare_url
from gitops_tk.forges.place import Place
from gitops_tk.forges.port import Unmet
from gitops_tk.helm_yaml import plain
from gitops_tk.http import Patience
from gitops_tk.model import names
from gitops_tk.model.evidence import ImageChange, ReleaseChange, SourceCommit

# Each costs a request, and nobody reads the commits of a hundred services on one page.
_MOST_ASKED = 50
_QUICK = Patience(total=10.0, connect=5.0, read=10.0)
_OF_ONE_REPOSITORY = ("forge-missing", "forbidden")


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


class Sources:
    """What forges say of the source code; what they do not say is left out, never an error.

    Args:
        home: the URL of the GitOps repository's remote; None where it has none.
        forge: what gitops-tk.yaml says of its forge.
        environ: the process's environment: what a host is, and the token for the remote's own.
        ask: ask the remote's forge for commits. Content decides nothing about where a token goes: no other is asked.
    """

    def __init__(self, home: str | None, forge: FileForge, environ: Mapping[str, str], *, ask: bool) -> None:
        self._home_url = home
        self._settings = forge
        self._environ = environ
        self._ask = ask
        self._asked: dict[tuple[str, str, str], tuple[SourceCommit, ...]] = {}

    def told(self, releases: Iterable[ReleaseChange], urls: Mapping[str, Sequence[str]]) -> tuple[ReleaseChange, ...]:
        """The releases, their images with a link to what is between their revisions, and the commits that are there.

        Args:
            urls: by service, where its source code may be.
        """
        return tuple(
            replace(one, images=tuple(self._image(image, urls.get(one.service, ())) for image in one.images))
            for one in releases
        )

    def _image(self, image: ImageChange, urls: Sequence[str]) -> ImageChange:
        older, newer = (one.revision if one else "" for one in (image.before, image.after))
        if not older or not newer or older == newer:
            return image
        for url in urls:
            try:
                older, newer = names.revision(older), names.revision(newer)
                link = compare_url(self._place(url), older, newer)
            except GitopsTkError:
                # No repository of a forge, or nothing that could be a commit.
                continue
            if link is not None:
                return replace(image, compare=link, commits=self._commits(url, older, newer))
        return image

    def _place(self, url: str) -> Place:
        near = place.sibling(self._home, url, self._environ) if self._home else None
        return near or place.find(url, self._environ)

    @cached_property
    def _home(self) -> Place | None:
        if self._home_url is None:
            return None
        try:
            return place.find(self._home_url, self._environ, self._settings.kind, self._settings.repository)
        except GitopsTkError:
            # Told when a proposal is made.
            return None

    def _commits(self, url: str, older: str, newer: str) -> tuple[SourceCommit, ...]:
        key = (url, older, newer)
        if self._ask and key not in self._asked and len(self._asked) < _MOST_ASKED:
            try:
                self._asked[key] = self._found(*key)
            except GitopsTkError as error:
                # A page without them is better than none, and a forge that does not answer now is not waited for again.
                self._asked[key] = ()
                self._ask = error.code in _OF_ONE_REPOSITORY
        return self._asked.get(key, ())

    def _found(self, url: str, older: str, newer: str) -> tuple[SourceCommit, ...]:
        there = place.sibling(self._home, url, self._environ) if self._home else None
        login = registry.login(there, self._environ) if there else None
        if there is None or login is None:
            return ()
        found = registry.connect(there, login, _QUICK).commits_between(older, newer)
        return () if isinstance(found, Unmet) else tuple(found)
