"""Every feature of the chart that can be switched: how, and what the objects then show."""

from tests.support.features import besides, network, pods, settings
from tests.support.features.model import DIGEST, Feature, Values, together

__all__ = ["DIGEST", "FEATURES", "Feature", "Values", "of_profile", "together"]

FEATURES = (
    *pods.IMAGE,
    *pods.IDENTITY,
    *pods.ROLLOUT,
    *network.NETWORKING,
    *settings.CONFIGURATION,
    *settings.RESOURCES,
    *besides.RIGHTS,
    *besides.BESIDES,
    *pods.CRON,
)


def of_profile(profile: str) -> list[Feature]:
    """The features that a profile has."""
    names = {one.name for one in FEATURES if profile in one.profiles}
    return [one for one in FEATURES if one.name in names]
