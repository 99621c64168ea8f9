"""Reading gitops-tk.yaml: every fault is told with its line, and what was probably meant."""

import re
from typing import Any

import msgspec

from gitops_tk import __version__
from gitops_tk.config import model
from gitops_tk.config.layout import Layout, LayoutError
from gitops_tk.config.lines import Lines, Path, read
from gitops_tk.config.model import Config, Environment, ImageKeys, nearest
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.model import names
from gitops_tk.model.snapshot import Snapshot

CONFIG_FILE = "gitops-tk.yaml"
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)")


def load(snapshot: Snapshot) -> Config:
    """The configuration of a repository.

    Raises:
        ConfigError: there is none, or it does not work; with file and line.
    """
    found = snapshot.read([CONFIG_FILE])
    if CONFIG_FILE not in found:
        empty = not snapshot.children([""]).get("")
        raise ConfigError(
            "the repository is empty" if empty else f"the repository has no {CONFIG_FILE}",
            code="config-missing",
            hint="start it with gitops-tk init",
            file=CONFIG_FILE,
        )
    return parse(found[CONFIG_FILE])


def parse(data: bytes, file: str = CONFIG_FILE) -> Config:
    """The configuration that a file's bytes hold.

    Raises:
        ConfigError: see the codes `config-…`.
    """
    content, lines = read(data, file)
    return _Reader(content, lines).config()


class _Reader:
    def __init__(self, content: dict[str, Any], lines: Lines) -> None:
        self.content = _without_extensions(content)
        self.lines = lines

    def config(self) -> Config:
        self._check_version()
        environments = self._environments()
        images = {"default": model.image_keys(model.FileImage())} | self._images(("images",))
        services = {}
        for name in self._map(("services",)):
            self._name(("services", name), names.service, name)
            # Only its images are the service's own; everything else in it is unknown, and said to be.
            self._convert(("services", name), model.FileService, {"images"})
            services[name] = self._images(("services", name, "images"))
        return Config(
            environments=tuple(environments),
            layout=self._layout(environments),
            images=images,
            services=services,
            promotion=self._convert(("promotion",), model.FilePromotion),
            forge=self._convert(("forge",), model.FileForge),
            requires=self.content.get("requires"),
        )

    def _check_version(self) -> None:
        version = self.content.get("apiVersion")
        if version != model.API_VERSION:
            said = "is missing" if version is None else f"{version!r} is unknown"
            place = ("apiVersion",) if "apiVersion" in self.content else ()
            raise self._error(
                place, "config-version", f"apiVersion {said}", f"this gitops-tk reads {model.API_VERSION}"
            )
        requires = self.content.get("requires")
        if requires is not None:
            self._check_requires(requires)
        # Everything but what has maps or lists of its own, which are read one by one to know their lines.
        shallow = {key for key in self.content if key not in ("apiVersion", "requires")}
        for key in shallow - set(model.FileConfig.__struct_encode_fields__):
            raise self._unknown((), key, model.FileConfig.__struct_encode_fields__)

    def _check_requires(self, requires: Any) -> None:
        clauses = [_CLAUSE.fullmatch(part.strip()) for part in str(requires).split(",")]
        here = tuple(int(part) for part in re.findall(r"\d+", __version__)[:3])
        for clause in clauses:
            if clause is None:
                raise self._error(
                    ("requires",),
                    "config-requires",
                    f"requires: {requires!r} is not understood",
                    'write ">=1.2"',
                )
            asked = tuple(int(part) for part in clause[2].split("."))
            padded = asked + (0,) * (3 - len(asked))
            order = (here > padded) - (here < padded)
            holds = {
                ">=": order >= 0,
                "<=": order <= 0,
                "==": order == 0,
                "!=": order != 0,
                ">": order > 0,
                "<": order < 0,
            }
            if not holds[clause[1]]:
                raise self._error(
                    ("requires",),
                    "config-requires",
                    f"the repository requires gitops-tk {requires}, and this is {__version__}",
                    "upgrade gitops-tk",
                )

    def _environments(self) -> list[Environment]:
        written = self.content.get("environments")
        if not isinstance(written, list) or not written:
            raise self._error(
                ("environments",), "config-value", "environments must be a list of at least one environment"
            )
        found: list[model.FileEnvironment] = []
        for position, entry in enumerate(written):
            place: Path = ("environments", position)
            one = self._convert(place, model.FileEnvironment, value=entry)
            self._name((*place, "name"), names.environment, one.name)
            if any(one.name == other.name for other in found):
                raise self._error(
                    (*place, "name"), "config-duplicate-environment", f"there are two environments {one.name}"
                )
            path = one.path or one.name
            if not _SEGMENT.fullmatch(path):
                raise self._error((*place, "path"), "config-value", f"path {path!r} is not a path segment")
            if any(path == (other.path or other.name) for other in found):
                raise self._error(place, "config-duplicate-environment", f"two environments have the path {path}")
            found.append(one)
        return self._ordered(found)

    def _ordered(self, found: list[model.FileEnvironment]) -> list[Environment]:
        known = [one.name for one in found]
        environments = []
        for position, one in enumerate(found):
            place: Path = ("environments", position, "from")
            before = (known[position - 1],) if position else ()
            sources = before if one.from_ is None else tuple(one.from_)
            for source in sources:
                if source not in known:
                    raise self._error(
                        place,
                        "config-unknown-environment",
                        f"{one.name} is promoted from {source!r}, which is no environment",
                        nearest(source, known) or f"there are {', '.join(known)}",
                    )
            environments.append(
                Environment(name=one.name, path=one.path or one.name, from_=sources, publish=one.publish)
            )
        self._check_circles(environments)
        return environments

    def _check_circles(self, environments: list[Environment]) -> None:
        sources = {environment.name: environment.from_ for environment in environments}
        settled: set[str] = set()
        while len(settled) < len(sources):
            ready = {name for name, came in sources.items() if name not in settled and set(came) <= settled}
            if not ready:
                names_left = [name for name in sources if name not in settled]
                position = list(sources).index(names_left[0])
                raise self._error(
                    ("environments", position, "from"),
                    "config-circle",
                    f"promotions go in a circle: {' and '.join(names_left)} come from each other",
                )
            settled |= ready

    def _layout(self, environments: list[Environment]) -> Layout:
        written = self._convert(("layout",), model.FileLayout)
        templates = {"chart": written.chart, "values": written.values, "shared": written.shared}
        try:
            return Layout(templates, environments)
        except LayoutError as error:
            raise self._error(("layout", error.key), "config-layout", f"layout.{error.key}: {error}") from error

    def _images(self, place: Path) -> dict[str, ImageKeys]:
        images = {}
        for name in self._map(place):
            here = (*place, name)
            written = self._convert(here, model.FileImage)
            parts = (written.tag, written.digest, written.build, written.revision)
            if written.reference is not None and any(part is not None for part in parts):
                raise self._error(
                    here,
                    "config-value",
                    f"{name} has a reference, so tag, digest, build and revision are in it",
                )
            if "" in (*parts, written.reference):
                raise self._error(here, "config-value", f"{name} has an empty key")
            images[name] = model.image_keys(written)
        return images

    def _map(self, place: Path) -> dict[str, Any]:
        value = self._at(place)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._error(place, "config-value", f"{place[-1]} must be a map")
        return value

    def _at(self, place: Path) -> Any:
        value: Any = self.content
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def _convert(self, place: Path, kind: type[Any], leave: set[str] | None = None, value: Any = None) -> Any:
        written = self._at(place) if value is None else value
        if written is None and not isinstance(place[-1], int):
            return kind()
        if isinstance(written, dict):
            for key in written:
                if key not in kind.__struct_encode_fields__:
                    raise self._unknown(place, key, kind.__struct_encode_fields__)
            written = {key: one for key, one in written.items() if not leave or key not in leave}
        try:
            return msgspec.convert(written, kind)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at `$")
            key = re.match(r"\.([\w-]+)", where)
            spot = (*place, key[1]) if key else place
            label = ".".join(str(step) for step in spot if not isinstance(step, int))
            raise self._error(spot, "config-value", f"{label}: {message[:1].lower()}{message[1:]}") from error

    def _name(self, place: Path, check: Any, name: str) -> None:
        try:
            check(name)
        except UsageError as error:
            raise self._error(place, "config-value", error.message, error.hint) from error

    def _unknown(self, place: Path, key: str, known: tuple[str, ...]) -> ConfigError:
        where = ".".join(str(step) for step in place if not isinstance(step, int))
        label = f"{where}.{key}" if where else key
        hint = nearest(key, known) or f"known keys are {', '.join(known)}; keys that begin with x- are ignored"
        return self._error((*place, key), "config-unknown-key", f"unknown key {label}", hint)

    def _error(self, place: Path, code: str, message: str, hint: str | None = None) -> ConfigError:
        return ConfigError(message, code=code, hint=hint, file=self.lines.file, line=self.lines.of(place))


def _without_extensions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_extensions(one) for key, one in value.items() if not key.startswith("x-")}
    return [_without_extensions(one) for one in value] if isinstance(value, list) else value
