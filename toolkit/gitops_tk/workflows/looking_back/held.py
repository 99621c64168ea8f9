"""An image that an environment has held before, found in history by what the files held."""

from msgspec import Struct

from gitops_tk.model.image import Image
from gitops_tk.values.document import Document
from gitops_tk.workflows.looking_back.timeline import timelines
from gitops_tk.workflows.views import Views


class Held(Struct, frozen=True):
    """An image, and the time when it was there last.

    Attributes:
        commit: the last commit at which it was there.
        own: the service's own values, as they could be read last.
    """

    image: Image
    commit: str
    own: Document


def held_image(views: Views, service: str, env: str, name: str, tag: str) -> Held | None:
    """The newest image with this tag that a service held in an environment, or None.

    Args:
        name: which of the service's images.
    """
    states = timelines(views, [(service, env)])[service, env]
    for newer, state in zip([None, *states], states, strict=False):
        image = state.images.get(name)
        if image is not None and image.tag == tag and state.merged is not None:
            commit = newer.version.parent if newer else views.history.commits()[0].oid
            return Held(image, commit or state.version.commit, state.merged.own)
    return None
