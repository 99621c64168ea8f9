"""Each feature of the chart, on and off, alone and with every other: rendered, valid, and shown by the objects."""

import pytest
from tests.support import charts, pairs
from tests.support.charts import PROFILES
from tests.support.features import FEATURES, Feature, of_profile

_EACH = [(profile, feature) for profile in PROFILES for feature in of_profile(profile)]
_IDS = [f"{feature.name}-{profile}" for profile, feature in _EACH]


@pytest.mark.parametrize(("profile", "feature"), _EACH, ids=_IDS)
def test_a_feature_is_shown_when_it_is_on_and_gone_when_it_is_off(profile: str, feature: Feature) -> None:
    alone = pairs.alone(feature, profile)
    on = charts.objects(profile, pairs.values(alone, profile))
    off = charts.objects(profile, pairs.values(alone | {feature.name: False}, profile))
    assert feature.shows(on)
    assert not feature.shows(off)
    for found in (on, off):
        assert charts.faults(found.text) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_pair_of_features_is_valid_in_all_four_states(profile: str) -> None:
    rows = pairs.all_pairs(profile)
    assert {pair for row in rows for pair in pairs.pairs_of(row)} == pairs.possible_pairs(profile)
    for row in rows:
        found = charts.objects(profile, pairs.values(row, profile))
        assert charts.faults(found.text) == [], row
        for feature in of_profile(profile):
            if row[feature.name]:
                assert feature.shows(found), (feature.name, row)


@pytest.mark.parametrize("profile", PROFILES)
def test_custom_resources_fit_the_schemas_of_their_operators(profile: str) -> None:
    found = charts.objects(profile, pairs.values(pairs.everything(profile), profile))
    assert "ExternalSecret" in found
    assert charts.custom_resource_faults(found) == []


def test_the_schemas_of_the_operators_would_find_a_fault() -> None:
    values = {"serviceMonitor": {"enabled": True, "relabelings": [{"acton": "drop"}]}}
    (fault,) = charts.custom_resource_faults(charts.objects("http", values))
    assert "acton" in fault


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
