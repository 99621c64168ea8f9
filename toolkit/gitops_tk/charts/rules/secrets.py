"""Rules of secrets: what a chart renders stands in Git, in plain text."""

import re
from collections.abc import Iterator

from gitops_tk.charts.rules.model import Fault, in_container, rule
from gitops_tk.charts.rules.objects import Objects, mapping, text
from gitops_tk.charts.secrecy import FORMS, has_secret_form, has_secret_name

_GOOD = "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"
# What another tool fills in at deployment: Argo CD's vault plugin (<path:...>, <name>) and vals (ref+...).
_FILLED_IN = re.compile(r"<[^<>]+>|ref\+\S+|\$\([A-Za-z0-9_.-]+\)|\$\{[^{}]+\}")
# A file, a switch or nothing is no secret, whatever its variable is called.
_NO_SECRET = re.compile(r"(?:/[\w.-]+)+/?|true|false|\s*", re.IGNORECASE)


@rule(
    "secret-plain",
    "error",
    summary="The chart renders no Secret with content",
    reason="Base64 hides nothing: whoever reads the repository, now or its history later, has the secret.",
    source=f"{_GOOD}#secret-management-practices",
    fix="use an ExternalSecret or SealedSecret, or name a Secret that exists already",
)
def secret_plain(objects: Objects) -> Iterator[Fault]:
    """Secrets whose content comes from the repository."""
    for one in objects.of("Secret"):
        for part in ("data", "stringData"):
            for key, value in mapping(one.data.get(part)).items():
                if text(value).strip() and not _FILLED_IN.fullmatch(text(value).strip()):
                    yield Fault(one, (part, str(key)), f"{key} has content, which stands in the repository")


@rule(
    "secret-variable",
    "error",
    summary="No variable or setting that is named like a secret has a plain value",
    reason="It stands in the repository, in the Deployment that everybody may read, and in every description of a pod.",
    source=f"{_GOOD}#configure-access-to-external-secrets",
    fix="mount a Secret as a file, or read the variable from it (valueFrom.secretKeyRef)",
)
def secret_variable(objects: Objects) -> Iterator[Fault]:
    """Variables and settings that hold a secret by their names."""
    for container in objects.containers:
        for at, variable in container.env:
            if _is_secret(text(variable.get("name")), variable.get("value")):
                yield in_container(container, ("env", at, "value"), f"{variable['name']} has a plain value")
    for one in objects.of("ConfigMap"):
        for key, value in mapping(one.data.get("data")).items():
            if _is_secret(str(key), value):
                yield Fault(one, ("data", str(key)), f"{key} has a plain value")


@rule(
    "secret-form",
    "error",
    summary="Nothing that is rendered has the form of a secret: a private key, a token, a URL with a password",
    reason="It stands in the repository: take it for stolen, and replace it.",
    source="https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns",
    fix="revoke it, and read the new one from a Secret",
)
def secret_form(objects: Objects) -> Iterator[Fault]:
    """Strings in the form of secrets, anywhere but in Secrets."""
    for one in objects.items:
        strings = [(path, value) for path, value in one.leaves if isinstance(value, str)]
        for path, value in strings if one.kind != "Secret" else ():
            for what, form in FORMS.items():
                if form.search(value):
                    yield Fault(one, path, f"{'.'.join(str(part) for part in path)} holds {what}")


def _is_secret(name: str, value: object) -> bool:
    if not has_secret_name(name) or not isinstance(value, str):
        return False
    known = _FILLED_IN.fullmatch(value) or _NO_SECRET.fullmatch(value)
    # A secret in a known form is told by the other rule.
    return not known and not has_secret_form(value)
