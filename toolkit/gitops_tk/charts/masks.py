"""Masks: a secret gives way to a mark that tells equal from different, and nothing else.

The marks are keyed fingerprints (HMAC-SHA-256) under a key that is never kept: what is made from two sides under one
mask can be compared, and nothing can be tried out on it.
"""

import hmac
import os
import re
from collections.abc import Mapping
from typing import Any

from gitops_tk.charts.secrecy import FORMS, is_secret_group, looks_secret
from gitops_tk.model.evidence import HIDDEN

# Private use: no chart has reason to render these.
_MARK = re.compile("\ue000[0-9a-f]{16}\ue001")
_OPEN, _CLOSE = "\ue000", "\ue001"
_NOTHING = ("", "true", "false", "null", "~", "{}", "[]")
# What something else fills in later: a variable, Argo CD's vault plugin, vals.
_FILLED_IN = re.compile(r"\$\([A-Za-z0-9_.-]+\)|\$\{[A-Za-z0-9_.]+\}|<path:[^<>\s]+>|ref\+\w+://\S+")
# What names the place of a secret, below a key that looks like one.
_PLACES = frozenset(
    (
        *("name", "key", "secretName", "secretKey", "namespace", "property", "path", "optional", "kind", "apiVersion"),
        *(
            "items",
            "defaultMode",
            "mode",
            "mountPath",
            "subPath",
            "expirationSeconds",
            "audience",
            "version",
            "engineVersion",
            "fieldPath",
        ),
    )
)
# Kinds in which `secretKey` is the name of a key.
_NAMING_KINDS = ("ExternalSecret", "ClusterExternalSecret", "PushSecret")
_ENCRYPTED = {"SealedSecret": "encryptedData"}
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_FLAG = re.compile(r"(--?[A-Za-z][\w.-]*)=(.+)", re.DOTALL)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*:)([^\s/@]+)(?=@)")
_HEADER = re.compile(r"(?i)(?<=\bauthorization)(\W{1,4}(?:bearer|basic|token|digest)\s+)([^\s\"']+)")
_WEBHOOK = re.compile(r"(?<=hooks\.slack\.com/services/)\S+|(?<=webhook\.office\.com/)\S+")
# A name and what stands between it and its value.
_SETTING = re.compile(
    r"(?P<start>^[ \t]*(?:-[ \t]+|export[ \t]+)?)?[\"']?(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,100})"
    # A colon alone is what stands in `registry/token-service:v2` as well.
    r"(?:[\"'][ \t]*:|[\"']?[ \t]*(?:=|:(?=[\s\"']|\Z)))[ \t]*",
    re.MULTILINE,
)
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_LINE = re.compile(r"[^\n]*")
_ELEMENT = re.compile(r"(<(?P<name>[A-Za-z_][\w.-]{0,100})>)([^<]+)(?=</)")
# A text without any of these has nothing to mask.
_SUSPICIOUS = re.compile(r"[:=<\s]|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|AIza|eyJ")
_REST = re.compile(r"[^\s,;&\"'}\])]*")


class Mask:
    """Masks what looks secret; two sides that are compared need the same one.

    Args:
        key: what the fingerprints are made with; None for one of its own.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(32)

    def mark(self, value: Any) -> str:
        """The mark of a secret."""
        digest = hmac.digest(self._key, f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass"), "sha256")
        return f"{_OPEN}{digest.hex()[:16]}{_CLOSE}"

    def object(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A Kubernetes object, masked: the content of a Secret, and what looks like a secret anywhere."""
        kind = data.get("kind")
        masked = self._map(data, secret=False, naming=kind in _NAMING_KINDS)
        if kind == "Secret":
            for part in ("data", "stringData"):
                if isinstance(data.get(part), dict):
                    masked[part] = {key: self._leaves(value) for key, value in data[part].items()}
                elif data.get(part):
                    masked[part] = self.mark(data[part])
        sealed = _ENCRYPTED.get(str(kind))
        spec = data.get("spec")
        if sealed and isinstance(spec, dict) and sealed in spec:
            masked["spec"][sealed] = self._leaves(spec[sealed])
        annotations = data["metadata"].get("annotations") if isinstance(data.get("metadata"), dict) else None
        if isinstance(annotations, dict) and _APPLIED in annotations:
            masked["metadata"]["annotations"][_APPLIED] = self.mark(annotations[_APPLIED])
        return masked

    def value(self, name: str, value: Any) -> Any:
        """A value under a key of a values file, masked."""
        return self._value(name, value, secret=False, naming=False)

    def text(self, text: str) -> str:
        """A text, with what looks secret in it masked: settings by their names, and what has the form of a secret."""
        if not _SUSPICIOUS.search(text):
            return text
        text = _PRIVATE_KEY.sub(lambda found: self.mark(found[0]), text)
        text = _URL_PASSWORD.sub(lambda found: found[1] + self.mark(found[2]), text)
        text = _HEADER.sub(lambda found: found[1] + self.mark(found[2]), text)
        text = _WEBHOOK.sub(lambda found: self.mark(found[0]), text)
        for what, form in FORMS.items():
            if what not in ("a private key", "a URL with a password"):
                text = form.sub(lambda found: self.mark(found[0]), text)
        text = _ELEMENT.sub(lambda found: found[1] + self._if_secret(found["name"], found[3]), text)
        return self._settings(text)

    def _map(self, data: Mapping[str, Any], *, secret: bool, naming: bool) -> dict[str, Any]:
        masked = {
            key: self._value(key, value, secret=secret and key not in _PLACES, naming=naming)
            for key, value in data.items()
        }
        name = data.get("name", data.get("key"))
        if "value" in data and isinstance(name, str) and looks_secret(name):
            masked["value"] = self._leaves(data["value"])
        return masked

    def _value(self, name: str, value: Any, *, secret: bool, naming: bool) -> Any:
        named = not (naming and name == "secretKey")
        group = secret or (named and is_secret_group(name))
        if isinstance(value, dict):
            return self._map(value, secret=group, naming=naming)
        if isinstance(value, list):
            return self._list(value, secret=group, naming=naming)
        if secret or (named and looks_secret(name)):
            return self._leaves(value)
        return self.text(value) if isinstance(value, str) else value

    def _list(self, items: list[Any], *, secret: bool, naming: bool) -> list[Any]:
        masked = [self._value("", one, secret=secret, naming=naming) for one in items]
        for at, one in enumerate(items):
            if not isinstance(one, str):
                continue
            flag = _FLAG.fullmatch(one)
            if flag and looks_secret(flag[1].lstrip("-")):
                masked[at] = f"{flag[1]}={self.mark(flag[2])}"
            elif one.startswith("-") and looks_secret(one.lstrip("-")) and at + 1 < len(items):
                following = items[at + 1]
                if isinstance(following, str) and not following.startswith("-"):
                    masked[at + 1] = self.mark(following)
        return masked

    def _leaves(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._leaves(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._leaves(one) for one in value]
        return value if value is None or isinstance(value, bool) or _says_nothing(str(value)) else self.mark(value)

    def _if_secret(self, name: str, value: str) -> str:
        known = _says_nothing(value.strip().strip("\"'")) or _MARK.search(value)
        return value if known or not looks_secret(name) else self.mark(value)

    def _settings(self, text: str) -> str:
        if not any(sign in text for sign in ":="):
            return text
        masked: list[str] = []
        at = 0
        while found := _SETTING.search(text, at):
            masked.append(text[at : found.end()])
            at = found.end()
            if looks_secret(found["name"]):
                value = _value_at(text, at, found["start"])
                masked.append(self._if_secret(found["name"], value))
                at += len(value)
        return "".join(masked) + text[at:]


def _value_at(text: str, at: int, start: str | None) -> str:
    """The value of a setting that begins at a position.

    Args:
        start: what the setting's line begins with; None where the setting is in the middle of one.
    """
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        return quoted[0]
    # In the middle of a line a value ends where the next one could begin.
    found = (_LINE if start is not None else _REST).match(text, at)
    value = found[0] if found else ""
    if start is not None and value.strip() in ("|", ">", "|-", ">-", "|+", ">+", ""):
        return value + _indented(text, at + len(value), len(start))
    return value


def revealed(value: Any) -> Any:
    """What stands for masked data on a page: a word in place of each mark."""
    if isinstance(value, str):
        return _MARK.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {revealed(key): revealed(one) for key, one in value.items()}
    return [revealed(one) for one in value] if isinstance(value, list) else value


def is_marked(value: Any) -> bool:
    """Whether a value is a mark, or a text with one in it."""
    return isinstance(value, str) and bool(_MARK.search(value))


def secrets(value: Any, name: str = "") -> set[str]:
    """The texts that a mask hides in values, to be taken out of what others say about them."""
    found: set[str] = set()
    _gather(name, value, is_secret_group(name), found)
    return found


def _gather(name: str, value: Any, secret: bool, found: set[str]) -> None:
    if isinstance(value, dict):
        labelled = isinstance(value.get("name"), str) and looks_secret(value["name"])
        for key, one in value.items():
            hidden = (secret and key not in _PLACES) or is_secret_group(str(key)) or (labelled and key == "value")
            _gather(str(key), one, hidden, found)
    elif isinstance(value, list):
        for one in value:
            _gather("", one, secret, found)
    elif (secret or looks_secret(name)) and value is not None and not isinstance(value, bool) and len(str(value)) > 3:
        found.add(str(value))


def _says_nothing(text: str) -> bool:
    return text.strip().lower() in _NOTHING or bool(_FILLED_IN.fullmatch(text.strip()))


def _indented(text: str, start: int, indent: int) -> str:
    """The lines from a position on that are indented deeper."""
    end = start
    while end < len(text):
        newline = text.find("\n", end + 1)
        line = text[end + 1 : newline if newline >= 0 else len(text)]
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        end = newline if newline >= 0 else len(text)
    return text[start:end]
