"""An image as one thing: tag, digest, build and revision together (CONTRACT: "An image is one thing")."""

from msgspec import Struct


class Image(Struct, frozen=True, kw_only=True):
    """A container image's identity, without its repository.

    Attributes:
        tag: the image tag; empty when there is none.
        digest: `sha256:` and 64 hex digits, or empty. It wins over the tag.
        build: the build's number, or None.
        revision: the source commit, or empty.
    """

    tag: str = ""
    digest: str = ""
    build: int | None = None
    revision: str = ""

    @property
    def version(self) -> str:
        """What people call this image: its tag, else a shortened digest."""
        return self.tag or self.digest[:19]
