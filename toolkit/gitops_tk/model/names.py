"""Names from outside, checked before anything uses them: they become paths, refs and YAML.

Sources: DNS labels (RFC 1123 §2.1), image tags and digests (OCI distribution specification, "Pulling manifests"; OCI
image specification, "Digests"), versions of charts (Semantic Versioning 2.0.0), branch names
(git-check-ref-format(1)).
"""

import re

from gitops_tk.errors import UsageError

# A DNS label (RFC 1123, as Kubernetes reads it).
DNS_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# All three numbers: fewer are a range to some readers. A `v` before them is taken as part of the version.
_CHART_VERSION = re.compile(
    r"v?(?:0|[1-9][0-9]{0,17})(?:\.(?:0|[1-9][0-9]{0,17})){2}"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_REVISION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,199}")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[-/.]|[/.]$")


def service(name: str) -> str:
    """Returns the service name if it is a DNS label (RFC 1123, at most 63 characters).

    Raises:
        UsageError: the name could not be a Kubernetes object's name, or would climb out of its folder.
    """
    return _label(name, "service", "bad-service-name")


def environment(name: str) -> str:
    """Returns the environment name if it is a DNS label.

    Raises:
        UsageError: it is not one.
    """
    return _label(name, "environment", "bad-environment-name")


def namespace(name: str) -> str:
    """Returns the namespace's name if it is a DNS label.

    Raises:
        UsageError: it is not one.
    """
    return _label(name, "namespace", "bad-namespace")


def _label(name: str, what: str, code: str) -> str:
    if not re.fullmatch(DNS_LABEL, name):
        raise UsageError(
            f"{name!r} is not a valid {what} name",
            code=code,
            hint="use lower-case letters, digits and dashes, at most 63, not starting or ending with a dash",
        )
    return name


def tag(text: str) -> str:
    """Returns the image tag if a registry would take it.

    Raises:
        UsageError: it is not a valid tag.
    """
    if not _TAG.fullmatch(text):
        raise UsageError(
            f"{text!r} is not a valid image tag",
            code="bad-tag",
            hint="a tag is at most 128 letters, digits, '_', '.' and '-', and does not start with '.' or '-'",
        )
    return text


def digest(text: str) -> str:
    """Returns the image digest if it is `sha256:` and 64 lower-case hex digits.

    Raises:
        UsageError: it is not.
    """
    if not _DIGEST.fullmatch(text):
        raise UsageError(
            f"{text!r} is not a valid image digest",
            code="bad-digest",
            hint="a digest is sha256: followed by 64 lower-case hex digits",
        )
    return text


def chart_version(text: str) -> str:
    """Returns the chart's version if it is one exact version, which every reader takes for the same chart.

    Raises:
        UsageError: it is a range, a word such as `latest`, or no version at all.
    """
    if not is_chart_version(text):
        raise UsageError(
            f"{text[:80]!r} is not the exact version of a chart",
            code="bad-chart-version",
            hint="write all three numbers, such as 1.4.2 or 1.4.2-rc.1, and no range",
        )
    return text


def is_chart_version(value: object) -> bool:
    """Whether a value is the exact version of a chart; see `chart_version`."""
    return isinstance(value, str) and len(value) <= 128 and _CHART_VERSION.fullmatch(value) is not None


def revision(text: str) -> str:
    """Returns the source revision if it looks like a commit id or a tag name.

    Raises:
        UsageError: it holds spaces, control characters, or starts with a dash.
    """
    if not _REVISION.fullmatch(text):
        raise UsageError(
            f"{text!r} is not a valid source revision",
            code="bad-revision",
            hint="give the source commit's id",
        )
    return text


def branch(name: str) -> str:
    """Returns the branch name if git would take it and it cannot be read as an option.

    Raises:
        UsageError: git-check-ref-format(1) would refuse it.
    """
    if not name or _BAD_IN_REF.search(name) or name == "@":
        raise UsageError(
            f"{name!r} is not a valid branch name",
            code="bad-branch",
            hint="see git help check-ref-format for what a branch may be called",
        )
    return name.removeprefix("refs/heads/")
