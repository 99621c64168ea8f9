"""What looks like a secret: by its name, and by its form.

An error has to be sure, a mask has to be safe: `has_secret_name` is for rules, and `looks_secret`, which takes in all
that and more, for what is shown to people.
"""

import re
from functools import lru_cache

_NAME = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|"
    r"private[_-]?key|credentials?)$",
    re.IGNORECASE,
)
# Forms that their issuers gave to secrets so that they can be found.
FORMS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "a Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    "a URL with a password": re.compile(r"\b[a-z][a-z0-9+.-]{1,30}://[^\s/:@$<{]+:[^\s/@$<{]+@[\w.\[-]"),
}

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_ENDINGS = (
    *("password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "token", "tokens"),
    *("apikey", "apikeys", "credential", "credentials", "creds", "dsn", "connectionstring", "privatekey"),
)
_KEYS = frozenset(
    (
        *("api", "access", "secret", "private", "ssh", "tls", "signing", "encryption", "master", "auth", "service"),
        *("account", "shared", "session", "hmac", "cookie", "license", "jwt", "app", "client", "storage"),
    )
)
# A name that ends in one of these tells where a secret is, or something about it, and not the secret.
_ABOUT = frozenset(
    (
        *("name", "names", "ref", "refs", "file", "files", "path", "paths", "dir", "directory", "ttl", "expiry"),
        *("expires", "expiration", "lifetime", "duration", "timeout", "enabled", "disabled", "required", "optional"),
        *("type", "kind", "length", "size", "count", "limit", "limits", "url", "uri", "endpoint", "issuer", "audience"),
        *("provider", "store", "policy", "mode", "mount", "version", "format", "header", "algorithm", "template"),
        *("interval", "namespace", "annotations", "labels", "class", "seconds"),
    )
)
_ENDINGS_OF_FILES = frozenset(("yaml", "yml", "json", "properties", "conf", "toml", "ini", "xml", "txt", "env", "cfg"))
_NEVER = frozenset(("imagepullsecrets", "pullsecrets"))


def has_secret_name(name: str) -> bool:
    """Whether a variable or a setting of this name surely holds a secret."""
    return bool(_NAME.search(name))


def has_secret_form(text: str) -> bool:
    """Whether a text holds something that its issuer made recognisable as a secret."""
    return any(form.search(text) for form in FORMS.values())


@lru_cache(maxsize=4096)
def looks_secret(name: str) -> bool:
    """Whether the text or the number of this name may be a secret; better one too many than one shown."""
    if is_secret_group(name):
        return True
    words = _words(name)
    if not words or words[-1] in _ABOUT or words[-1] in _ENDINGS_OF_FILES or words[0] in ("max", "min"):
        return False
    return any(_names_secret(words[: end + 1]) for end in range(len(words))) and "".join(words) not in _NEVER


@lru_cache(maxsize=4096)
def is_secret_group(name: str) -> bool:
    """Whether all below this name may be secret, not only a text: `secrets` is, and `token-service` is not."""
    if has_secret_name(name):
        return True
    words = _words(name)
    if words and words[-1] in _ENDINGS_OF_FILES:
        del words[-1]
    if not words or words[0] in ("max", "min") or "".join(words) in _NEVER:
        return False
    return _names_secret(words) or words[-1] == "pass"


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _names_secret(words: list[str]) -> bool:
    """Whether words end in what names a secret."""
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    return (
        last.endswith(_SECRET_ENDINGS)
        or (last in ("key", "keys") and before in _KEYS)
        or (before, last) == ("connection", "string")
    )
