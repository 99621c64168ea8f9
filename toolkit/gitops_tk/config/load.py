"""Reading gitops-tk.yaml: every fault is told with its line, and what was probably meant."""

import re
from typing import Any, get_args

import msgspec

from gitops_tk import __version__
from gitops_tk.config import model
from gitops_tk.config.layout import Layout, LayoutError
from gitops_tk.config.lines import Lines, Path, read, shown
from gitops_tk.config.model import Config, Environment, ImageKeys, nearest
from gitops_tk.errors import ConfigError, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Publish
from gitops_tk.model.snapshot import Snapshot

CONFIG_FILE = "gitops-tk.yaml"
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})")
_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# Never a local file: the repository does not say what is read on the machine that runs the tool.
_REMOTE = re.compile(r"(?:https?|ssh)://[A-Za-z0-9\[][^\s@]*|(?:ssh://)?[A-Za-z0-9_.][\w.-]*@[A-Za-z0-9][\w.:/~-]*")
_ABSENT: Any = object()
_CHOICES = {"publish": get_args(Publish), "kind": get_args(model.ForgeKind)}


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
        self.content = content
        self.lines = lines

    def config(self) -> Config:
        self._check_version()
        environments = self._environments()
        images = self._images(("images",), {"default": model.DEFAULT_IMAGE})
        services = {}
        for name in self._map(("services",)):
            self._name(("services", name), names.service, name)
            # Only its images are the service's own; everything else in it is unknown, and said to be.
            self._convert(("services", name), model.FileService, {"images"})
            services[name] = self._images(("services", name, "images"), images)
        return Config(
            environments=tuple(environments),
            layout=self._layout(environments),
            images=images,
            services=services,
            promotion=self._promotion(),
            forge=self._convert(("forge",), model.FileForge),
            skeleton=self._skeleton(),
            validate=self._validate([one.name for one in environments]),
            requires=self.content.get("requires"),
        )

    def _check_version(self) -> None:
        requires = self.content.get("requires")
        if requires is not None:
            self._check_requires(requires)
        version = self.content.get("apiVersion")
        if version != model.API_VERSION:
            said = "is missing" if version is None else f"{shown(str(version))} is unknown"
            place = ("apiVersion",) if "apiVersion" in self.content else ()
            raise self._error(
                place, "config-version", f"apiVersion {said}", f"this gitops-tk reads {model.API_VERSION}"
            )
        # Everything but what has maps or lists of its own, which are read one by one to know their lines.
        shallow = {key for key in self.content if key not in ("apiVersion", "requires")}
        for key in sorted(shallow - set(model.FileConfig.__struct_encode_fields__), key=self._line_of_key):
            raise self._unknown((), key, model.FileConfig.__struct_encode_fields__)

    def _check_requires(self, requires: Any) -> None:
        if not isinstance(requires, str):
            raise self._error(("requires",), "config-value", "requires: expected text", 'write requires: ">=1.2"')
        clauses = [_CLAUSE.fullmatch(part.strip()) for part in requires.split(",")]
        here = tuple(int(part) for part in re.findall(r"\d+", __version__)[:3])
        for clause in clauses:
            if clause is None:
                raise self._error(
                    ("requires",),
                    "config-requires",
                    f"requires: {shown(requires)} is not understood",
                    'write ">=1.2"',
                )
            asked = tuple(int(part) for part in clause[2].split("."))
            width = max(len(asked), len(here))
            padded, own = asked + (0,) * (width - len(asked)), here + (0,) * (width - len(here))
            order = (own > padded) - (own < padded)
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
            path = one.name if one.path is None else one.path
            if not _SEGMENT.fullmatch(path):
                raise self._error((*place, "path"), "config-value", f"path {path!r} is not a path segment")
            if any(path.casefold() == (other.path or other.name).casefold() for other in found):
                raise self._error(
                    (*place, "path"), "config-duplicate-environment", f"two environments have the path {path}"
                )
            found.append(one)
        return self._ordered(found)

    def _ordered(self, found: list[model.FileEnvironment]) -> list[Environment]:
        known = [one.name for one in found]
        environments = []
        for position, one in enumerate(found):
            place: Path = ("environments", position, "from")
            before = (known[position - 1],) if position else ()
            sources = before if one.from_ is None else tuple(one.from_)
            if len(set(sources)) != len(sources):
                raise self._error(place, "config-value", f"{one.name} names an environment twice in from")
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
                circle = _circle(sources, settled)
                first = next(at for at, name in enumerate(sources) if name in circle)
                raise self._error(
                    ("environments", first, "from"),
                    "config-circle",
                    f"promotions go in a circle: {' from '.join([*circle, circle[0]])}",
                )
            settled |= ready

    def _layout(self, environments: list[Environment]) -> Layout:
        written = self._convert(("layout",), model.FileLayout)
        templates = {"chart": written.chart, "values": written.values, "shared": written.shared}
        try:
            return Layout(templates, environments)
        except LayoutError as error:
            raise self._error(("layout", error.key), "config-layout", f"layout.{error.key}: {error}") from error

    def _images(self, place: Path, inherited: dict[str, ImageKeys]) -> dict[str, ImageKeys]:
        images = dict(inherited)
        owners: dict[str, str] = {}
        for name in self._map(place):
            here = (*place, name)
            if not _IMAGE_NAME.fullmatch(name):
                raise self._error(here, "config-value", f"{shown(name)} is not an image's name")
            written = self._convert(here, model.FileImage)
            keys = {part: key for part in written.__struct_fields__ if (key := getattr(written, part)) is not None}
            if "reference" in keys and len(keys) > 1:
                message = f"{name} has a reference, so tag, digest, build and revision are in it"
                raise self._error(here, "config-value", message)
            for part, key in keys.items():
                self._check_key((*here, part), key)
            images[name] = model.image_keys(written, inherited.get(name))
            if not (images[name].tag or images[name].digest or images[name].reference):
                raise self._error(here, "config-value", f"{name} needs a tag, a digest or a reference")
        for name, image in images.items():
            for key in (getattr(image, part) for part in image.__struct_fields__):
                if key is not None and key in owners:
                    message = f"{key} would hold two things: of {owners[key]} and of {name}"
                    raise self._error((*place, name), "config-value", message)
                if key is not None:
                    owners[key] = name
        return images

    def _promotion(self) -> model.FilePromotion:
        promotion: model.FilePromotion = self._convert(("promotion",), model.FilePromotion)
        for position, key in enumerate(promotion.keys):
            self._check_key(("promotion", "keys", position), key, placeholders=False)
        return promotion

    def _skeleton(self) -> model.FileSkeleton:
        place: Path = ("skeleton",)
        skeleton: model.FileSkeleton = self._convert(place, model.FileSkeleton)
        if skeleton.path is not None and not _is_inside(skeleton.path):
            message = f"skeleton.path: {shown(skeleton.path)} is not a folder inside a repository"
            raise self._error((*place, "path"), "config-value", message)
        if skeleton.url is not None and not _REMOTE.fullmatch(skeleton.url):
            message = f"skeleton.url: {shown(skeleton.url)} is not a remote repository's address"
            raise self._error((*place, "url"), "config-value", message, "use https:// or ssh://, without a password")
        if skeleton.ref is not None:
            self._name((*place, "ref"), names.branch, skeleton.ref)
        if (skeleton.url is None) != (skeleton.ref is None):
            raise self._error(place, "config-value", "skeleton.url and skeleton.ref go together")
        return skeleton

    def _validate(self, environments: list[str]) -> model.Validation:
        place: Path = ("validate",)
        written: model.FileValidate = self._convert(place, model.FileValidate, {"off"})
        for position, path in enumerate(written.crds):
            if not _is_inside(path.rstrip("/")):
                message = f"validate.crds: {shown(path)} is not a file or folder of the repository"
                raise self._error((*place, "crds", position), "config-value", message)
        off = self._at((*place, "off"))
        if off is not _ABSENT and not isinstance(off, list):
            raise self._error((*place, "off"), "config-value", "validate.off must be a list of rules")
        return model.Validation(
            crds=tuple((path.rstrip("/"), self.lines.of((*place, "crds", at))) for at, path in enumerate(written.crds)),
            off=tuple(
                self._off((*place, "off", at), one, environments)
                for at, one in enumerate(off if isinstance(off, list) else ())
            ),
        )

    def _off(self, place: Path, value: Any, environments: list[str]) -> model.Off:
        one: model.FileOff = self._convert(place, model.FileOff, value=value)
        if not one.reason.strip() or not one.reason.isprintable():
            raise self._error((*place, "reason"), "config-value", f"{shown(one.rule)} is switched off without a reason")
        for position, env in enumerate(one.environments or ()):
            if env not in environments:
                raise self._error(
                    (*place, "environments", position),
                    "config-unknown-environment",
                    f"{shown(one.rule)} is switched off in {shown(env)}, which is no environment",
                    nearest(env, environments) or f"there are {', '.join(environments)}",
                )
        return model.Off(
            rule=one.rule,
            reason=one.reason,
            services=None if one.services is None else tuple(one.services),
            environments=None if one.environments is None else tuple(one.environments),
            line=self.lines.of((*place, "rule")),
        )

    def _check_key(self, place: Path, key: str, *, placeholders: bool = True) -> None:
        if not key or not key.isprintable():
            raise self._error(place, "config-value", f"{place[0]}: {key[:60]!r} is not a key of values")
        if placeholders and {"{", "}"} & set(key.replace("{service}", "")):
            message = f"{shown(key)} has a placeholder other than {{service}}"
            raise self._error(place, "config-value", message)

    def _map(self, place: Path) -> dict[str, Any]:
        value = self._at(place)
        if value is _ABSENT:
            return {}
        if not isinstance(value, dict):
            raise self._error(place, "config-value", f"{place[-1]} must be a map")
        return value

    def _at(self, place: Path) -> Any:
        value: Any = self.content
        for step in place:
            value = value.get(step, _ABSENT) if isinstance(value, dict) else _ABSENT
        return value

    def _convert(self, place: Path, kind: type[Any], leave: set[str] | None = None, value: Any = _ABSENT) -> Any:
        written = self._at(place) if value is _ABSENT else value
        if written is _ABSENT:
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
            steps = [int(at) if at else word for word, at in re.findall(r"\.([\w-]+)|\[(\d+)\]", where)]
            spot = (*place, *steps)
            label = ".".join(str(step) for step in spot if not isinstance(step, int))
            raise self._error(
                spot, "config-value", f"{label}: {message[:1].lower()}{message[1:]}", _hint(label, message)
            ) from error

    def _name(self, place: Path, check: Any, name: str) -> None:
        try:
            check(name)
        except UsageError as error:
            raise self._error(place, "config-value", error.message, error.hint) from error

    def _unknown(self, place: Path, key: str, known: tuple[str, ...]) -> ConfigError:
        where = ".".join(str(step) for step in place if not isinstance(step, int))
        label = f"{where}.{shown(key)}" if where else shown(key)
        hint = nearest(key, known) or f"known keys are {', '.join(known)}; keys that begin with x- are ignored"
        return self._error((*place, key), "config-unknown-key", f"unknown key {label}", hint)

    def _line_of_key(self, key: str) -> int:
        return self.lines.of((key,)) or 0

    def _error(self, place: Path, code: str, message: str, hint: str | None = None) -> ConfigError:
        return ConfigError(message, code=code, hint=hint, file=self.lines.file, line=self.lines.of(place))


def _is_inside(path: str) -> bool:
    return bool(path) and path.isprintable() and not {"", ".", ".."} & set(path.split("/"))


def _circle(sources: dict[str, tuple[str, ...]], settled: set[str]) -> list[str]:
    # Whoever is not settled waits for another that is not: following them comes back somewhere.
    walked = [next(name for name in sources if name not in settled)]
    while True:
        following = next(name for name in sources[walked[-1]] if name not in settled)
        if following in walked:
            return walked[walked.index(following) :]
        walked.append(following)


def _hint(label: str, message: str) -> str | None:
    choices = _CHOICES.get(label.rpartition(".")[2], ())
    if choices and message.startswith("Invalid enum value"):
        written = message.partition("'")[2].rstrip("'")
        return nearest(written, choices) or f"it is one of {', '.join(choices)}"
    if message.startswith("Expected `str") and re.search(r"got `(bool|int|float)`", message):
        return "put it in quotes if it is meant as text"
    return None
