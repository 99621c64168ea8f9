"""Layout templates read out of paths: `apps/web/dev/values.yaml` may be `apps/{service}/{env}/values.yaml`.

Every path is read in every way that it can be; the template that reads most files is what was meant.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from msgspec import Struct

from gitops_tk.model.names import DNS_LABEL
from gitops_tk.workflows.adopting.environments import is_region

ENDING = re.compile(r"\.ya?ml\Z")
_SPLIT = re.compile(r"([._-])")
_SERVICE = re.compile(DNS_LABEL)
# Words that say what a file or a folder is: no service is looked for in them.
_WORD = re.compile(
    r"apps?|applications?|app(lication)?sets?|argo-?cd|bases?|charts?|ci|clusters?|common|components?|conf|configs?"
    r"|configmaps?|configuration|defaults?|deploy|deployments?|docs?|envs?|environments?|files?|flux(-system)?|gitops"
    r"|global|helm|helm-?values|helm-?releases?|hpa|images?|infra|infrastructure|ingress|k8s|kubernetes|kustomization"
    r"|kustomize|main|manifests|namespaces?|overlays?|overrides?|patch|patches|pdb|projects?|releases?|resources"
    r"|secrets?|service|services|service-?accounts?|shared|src|stacks?|stages|templates?|tenants|tests|values?|vars"
    r"|versions?|workloads?"
)
# Words that stand beside a service's name, as in `values-web.yaml`; of the others nobody knows whether they do.
_VALUES = re.compile(r"values?")
_BESIDE = re.compile(
    r"charts?|conf|config|deployment|helm|helm-?release|images?|kustomization|manifest|release|values?"
)
# So often an environment is looked for in one path.
_MOST_SPOTS = 4


class Candidate(Struct, frozen=True):
    """A template with all that it reads.

    Attributes:
        files: what is read, by path: the service, empty where the template has none, and the environment's path.
    """

    template: str
    files: dict[str, tuple[str, str]]

    @property
    def services(self) -> set[str]:
        """The services that it reads."""
        return {service for service, _ in self.files.values()}

    @property
    def envs(self) -> set[str]:
        """What `{env}` is in its files."""
        return {env for _, env in self.files.values()}


def candidates(paths: Iterable[str], is_env: Callable[[str], bool], *, services: bool) -> list[Candidate]:
    """All templates that read any of these paths.

    Args:
        is_env: whether a part of a path is an environment.
        services: those with a service in them, or those without.
    """
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for path in paths:
        for template, service, env in _readings(path, is_env, services=services):
            found.setdefault(template, {}).setdefault(path, (service, env))
    return [Candidate(template, files) for template, files in found.items()]


def reader(template: str, env: str, service: str = DNS_LABEL) -> re.Pattern[str]:
    """What reads paths by a template, as layouts do, with the groups `service` and `env`.

    Args:
        env: the pattern of what `{env}` may be.
        service: the pattern of what `{service}` may be.
    """
    seen: set[str] = set()
    parts = []
    for at, part in enumerate(re.split(r"\{(service|env)\}", template)):
        if at % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>{env if part == 'env' else service})")
            seen.add(part)
    return re.compile("".join(parts))


def is_word(text: str) -> bool:
    """Whether a name says what something is, rather than whose it is."""
    return bool(_WORD.fullmatch(text))


def stripped(text: str, words: re.Pattern[str] = _BESIDE) -> str:
    """A name without the words around it that say what it is: `web` of `web-chart`."""
    parts = _SPLIT.split(text)
    while len(parts) > 2 and words.fullmatch(parts[0]):
        parts = parts[2:]
    while len(parts) > 2 and words.fullmatch(parts[-1]):
        parts = parts[:-2]
    return "".join(parts)


def with_service(segment: str, service: str) -> str:
    """A part of a path with the placeholder where the service's name stands as a whole word."""
    parts: list[str] = []
    rest, before = segment, ""
    while True:
        head, found, tail = rest.partition(service)
        if not found:
            return "".join((*parts, rest))
        whole = not (head[-1:] or before).isalnum() and not tail[:1].isalnum()
        parts += [head, "{service}" if whole else found]
        rest, before = tail, found[-1]


def _readings(path: str, is_env: Callable[[str], bool], *, services: bool) -> Iterator[tuple[str, str, str]]:
    """Every way to read a path with one environment in it, and one service or none: template, service, environment."""
    segments = path.split("/")
    ending = ENDING.search(segments[-1])
    if ending is None or "{" in path or "}" in path:
        return
    segments[-1] = segments[-1][: ending.start()]
    # The longest first: `web-prod-eu` is web's in prod-eu, rather than a service of prod.
    for env, spots in sorted(_spots(segments, is_env).items(), key=lambda one: -len(one[0])):
        likely = spots[:_MOST_SPOTS]
        for size in range(1, len(likely) + 1):
            for chosen in combinations(likely, size):
                marked = _marked(segments, chosen)
                found = _services(marked) if services else [("/".join(marked), "")]
                for template, service in found:
                    yield template + ending[0], service, env


def _spots(segments: list[str], is_env: Callable[[str], bool]) -> dict[str, list[tuple[int, int, int]]]:
    """Where an environment's name is in a path: the segment, and from which part of it to which."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for at, segment in enumerate(segments):
        parts = _SPLIT.split(segment)
        for start in range(0, len(parts), 2):
            for end in range(start + 1, min(start + 6, len(parts)) + 1, 2):
                word = "".join(parts[start:end])
                if word and is_env(word):
                    found.setdefault(word, []).append((at, start, end))
    return found


def _marked(segments: list[str], chosen: Iterable[tuple[int, int, int]]) -> list[str]:
    marked = list(segments)
    for at, start, end in sorted(chosen, reverse=True):
        parts = _SPLIT.split(marked[at])
        marked[at] = "".join((*parts[:start], "{env}", *parts[end:]))
    return marked


def _services(marked: list[str]) -> Iterator[tuple[str, str]]:
    """The templates that a path may stand for with a service in it, each with the service.

    A service is a segment, or what is left of one beside the environment and the words that say what it is.
    """
    seen: set[str] = set()
    for segment in marked:
        for text in re.split(r"[._-]?\{env\}[._-]?", segment):
            for word in (stripped(text, _VALUES), stripped(text)):
                if word in seen or is_word(word) or not _SERVICE.fullmatch(word):
                    continue
                if text != segment and is_region(word):
                    # `prod-eu` is an environment, and eu no service.
                    continue
                seen.add(word)
                filled = [with_service(one, word) for one in marked]
                yield "/".join(filled), word
                places = [at for at, one in enumerate(filled) if one != marked[at]]
                # The same word may be there for another reason: `shop/shop/dev.yaml` beside `shop/web/dev.yaml`.
                for at in places if len(places) > 1 else ():
                    yield "/".join((*marked[:at], filled[at], *marked[at + 1 :])), word
