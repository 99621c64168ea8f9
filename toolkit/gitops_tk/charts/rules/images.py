"""Rules of images."""

import re
from collections.abc import Iterator

from gitops_tk.charts.rules.model import Fault, in_container, rule
from gitops_tk.charts.rules.objects import Objects, text

# Source: the package distribution/reference, which Kubernetes and containerd read images with.
_DOMAIN = (
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:{_DOMAIN}(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?P<digest>@[a-z0-9]+:[0-9a-f]{32,})?"
)


@rule(
    "image-reference",
    "error",
    summary="Images are well-formed references",
    reason="The pod waits for ever: InvalidImageName. A value that is missing leaves a ':' or a '/' alone.",
    source="https://kubernetes.io/docs/concepts/containers/images/#image-names",
    fix="look at image.repository, image.tag and image.digest in the merged values",
)
def image_reference(objects: Objects) -> Iterator[Fault]:
    """Images that are no references."""
    for container in objects.containers:
        image = container.data.get("image")
        if isinstance(image, str) and not _REFERENCE.fullmatch(image):
            yield in_container(container, ("image",), f"{image!r} is no reference of an image")


@rule(
    "image-latest",
    "error",
    summary="Images have a tag other than latest, or a digest",
    reason="Nobody knows what runs, a rollback brings nothing back, and two pods may run different builds.",
    source="https://kubernetes.io/docs/concepts/containers/images/#image-names",
    fix="set a version: gitops-tk bump SERVICE -e ENV --tag VERSION",
)
def image_latest(objects: Objects) -> Iterator[Fault]:
    """Images that do not say what runs."""
    for container in objects.containers:
        image = text(container.data.get("image"))
        match = _REFERENCE.fullmatch(image)
        if match and not match["digest"] and match["tag"] in (None, "latest"):
            said = "the tag latest" if match["tag"] else "no tag"
            yield in_container(container, ("image",), f"{image} has {said}")
