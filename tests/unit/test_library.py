"""Every library entry: complete against the schema, each value with a source and a mark."""

import pytest

from haiflow.errors import InputError
from haiflow.scenario import library
from haiflow.scenario.load import loads
from haiflow.scenario.model import Drug, Infusate, Propellant, Waveform

MARKS = {"found", "wk", "wk?", "derived", "assumed"}
MODELS = {"drugs": Drug, "infusates": Infusate, "propellants": Propellant, "waveforms": Waveform}
ENTRIES = [(kind, name) for kind in library.KINDS if kind != "anatomies" for name in library.names(kind)]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_sources_and_marks(kind, name):
    entry = library.entry(kind, name)
    assert entry.title
    for row in entry.rows:
        assert row.mark in MARKS, row.key
        assert len(row.source) > 3, row.key


@pytest.mark.parametrize(("kind", "name"), [each for each in ENTRIES if each[0] in MODELS])
def test_entries_fit_the_schema(kind, name):
    MODELS[kind].model_validate(library.entry(kind, name).values)


@pytest.mark.parametrize("pump", library.names("pumps"))
def test_pumps_load_by_name(pump):
    loads(f"haiflow: 1\npump: {{model: {pump}}}\ncatheter: {{model: intera-straight}}\n")


@pytest.mark.parametrize("catheter", library.names("catheters"))
def test_catheters_load_by_name(catheter):
    loads(f"haiflow: 1\npump: {{model: intera-3000}}\ncatheter: {{model: {catheter}}}\n")


@pytest.mark.parametrize("name", library.names("waveforms"))
def test_waveforms_are_smooth_with_mean_one(name):
    shape = Waveform.model_validate(library.entry("waveforms", name).values)
    assert sum(shape.values) / len(shape.values) == pytest.approx(1.0, abs=1e-3)
    steps = [abs(a - b) for a, b in zip(shape.values, (*shape.values[1:], shape.values[0]), strict=True)]
    assert max(steps) <= 0.25 * max(shape.values)


def test_the_hepatic_waveform_has_the_resistive_index_of_hepatic_arteries():
    values = library.entry("waveforms", "hepatic-artery").values["values"]
    assert 0.55 <= 1 - min(values) / max(values) <= 0.70


def test_known_figures():
    fudr = Drug.model_validate(library.entry("drugs", "floxuridine").values)
    assert 0.94 <= fudr.hepatic_extraction <= 0.99
    assert fudr.diffusivity == 9.3e-10
    assert 1 - Drug.model_validate(library.entry("drugs", "tc99m-maa").values).trapped_fraction == pytest.approx(
        0.06, abs=0.01
    )


def test_unknown_names_get_the_nearest():
    with pytest.raises(InputError, match="did you mean 'intera-3000'"):
        library.entry("pumps", "intera3000")
    with pytest.raises(InputError, match="did you mean 'pumps'"):
        library.entry("pmups", "x")
