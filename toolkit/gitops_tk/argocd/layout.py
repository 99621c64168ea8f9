"""Layout templates as Argo CD understands them: patterns of files, and Go templates of what a file's path says.

Sources: Argo CD, "Git Generator" and "Git File Generator Globbing": the default pattern language is that of
`git ls-files`, where `*` crosses `/`; doublestar, where it does not, has to be switched on. One pattern has to be
right in both.
"""

from posixpath import relpath

from msgspec import Struct

from gitops_tk.config.layout import Layout, Placed

# What the repository is called as a source of values, beside that of the chart.
VALUES = "values"
_SERVICE = "{service}"
# What no service's name holds: a `/` that `*` has crossed, capitals, dots. Excluded patterns win over others.
_NO_NAME = "*[^a-z0-9-]*"


class Files(Struct, frozen=True):
    """The values files of services: patterns to take, and patterns to leave out of these."""

    taken: tuple[str, ...]
    left_out: tuple[str, ...] = ()


class Expressions:
    """What the path of a service's values file says, as Go templates.

    Args:
        layout: the repository's templates.
        environment: whose values files are meant.
        published: whether charts are published elsewhere: there is no folder of them then.
    """

    def __init__(self, layout: Layout, environment: Placed, *, published: bool = False) -> None:
        self._values = _in(layout.templates["values"], environment)
        self._chart = None if published else _in(layout.templates["chart"], environment)
        shared = layout.templates.get("shared")
        self._shared = _in(shared, environment) if shared else None

    @property
    def is_pattern(self) -> bool:
        """Whether one pattern takes the values files of all services; else they are named one by one."""
        return self._values.count(_SERVICE) == 1

    @property
    def pattern(self) -> Files:
        """The pattern of all services' values files, where there is one."""
        before, _, after = self._values.partition(_SERVICE)
        # In a part of a segment, `*` alone would take no name at all, too.
        whole = before.endswith("/") and after.startswith("/")
        return Files(
            (f"{literal(before)}{'*' if whole else '?*'}{literal(after)}",),
            (f"{literal(before)}{_NO_NAME}{literal(after)}",),
        )

    @property
    def service(self) -> str:
        """The service's name."""
        segments = self._values.split("/")
        at = next(at for at, segment in enumerate(segments) if _SERVICE in segment)
        before, _, after = segments[at].partition(_SERVICE)
        last = at == len(segments) - 1
        pipeline = ".path.filename" if last else f"index .path.segments {at}"
        pipeline += f' | trimPrefix "{before}"' if before else ""
        pipeline += f' | trimSuffix "{after}"' if after else ""
        return f"{{{{ {pipeline} }}}}"

    @property
    def chart(self) -> str:
        """The folder of its chart; empty where charts are published elsewhere."""
        return self.filled(self._chart or "")

    def value_files(self, *, shared: bool) -> list[str]:
        """Its values files above the chart's own, as the chart sees them, or from the source `values`; later wins.

        Args:
            shared: whether the values that services share are there.
        """
        paths = [*([self._shared] if shared and self._shared else []), self._values]
        return [
            self.filled(f"${VALUES}/{path}" if self._chart is None else relpath(path, self._chart)) for path in paths
        ]

    def read(self, *, shared: bool) -> list[str]:
        """The files and folders that its manifests are made from."""
        chart = [self._chart] if self._chart is not None else []
        paths = [*chart, *([self._shared] if shared and self._shared else []), self._values]
        return [self.filled(path) for path in paths]

    def filled(self, template: str) -> str:
        """A template with the service's name in it, as a Go template."""
        return template.replace(_SERVICE, self.service)


def literal(text: str) -> str:
    """A text as a pattern that matches it alone."""
    return text.replace("[", "[[]")


def _in(template: str, environment: Placed) -> str:
    return template.replace("{env}", environment.path)
