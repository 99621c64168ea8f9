"""An image that an environment has held before, found in history by what the files held."""

from msgspec import Struct

from gitops_tk.config.model import ImageKeys
from gitops_tk.model.image import Image
from gitops_tk.values.document import Document
from gitops_tk.values.image import read_image
from gitops_tk.values.merge import merge
from gitops_tk.workflows.layers import Layers
from gitops_tk.workflows.views import Views


class Held(Struct, frozen=True):
    """An image, and a commit at which it was there."""

    image: Image
    commit: str


def held_image(views: Views, layers: Layers, keys: ImageKeys, tag: str) -> Held | None:
    """The newest image with this tag that the service held in the environment, or None.

    Args:
        layers: the service's layers in the environment; their paths are what history is asked for.
    """
    for version in views.history(layers.paths, places=[f"{layers.env}/{layers.service}"]):
        chart, *files = [
            Document.read(version.files[path], path) if path in version.files else None for path in layers.paths
        ]
        image = read_image(merge([one for one in files if one], chart), keys)
        if image is not None and image.tag == tag:
            return Held(image, version.commit)
    return None
