"""What a chart was made from: its record in Chart.yaml, and the skeleton of that version, wherever it is now."""

from collections.abc import Iterator
from functools import cached_property

import msgspec
from msgspec import Struct

from gitops_tk.charts import released
from gitops_tk.charts.answers import Answers
from gitops_tk.charts.skeleton import ABOUT, Skeleton, about
from gitops_tk.config.load import CONFIG_FILE, parse
from gitops_tk.config.model import Config, FileSkeleton
from gitops_tk.errors import ChartError, GitopsTkError, UsageError
from gitops_tk.repository.elsewhere import files_in
from gitops_tk.values.document import Document
from gitops_tk.values.edit import Edit, apply
from gitops_tk.workflows.views import Views

VERSION = ("annotations", "gitops-tk/skeleton-version")
ANSWERS = ("annotations", "gitops-tk/answers")


class Record(Struct, frozen=True):
    """What a chart says of how it was made: the skeleton's version, and the answers."""

    version: str
    answers: Answers


def record(chart: bytes, file: str) -> Record | None:
    """What a Chart.yaml records; None where it records nothing.

    Args:
        file: its path in the repository, for messages.

    Raises:
        ChartError: the record is not one that the program wrote (code `bad-record`).
        EditRefused: the file is no YAML map.
    """
    document = Document.read(chart, file)
    version, answers = (document.find(key) for key in (VERSION, ANSWERS))
    if version is None or answers is None:
        return None
    try:
        if not isinstance(version.value, str):
            raise msgspec.ValidationError("the version is no text")
        found = msgspec.json.decode(answers.value, type=Answers)
        found.check()
    except (msgspec.MsgspecError, UsageError, TypeError, ValueError, RecursionError) as error:
        raise ChartError(
            f"the record of how the chart was made is broken: {error}",
            code="bad-record",
            hint="put the annotations back as new-service wrote them; git log -p shows them",
            file=file,
            line=answers.line,
        ) from error
    return Record(version.value, found)


def recorded(chart: bytes, version: str, file: str) -> bytes:
    """A Chart.yaml that records this version of the skeleton.

    Raises:
        EditRefused: it cannot be edited safely.
    """
    return apply(chart, [Edit(VERSION, version)], file)


class Versions:
    """The skeleton as it was: the built-in one's versions come with the program, a team's are in the history.

    Args:
        views: the repository.
        config: its configuration as it is.
    """

    def __init__(self, views: Views, config: Config) -> None:
        self._views = views
        self._config = config
        self._known: dict[str, list[Skeleton]] = {}

    def of(self, version: str) -> list[Skeleton]:
        """The skeletons of this version that the repository's charts may have been made from, the likeliest first.

        Raises:
            ChartError: there is none (code `unknown-skeleton`).
            GitopsTkError: the history cannot be read.
        """
        if version not in self._known:
            self._known[version] = list(self._find(version))
        if not self._known[version]:
            raise ChartError(
                f"the skeleton's version {version!r} is nowhere: neither in this gitops-tk nor in the history of "
                f"what {CONFIG_FILE} named",
                code="unknown-skeleton",
                hint="let skeleton.ref name a tag or a commit, and raise the version with each change of a skeleton; "
                "a newer gitops-tk may carry more of its own",
            )
        return self._known[version]

    def _find(self, version: str) -> Iterator[Skeleton]:
        built_in = version in released.versions()
        if not (built_in and _is_built_in(self._config.skeleton)):
            for section in self._sections:
                found = self._local(section, version) if section.url is None else self._elsewhere(section, version)
                yield from found
        if built_in:
            yield released.skeleton(version)

    @cached_property
    def _sections(self) -> list[FileSkeleton]:
        """What gitops-tk.yaml has named as the skeleton, newest first; a team's own ones."""
        listed = [self._config.skeleton]
        for past in self._views.history([CONFIG_FILE]):
            try:
                listed.append(parse(past.files[CONFIG_FILE]).skeleton)
            except (KeyError, GitopsTkError):
                # A configuration that was broken, or not there yet, made no chart.
                continue
        apart: dict[tuple[str | None, ...], FileSkeleton] = {}
        for section in listed:
            apart.setdefault((section.url, section.ref, section.path), section)
        return [section for section in apart.values() if not _is_built_in(section)]

    def _local(self, section: FileSkeleton, version: str) -> Iterator[Skeleton]:
        path = section.path or ""
        seen: set[str] = set()
        for state in self._views.history.folders([path], places=()):
            tree = state.get(path)
            if tree is None or tree in seen:
                continue
            seen.add(tree)
            folder = self._views.history.folder(tree)
            try:
                if about(folder.read([ABOUT])).version == version:
                    yield Skeleton(files_in(folder, ""))
                    return
            except GitopsTkError:
                continue

    def _elsewhere(self, section: FileSkeleton, version: str) -> Iterator[Skeleton]:
        try:
            found = Skeleton(self._views.elsewhere(section.url or "", section.ref or "", section.path or ""))
        except GitopsTkError:
            # What an old configuration named may be gone: then another has the version, or none.
            return
        if found.about.version == version:
            yield found


def _is_built_in(section: FileSkeleton) -> bool:
    return section.url is None and section.path is None
