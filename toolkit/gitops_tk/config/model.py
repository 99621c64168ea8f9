"""gitops-tk.yaml as it is written (File…) and as it is meant, with its defaults filled in."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from gitops_tk.config import argocd
from gitops_tk.config.argocd import Argocd, FileArgocd
from gitops_tk.config.chart import FilePublishedChart, PublishedChart
from gitops_tk.config.forge import FileForge
from gitops_tk.config.forge import ForgeKind as ForgeKind
from gitops_tk.config.layout import DEFAULTS, Layout
from gitops_tk.config.policy import KINDS, FileGates, Kind, Override, Policy
from gitops_tk.errors import UsageError
from gitops_tk.model.changes import Publish

API_VERSION = "gitops-tk/v1"


def _text(description: str) -> Any:
    return Meta(description=description)


class FileEnvironment(
    Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from", "push_now": "push-now"}
):
    """An environment."""

    name: Annotated[str, _text("The environment's name, a DNS label.")]
    path: Annotated[str | None, _text("What {env} is in paths, where that differs from the name.")] = None
    from_: Annotated[list[str] | None, _text("Where promotions may come from; default: the one before.")] = None
    publish: Annotated[Publish, _text("Whether changes are pushed or proposed.")] = "push"
    push_now: Annotated[bool, _text("Whether --push-now may push what is proposed otherwise.")] = False
    protected: Annotated[list[str], _text("Keys that nobody changes here; patterns as in promotion.keys.")] = []
    accepts: Annotated[list[Kind] | None, _text("What pull requests may change here.")] = None
    override: Annotated[list[Override], _text("What --override may name here.")] = []
    gates: FileGates = field(default_factory=FileGates)


class FileLayout(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where things are: templates with {service} and {env}."""

    chart: Annotated[
        str | FilePublishedChart, _text("A service's Helm chart: its folder, or where it is published.")
    ] = DEFAULTS["chart"]
    values: Annotated[str, _text("A service's own values in one environment.")] = DEFAULTS["values"]
    shared: Annotated[str | None, _text("The values that all services share in one environment.")] = DEFAULTS["shared"]


class FileImage(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where values keep an image: keys, which may hold {service}; null for a part that they do not keep."""

    tag: Annotated[str | UnsetType | None, _text("The key of the tag.")] = UNSET
    digest: Annotated[str | UnsetType | None, _text("The key of the digest, which wins over the tag.")] = UNSET
    build: Annotated[str | UnsetType | None, _text("The key of the build's number.")] = UNSET
    revision: Annotated[str | UnsetType | None, _text("The key of the source commit.")] = UNSET
    reference: Annotated[
        str | UnsetType | None, _text("The key of a whole repository:tag@digest, in place of the others.")
    ] = UNSET


class FilePromotion(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a promotion carries."""

    keys: Annotated[list[str], _text("What travels to the next environment beside the images.")] = []


class FileService(Struct, kw_only=True, forbid_unknown_fields=True):
    """What one service has of its own."""

    images: Annotated[dict[str, FileImage], _text("Its images, by name.")] = {}
    promotion: FilePromotion | None = None


class FileAnswers(Struct, kw_only=True, forbid_unknown_fields=True):
    """What new-service takes where it is not told otherwise."""

    image: Annotated[str | None, _text("Where images are, without a tag; {service} is the service's name.")] = None
    profile: Annotated[str | None, _text("What kind of service it is.")] = None
    port: Annotated[int | None, _text("The port that a service listens on.")] = None
    hosts: Annotated[list[str] | None, _text("The host names of its Ingress; {service} is the service's name.")] = None
    owner: Annotated[str | None, _text("The team that owns it.")] = None
    vars: Annotated[dict[str, str], _text("Answers to the skeleton's own questions.")] = {}


class FileSkeleton(Struct, kw_only=True, forbid_unknown_fields=True):
    """What new services are made from: the built-in skeleton, or a team's own."""

    path: Annotated[str | None, _text("A folder of this repository, or of the one at url.")] = None
    url: Annotated[str | None, _text("The git repository that holds the skeleton.")] = None
    ref: Annotated[str | None, _text("A tag, branch or commit of it.")] = None
    answers: FileAnswers = field(default_factory=FileAnswers)


class FileOff(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule that is switched off."""

    rule: Annotated[str, _text("The rule's name; docs/validate.md and docs/verify-pr.md list them.")]
    reason: Annotated[str, _text("Why; every report shows it.")]
    services: Annotated[list[str] | None, _text("Only for these services.")] = None
    environments: Annotated[list[str] | None, _text("Only in these environments.")] = None


class FileValidate(Struct, kw_only=True, forbid_unknown_fields=True):
    """What validate knows and leaves out."""

    crds: Annotated[list[str], _text("Files or folders of the repository with CustomResourceDefinitions.")] = []
    off: Annotated[list[FileOff], _text("Rules that are switched off.")] = []


class FileVerify(Struct, kw_only=True, forbid_unknown_fields=True):
    """What verify-pr leaves out."""

    off: Annotated[list[FileOff], _text("Rules that are switched off.")] = []


class FileConfig(Struct, kw_only=True, forbid_unknown_fields=True):
    """The configuration of a GitOps repository."""

    apiVersion: Annotated[Literal["gitops-tk/v1"], _text("The version of this file's form.")]
    requires: Annotated[str | None, _text('The versions of gitops-tk that understand it, such as ">=1.2".')] = None
    environments: Annotated[list[FileEnvironment], Meta(description="In promotion order.", min_length=1)]
    layout: FileLayout = field(default_factory=FileLayout)
    images: Annotated[dict[str, FileImage], _text("The images of every service, by name.")] = {}
    services: Annotated[dict[str, FileService], _text("What single services have of their own.")] = {}
    promotion: FilePromotion = field(default_factory=FilePromotion)
    forge: FileForge = field(default_factory=FileForge)
    skeleton: FileSkeleton = field(default_factory=FileSkeleton)
    validate: FileValidate = field(default_factory=FileValidate)
    verify: FileVerify = field(default_factory=FileVerify)
    argocd: FileArgocd | None = None


class Environment(Struct, frozen=True, kw_only=True):
    """An environment with its defaults filled in.

    Attributes:
        path: what `{env}` is in paths.
        from_: the names of the environments that promotions may come from.
        push_now: whether `--push-now` may push in an emergency what is proposed otherwise.
    """

    name: str
    path: str
    from_: tuple[str, ...]
    publish: Publish = "push"
    push_now: bool = False
    policy: Policy = Policy()

    @property
    def accepted(self) -> frozenset[Kind]:
        """What pull requests may change here."""
        if self.policy.accepts is not None:
            return frozenset(self.policy.accepts)
        return frozenset(KINDS) - {"removal", "bump" if self.from_ else "promotion"}


class ImageKeys(Struct, frozen=True, kw_only=True):
    """The dotted keys of one image in values: of its parts, or of a whole reference.

    A part without a key is None; so are all parts where there is a reference.
    """

    tag: str | None = None
    digest: str | None = None
    build: str | None = None
    revision: str | None = None
    reference: str | None = None


DEFAULT_IMAGE = ImageKeys(tag="image.tag", digest="image.digest", build="image.build", revision="image.revision")


class Off(Struct, frozen=True, kw_only=True):
    """A rule that is switched off.

    Attributes:
        services: the services that it is off for; None for all.
        environments: the environments that it is off in; None for all.
        line: where gitops-tk.yaml says so.
    """

    rule: str
    reason: str
    services: tuple[str, ...] | None = None
    environments: tuple[str, ...] | None = None
    line: int | None = None

    def covers(self, rule: str, service: str | None, env: str | None) -> bool:
        """Whether it switches a rule off for a service in an environment; None is what is of none, or of all."""
        return (
            rule == self.rule
            and (self.services is None or service in self.services)
            and (self.environments is None or env in self.environments)
        )


class Validation(Struct, frozen=True, kw_only=True):
    """What validate knows and leaves out.

    Attributes:
        crds: files or folders of the repository, each with its line in gitops-tk.yaml.
    """

    crds: tuple[tuple[str, int | None], ...] = ()
    off: tuple[Off, ...] = ()


class Config(Struct, frozen=True, kw_only=True):
    """The configuration as it is meant.

    Attributes:
        chart: the services' charts, where they are published elsewhere; None where they are in the repository.
        travelling: the patterns of travelling keys of those services that have their own.
        verify: the rules of verify-pr that are switched off.
    """

    environments: tuple[Environment, ...]
    layout: Layout
    images: dict[str, ImageKeys]
    services: dict[str, dict[str, ImageKeys]]
    promotion: FilePromotion
    forge: FileForge
    skeleton: FileSkeleton
    validate: Validation = Validation()
    chart: PublishedChart | None = None
    travelling: dict[str, tuple[str, ...]] = {}
    verify: tuple[Off, ...] = ()
    argocd: Argocd | None = None
    requires: str | None = None

    def environment(self, name: str) -> Environment:
        """The environment of this name.

        Raises:
            UsageError: there is none.
        """
        for environment in self.environments:
            if environment.name == name:
                return environment
        known = [environment.name for environment in self.environments]
        raise UsageError(
            f"there is no environment {name!r}",
            code="unknown-environment",
            hint=nearest(name, known) or f"there are {', '.join(known)}",
        )

    def image_keys(self, service: str) -> dict[str, ImageKeys]:
        """The keys of a service's images, by the images' names."""
        chosen = self.services.get(service, self.images)
        return {name: _of_service(keys, service) for name, keys in chosen.items()}

    def promotion_keys(self, service: str) -> Sequence[str]:
        """The patterns of the keys that travel with a service's images."""
        return self.travelling.get(service, self.promotion.keys)


class InitialEnvironment(Struct, frozen=True, kw_only=True):
    """An environment for a new repository's file."""

    name: str
    publish: Publish = "push"


def image_keys(written: FileImage, inherited: ImageKeys | None) -> ImageKeys:
    """The keys of an image as written, over those that an image of the same name has already.

    A reference takes the place of all parts, and a part the place of a reference.
    """
    if isinstance(written.reference, str):
        return ImageKeys(reference=written.reference)
    base = inherited if inherited is not None and inherited.reference is None else ImageKeys()
    said = {part: getattr(written, part) for part in written.__struct_fields__}
    return ImageKeys(**{part: key if said[part] is UNSET else said[part] for part, key in key_parts(base).items()})


def initial(
    environments: Sequence[InitialEnvironment],
    forge: str | None,
    chart_per_environment: bool,
    repository: str | None = None,
) -> bytes:
    """The text of a new repository's gitops-tk.yaml.

    Args:
        forge: the forge's kind; None to tell it from the remote.
        repository: the URL by which Argo CD reads it, if that is known.
    """
    lines = [f"apiVersion: {API_VERSION}", "environments:                    # in promotion order"]
    for environment in environments:
        lines.append(f"  - name: {_quoted(environment.name)}")
        if environment.publish == "pull-request":
            lines.append("    publish: pull-request        # changes are proposed, not pushed")
    chart = "services/{service}/{env}/chart" if chart_per_environment else DEFAULTS["chart"]
    lines += [
        "layout:",
        f"  chart: {chart}",
        f"  values: {DEFAULTS['values']}",
        f"  shared: {DEFAULTS['shared']}",
        *(["forge:", f"  kind: {forge}"] if forge else ["forge: {}                        # told from the remote"]),
        *argocd.initial(repository),
    ]
    return ("\n".join(lines) + "\n").encode()


def nearest(name: str, known: Sequence[str]) -> str | None:
    """A hint that names the nearest known word, or None if none is near."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else None


def _quoted(name: str) -> str:
    # Names that some YAML reader takes for a number, a date, true, false or nothing.
    odd = not name[:1].isalpha() or name in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    return f'"{name}"' if odd else name


def _of_service(keys: ImageKeys, service: str) -> ImageKeys:
    parts = {part: key for part, key in key_parts(keys).items() if key is not None}
    if not any("{service}" in key for key in parts.values()):
        return keys
    return ImageKeys(**{part: key.replace("{service}", service) for part, key in parts.items()})


def key_parts(keys: ImageKeys) -> dict[str, str | None]:
    """The keys of an image by what they hold, those that it has not as None."""
    return {part: getattr(keys, part) for part in keys.__struct_fields__}
