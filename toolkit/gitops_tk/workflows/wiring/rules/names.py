"""Names: their length and their form, and that none is there twice."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gitops_tk.argocd.generate import Application
from gitops_tk.model.names import DNS_LABEL
from gitops_tk.workflows.wiring.rules.model import Fault, Wiring

_RELEASE = 53
_LABEL = 63
_NAME = re.compile(rf"{DNS_LABEL}(?:\.{DNS_LABEL})*")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def names(wiring: Wiring, one: Application) -> Iterator[Fault]:
    """What Argo CD, Helm or Kubernetes would refuse an Application for (`argocd-name`)."""
    release, namespace = one.helm.get("releaseName"), one.destination.get("namespace")
    named: list[tuple[str, Any, int, re.Pattern[str]]] = [
        ("the Application's name", one.name, _LABEL, _NAME),
        ("the release's name", release, _RELEASE, _NAME),
        ("the namespace", namespace, _LABEL, re.compile(DNS_LABEL)),
        *(
            (f"the label {key}", value, _LABEL, _LABEL_VALUE)
            for key, value in (one.metadata.get("labels") or {}).items()
        ),
    ]
    for what, text, longest, form in named:
        if len(str(text)) > longest:
            message = f"{what} {text} has {len(str(text))} characters, and {longest} is the most"
            yield wiring.fault("argocd-name", one, message)
        elif text is None or not form.fullmatch(str(text)):
            yield wiring.fault("argocd-name", one, f"{what} {text!r} is not well formed")


def later(wiring: Wiring, service: str, env: str) -> Iterator[Fault]:
    """The names that would not fit once an image is set (`argocd-name`)."""
    path = wiring.config.layout.values_path(service, wiring.config.environment(env))
    for what, text, longest in (
        ("the Application's name", wiring.argocd.name_of(service, env), _LABEL),
        ("the release's name", service, _RELEASE),
        ("the namespace", wiring.argocd.namespace_of(service, env), _LABEL),
    ):
        if len(text) > longest:
            message = f"{service} in {env}: {what} {text} would have {len(text)} characters, and {longest} is the most"
            yield Fault("argocd-name", message, path, service, env)


def duplicates(wiring: Wiring) -> Iterator[Fault]:
    """Applications of one name, and releases in one place (`argocd-duplicate`)."""
    found = wiring.found.applications
    names = Counter(one.name for one in found)
    places = Counter(map(_release_place, found))
    for one in found:
        if names[one.name] > 1:
            yield wiring.fault("argocd-duplicate", one, "there is another Application of this name")
        elif places[_release_place(one)] > 1:
            release, _, namespace = _release_place(one)
            message = f"another Application has a release {release} in the namespace {namespace} of this cluster"
            yield wiring.fault("argocd-duplicate", one, message)


def _release_place(one: Application) -> tuple[str, str, str]:
    destination = one.destination
    cluster = destination.get("server") or destination.get("name")
    return str(one.helm.get("releaseName")), str(cluster), str(destination.get("namespace"))
