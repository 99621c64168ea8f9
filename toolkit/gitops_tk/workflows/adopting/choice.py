"""Which template the values of services lie by, and in which environments."""

import re
from collections.abc import Collection, Mapping, Sequence
from shlex import quote

from msgspec import Struct

from gitops_tk.config.layout import Layout, LayoutError, Placed
from gitops_tk.errors import ConfigError
from gitops_tk.model.names import DNS_LABEL
from gitops_tk.workflows.adopting.environments import Environment, by_name, given, stage
from gitops_tk.workflows.adopting.findings import counted, some
from gitops_tk.workflows.adopting.images import spots
from gitops_tk.workflows.adopting.listing import Listing
from gitops_tk.workflows.adopting.readings import Candidate, candidates, is_word, reader

# Where charts are is found out later: here they are in nobody's way.
NOWHERE = ".charts/{service}"
# So many templates are looked at closely, and of each so many files.
_JUDGED = 24
_SAMPLE = 20
_ANY_ENV = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_LABEL = re.compile(DNS_LABEL)
# Values for a laptop, and files that are there to be copied: no environment of a cluster's.
_NO_ENVIRONMENT = frozenset(("local", "localhost", "minikube", "kind", "example", "sample", "schema", "all"))


class Choice(Struct, frozen=True):
    """What was chosen.

    Attributes:
        files: the values files, each with the service and the environment's path.
        why: how it was concluded.
        unsure: what else the files may mean.
    """

    template: str
    files: Mapping[str, tuple[str, str]]
    environments: tuple[Environment, ...]
    why: str
    unsure: tuple[str, ...]


class _Judged(Struct, frozen=True):
    """A template, looked at closely.

    Attributes:
        images: how many of its files hold an image, guessed from some of them.
        own: how many of them are charts' own values.
        claimed: how many of them Argo CD's Applications name.
        owned: in how many of the files that were looked at the image is called like the service.
        fault: why a layout cannot have it; None for one that can.
    """

    candidate: Candidate
    images: float
    own: int
    claimed: int
    owned: int
    fault: str | None

    @property
    def template(self) -> str:
        """Its text."""
        return self.candidate.template

    @property
    def is_own(self) -> bool:
        """Whether charts' own values are what it reads."""
        return 2 * self.own > len(self.candidate.files)

    @property
    def why(self) -> str:
        """How it was concluded that this is the one."""
        named = f", and Argo CD's Applications name {self.claimed}" if self.claimed else ""
        return f"{round(self.images)} of {counted(len(self.candidate.files), 'file')} hold an image{named}"

    @property
    def rank(self) -> tuple[bool, float, int, int, int, int, tuple[int, int, str]]:
        """The likeliest first."""
        files = self.candidate.files
        # `prod-eu` is an environment's name, rather than one that is called prod and is in something-eu.
        names = sum(len(env) for _, env in files.values())
        return self.is_own, -self.images, -self.claimed, -len(files), -self.owned, -names, _preference(self.template)


def choose(listing: Listing, envs: Sequence[str], values: str | None) -> Choice:
    """The template that reads most files that hold an image of a service.

    Args:
        envs: the environments as a person lists them; none to tell them by their names.
        values: the template as a person says it; None to find it.

    Raises:
        ConfigError: no template reads any file (`no-layout`), several fit (`ambiguous-layout`), or it is not to be
            told what the environments are (`ambiguous-environments`).
    """
    listed = given(envs)
    known = {env.path for env in listed}
    judged = [] if values else _judged(listing, known)
    best = _best(judged) if judged else None
    template = best.template if best else values
    if template is None:
        raise _nothing(listing, known)
    environments = tuple(listed or by_name(best.candidate.envs if best else _envs(template, listing)))
    _check_names(environments)
    files = _read_by(template, environments, listing.files)
    if not files:
        raise _nothing(listing, known, template)
    unsure = _left_out(listing.files, template, files, environments, asked=bool(listed))
    if best:
        unsure += _others(judged, best, files)
    links = [link for link in listing.links if link.startswith(template.partition("{")[0])]
    if links:
        unsure.append(f"{counted(len(links), 'symbolic link')} not followed, such as {links[0]}")
    return Choice(template, files, environments, best.why if best else "as --values says", tuple(unsure))


def _judged(listing: Listing, known: Collection[str]) -> list[_Judged]:
    """The likeliest templates first."""
    listed = candidates(listing.files, known.__contains__ if known else _is_env, services=True)
    hopes = {one.template: len(listing.hopeful & one.files.keys()) for one in listed}
    listed.sort(key=lambda one: (-hopes[one.template], -len(one.files), _preference(one.template)))
    return sorted((_look(listing, one) for one in listed[:_JUDGED]), key=lambda one: one.rank)


def _look(listing: Listing, candidate: Candidate) -> _Judged:
    sample = sorted(candidate.files)[:: -(-len(candidate.files) // _SAMPLE)]
    found = {path: spots(listing.data(path), candidate.files[path][0]) for path in sample}
    having = sum(map(bool, found.values()))
    owned = sum(any(spot.repository == candidate.files[path][0] for spot in found[path]) for path in sample)
    fault = None
    try:
        Layout({"values": candidate.template, "chart": NOWHERE, "shared": None}, given(sorted(candidate.envs)))
    except LayoutError as error:
        fault = str(error)
    images = having * len(candidate.files) / len(sample)
    own, claimed = (len(some & candidate.files.keys()) for some in (listing.own, listing.claimed))
    return _Judged(candidate, images, own, claimed, owned, fault)


def _best(judged: Sequence[_Judged]) -> _Judged:
    """The likeliest that a layout can have.

    Raises:
        ConfigError: it can have none that reads as much, or another one reads the same files otherwise.
    """
    working = [one for one in judged if one.fault is None]
    first = judged[0]
    if not working or working[0].images < first.images:
        raise ConfigError(
            f"{first.template} fits {counted(len(first.candidate.files), 'file')}, and is no layout: {first.fault}",
            code="no-layout",
            hint="move the files, or say with --values and --env which of them are meant",
            file=min(first.candidate.files),
        )
    best = working[0]
    if not best.claimed:
        # What Argo CD deploys is meant, rather than what lies beside it.
        best = next((one for one in working if one.claimed and 2 * one.images >= best.images), best)
    for other in working:
        if other.owned == best.owned and _differs(best.candidate, other.candidate):
            raise _ambiguous(best, other)
    return best


def _differs(one: Candidate, other: Candidate) -> bool:
    """Whether two templates read the same files, and other services in them."""
    return one.files.keys() == other.files.keys() and any(
        other.files[path][0] != service for path, (service, _) in one.files.items()
    )


def _others(judged: Sequence[_Judged], best: _Judged, files: Collection[str]) -> list[str]:
    """Templates that read further files.

    Raises:
        ConfigError: one reads about as many images.
    """
    taken, unsure = set(files), []
    for one in judged:
        left = one.candidate.files.keys() - taken
        images = one.images * len(left) / len(one.candidate.files)
        if images < 1 or one.is_own:
            continue
        if one.fault is None and 2 * images >= best.images and bool(one.claimed) >= bool(best.claimed):
            raise _ambiguous(best, one)
        unsure.append(f"{one.template} fits {counted(len(left), 'further file')} with images, such as {min(left)}")
        taken |= left
    return unsure


def _ambiguous(one: _Judged, other: _Judged) -> ConfigError:
    def described(judged: _Judged) -> str:
        services = f"with the services {some(judged.candidate.services)}"
        return f"{judged.template} ({counted(len(judged.candidate.files), 'file')}, {services})"

    return ConfigError(
        f"two layouts fit: {described(one)}, and {described(other)}",
        code="ambiguous-layout",
        hint=f"choose one: --values {quote(one.template)} or --values {quote(other.template)}",
        file=min(other.candidate.files),
    )


def _is_env(word: str) -> bool:
    return stage(word) is not None


def _envs(template: str, listing: Listing) -> set[str]:
    """The environments in the files of a template, by their names."""
    for one in candidates(listing.files, _is_env, services=True):
        if one.template == template:
            return one.envs
    reads = reader(template, _ANY_ENV)
    found = {match["env"] for path in listing.files if (match := reads.fullmatch(path))}
    return set(filter(_is_env, found))


def _read_by(template: str, environments: Sequence[Placed], paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The files of a template, each with the service and the environment's name.

    Raises:
        ConfigError: it cannot tell these environments from each other.
    """
    try:
        layout = Layout({"values": template, "chart": NOWHERE}, environments)
    except LayoutError as error:
        hint = "name the environments that are meant with --env, or move the files"
        raise ConfigError(f"{template} is no layout: {error}", code="no-layout", hint=hint) from error
    return {path: match for path in paths if (match := layout.match_values(path))}


def _check_names(environments: Sequence[Environment]) -> None:
    seen: dict[str, str] = {}
    for one in environments:
        for word in {one.name, one.path.casefold()}:
            if seen.setdefault(word, one.path) != one.path:
                raise ConfigError(
                    f"{seen[word]} and {one.path} would be environments of the same name",
                    code="ambiguous-environments",
                    hint=f"name those that are meant, in promotion order: --env {one.name}={one.path}",
                )


def _left_out(
    paths: Sequence[str],
    template: str,
    files: Mapping[str, tuple[str, str]],
    environments: Sequence[Environment],
    *,
    asked: bool,
) -> list[str]:
    """Files that would fit but for a name.

    Raises:
        ConfigError: an environment whose place in the order no name tells has about as many services as the others.
    """
    reads = reader(template, _ANY_ENV, r"[^/]+")
    services = {service for service, _ in files.values()}
    unknown: dict[str, list[str]] = {}
    odd = []
    for path in paths:
        match = reads.fullmatch(path) if path not in files else None
        if match and match["service"] in services:
            unknown.setdefault(match["env"], []).append(path)
        elif match and not _LABEL.fullmatch(match["service"]) and stage(match["env"]):
            odd.append(path)
    for env, fitting in unknown.items():
        if not asked and env not in _NO_ENVIRONMENT and not is_word(env) and 2 * len(fitting) >= len(services):
            named = " ".join(f"--env {one}" for one in (*(known.path for known in environments), env))
            raise ConfigError(
                f"{env} may be an environment: {counted(len(fitting), 'service')} have values in it. Its name does not "
                "tell where it stands in promotion order",
                code="ambiguous-environments",
                hint=f"name those that are meant, in promotion order: {named}",
                file=fitting[0],
            )
    unsure = [
        f"{env} is taken for no environment: {counted(len(fitting), 'file')}, such as {fitting[0]}"
        for env, fitting in unknown.items()
    ]
    if odd:
        unsure.append(f"{counted(len(odd), 'file')} would fit, but the service's name is no DNS label: {odd[0]}")
    return unsure


def _nothing(listing: Listing, known: Collection[str], template: str | None = None) -> ConfigError:
    what = f"no file is at {template}" if template else "no file looks like a service's values"
    where = f"with {some(known)} in its path" if known else "with the name of an environment in its path"
    there = f"there are {counted(len(listing.files), 'YAML file')}"
    return ConfigError(
        f"{what}, {where}; {there}" + (f", such as {some(listing.files)}" if listing.files else ""),
        code="no-layout",
        hint="each service has a values file for each environment: say where they are, and the environments in "
        "promotion order: --values 'apps/{service}/{env}.yaml' --env dev --env prod; "
        "gitops-tk init starts an empty repository",
    )


def _preference(template: str) -> tuple[int, int, str]:
    """Which of templates that read equally much is likelier: by the file's name, then by what varies in it."""
    name = template.rpartition("/")[2]
    named = ("values", "release", "kustomization")
    rank = next((at for at, word in enumerate(named) if word in name), len(named))
    return 0 if name.startswith(("{env}.", "{service}.")) else rank, -template.count("{"), template
