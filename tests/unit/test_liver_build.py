"""Territories: shares of the volume, tumours carved out of their segment, and what is refused."""

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.liver.build import DEFAULT_FRACTIONS, TumourSpec, build_liver
from haiflow.liver.model import SEGMENTS
from haiflow.liver.perfusion import arterial_split, arterial_supply, perfusion, portal_split, portal_supply


def test_default_liver_has_the_volumes_and_order_of_the_literature() -> None:
    liver = build_liver()
    volume = {item.name: item.volume for item in liver.territories}
    assert liver.volume == pytest.approx(1.5e-3, rel=1e-14, abs=0.0)
    assert volume["VIII"] == pytest.approx(0.39e-3, rel=1e-12, abs=0.0)
    assert sorted(SEGMENTS, key=lambda name: -volume[name]) == ["VIII", "VII", "IV", "V", "III", "VI", "II", "I"]


def test_fractions_are_scaled_to_one() -> None:
    liver = build_liver(volume=1e-3, fractions={"II": 2.0, "III": 6.0})
    volumes = {item.name: item.volume for item in liver.territories}
    assert volumes == pytest.approx({"II": 0.25e-3, "III": 0.75e-3}, rel=1e-12, abs=0.0)


def test_a_tumour_takes_its_volume_out_of_its_segment() -> None:
    tumour = TumourSpec(diameter=0.03, segment="VII", name="lesion")
    liver = build_liver(tumours=[tumour])
    normal, lesion = liver.within("VII")
    assert lesion.volume == pytest.approx(np.pi / 6 * 0.03**3, rel=1e-12, abs=0.0)
    assert normal.volume + lesion.volume == pytest.approx(0.175 * 1.5e-3, rel=1e-12, abs=0.0)
    assert liver.volume == pytest.approx(1.5e-3, rel=1e-14, abs=0.0)


def test_a_tumour_is_found_by_its_centre() -> None:
    liver = build_liver(
        tumours=[TumourSpec(0.02, centre=(0.01, 0.02, 0.03))],
        segment_at=lambda point: "V" if point[0] == 0.01 else None,
    )
    assert liver.territories[-1].segment == "V"
    assert liver.territories[-1].name == "tumour_1"


@pytest.mark.parametrize(
    ("tumours", "place", "rule"),
    [
        ([TumourSpec(0.05, segment="I")], "liver.tumours[0].diameter", "fill the whole"),
        ([TumourSpec(0.02, segment="IX")], "liver.tumours[0].segment", "not a Couinaud segment"),
        ([TumourSpec(0.02)], "liver.tumours[0]", "no segment"),
        (
            [TumourSpec(0.02, segment="V"), TumourSpec(0.02, segment="V", name="tumour_1")],
            "liver.tumours[1].name",
            "taken",
        ),
        ([TumourSpec(0.02, segment="V", name="VIII")], "liver.tumours[0].name", "taken"),
        ([TumourSpec(0.02, centre=(9.0, 9.0, 9.0))], "liver.tumours[0].centre", "outside the liver"),
    ],
)
def test_impossible_tumours_are_refused(tumours: list[TumourSpec], place: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        build_liver(tumours=tumours, segment_at=lambda point: None if tumours[0].centre else "V")
    assert caught.value.place == place
    assert rule in caught.value.rule


def test_arterial_flow_is_shared_by_volume_times_ratio() -> None:
    liver = build_liver(tumours=[TumourSpec(0.04, segment="VIII", name="lesion", arterial_ratio=3.0)])
    normal, lesion = liver.within("VIII")
    supply = arterial_supply(liver, {"VIII": 2e-6, "II": 1e-6})
    assert sum(supply.values()) == pytest.approx(3e-6, rel=1e-14, abs=0.0)
    ratio = (supply["lesion"] / lesion.volume) / (supply["VIII"] / normal.volume)
    assert ratio == pytest.approx(3.0, rel=1e-12, abs=0.0)
    assert supply["III"] == 0.0
    assert all(sum(shares.values()) == pytest.approx(1.0) for shares in arterial_split(liver).values())
    with pytest.raises(ValueError, match="does not have"):
        arterial_supply(liver, {"IX": 1.0})


def test_portal_flow_is_shared_by_volume_and_tumours_get_little() -> None:
    liver = build_liver(tumours=[TumourSpec(0.04, segment="VIII", name="lesion", portal_ratio=0.05)])
    shares = portal_split(liver)
    normal, lesion = liver.within("VIII")
    assert sum(shares.values()) == pytest.approx(1.0, rel=1e-14, abs=0.0)
    ratio = (shares["lesion"] / lesion.volume) / (shares["VIII"] / normal.volume)
    assert ratio == pytest.approx(0.05, rel=1e-12, abs=0.0)
    assert sum(portal_supply(liver).values()) == pytest.approx(liver.portal_flow, rel=1e-14, abs=0.0)


def test_perfusion_in_clinical_units() -> None:
    liver = build_liver()
    flow = arterial_supply(liver, {name: 400e-6 / 60 * share for name, share in DEFAULT_FRACTIONS.items()})
    values = perfusion(liver, flow)
    np.testing.assert_allclose(values.arterial, 100 * 400 / 1500, rtol=1e-12)
    np.testing.assert_allclose(values.total, 100.0, rtol=1e-12)
