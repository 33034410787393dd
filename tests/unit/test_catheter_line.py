"""The line's geometry: volumes, resistances and compliance of tubes that are known in closed form."""

import numpy as np
import pytest

from haiflow.catheter.line import Kink, Segment, SideHole, Tip, build_line, narrowed, with_inlet_compliance

IN_ARTERY = Tip("gastroduodenal")


def test_uniform_tube():
    line = build_line(0.5, 0.6e-3, 2.3e-3, tip=IN_ARTERY)
    assert line.n_cells == 64
    assert line.dead_volume == pytest.approx(np.pi * 0.3e-3**2 * 0.5, rel=1e-12, abs=0.0)
    assert line.dead_volume == pytest.approx(0.14e-6, rel=0.02, abs=0.0)  # rule of thumb: 0.14 mL per 50 cm
    poiseuille = 128 * 0.5 / (np.pi * 0.6e-3**4)
    assert line.resistance_per_viscosity.sum() == pytest.approx(poiseuille, rel=1e-12, abs=0.0)
    np.testing.assert_allclose(line.wall_thickness, 0.85e-3, rtol=1e-12)


def test_silicone_compliance_of_the_field():
    line = build_line(0.5, 0.6e-3, 2.3e-3, wall_modulus=3e6)
    assert line.compliance.sum() == pytest.approx(0.16e-12, rel=0.06, abs=0.0)  # rule of thumb: ~0.16 uL/kPa


def test_thick_wall_becomes_the_thin_tube_when_thin():
    line = build_line(0.5, 10e-3, 10.02e-3, wall_modulus=1e6)
    # An incompressible thin tube held at its ends: modulus E / (1 - nu^2) = 4 E / 3.
    thin = 0.5 * 2 * np.pi * 5e-3**3 / (1e6 / 0.75 * 0.01e-3)
    assert line.compliance.sum() == pytest.approx(thin, rel=0.01, abs=0.0)


def test_compliance_is_lame_for_a_free_tube_too():
    # Volume strain of an incompressible tube free to shorten: 2 u(a) / a + axial strain.
    a, b, modulus = 0.3e-3, 1.15e-3, 3e6
    ratio = a * a / (b * b - a * a)
    hoop = ((b * b + a * a) / (b * b - a * a) + 0.5) / modulus
    axial = -0.5 * 2 * ratio / modulus
    line = build_line(0.5, 0.6e-3, 2.3e-3, wall_modulus=modulus)
    assert line.compliance.sum() / line.dead_volume == pytest.approx(2 * hoop + axial, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("n_cells", [1, 7, 64])
def test_a_cone_has_its_exact_volume_and_resistance_on_any_cells(n_cells):
    line = build_line(0.2, 1e-3, 2e-3, segments=[Segment(0.2, 1e-3, 2e-3, 0.4e-3, 1.5e-3)], n_cells=n_cells)
    r1, r2 = 0.5e-3, 0.2e-3
    assert line.dead_volume == pytest.approx(np.pi * 0.2 / 3 * (r1 * r1 + r1 * r2 + r2 * r2), rel=1e-12, abs=0.0)
    exact = 8 / np.pi * 0.2 / (3 * (r1 - r2)) * (r2**-3 - r1**-3)
    assert line.resistance_per_viscosity.sum() == pytest.approx(exact, rel=1e-12, abs=0.0)


def test_segments_end_on_faces():
    parts = [
        Segment(0.31, 0.6e-3, 2.3e-3),
        Segment(0.05, 0.6e-3, 2.3e-3, 0.4e-3, 1.2e-3),
        Segment(0.001, 0.4e-3, 1.2e-3),
    ]
    line = build_line(0.361, 0.6e-3, 2.3e-3, segments=parts, n_cells=40)
    for end in (0.31, 0.36, 0.361):
        assert np.min(np.abs(line.x - end)) < 1e-12
    with pytest.raises(ValueError, match="do not sum"):
        build_line(0.4, 0.6e-3, 2.3e-3, segments=parts)


@pytest.mark.parametrize(
    ("length", "inner", "outer"), [(-0.5, 0.6e-3, 2.3e-3), (0.5, 0.0, 2.3e-3), (0.5, 0.6e-3, 0.5e-3)]
)
def test_tubes_that_cannot_be(length, inner, outer):
    with pytest.raises(ValueError):
        build_line(length, inner, outer)


def test_holes_of_open_and_closed_ends():
    line = build_line(0.5, 0.6e-3, 2.3e-3, side_holes=[SideHole("a", 5e-3, 0.3e-3)], tip=IN_ARTERY)
    assert [hole.name for hole in line.holes] == ["tip", "a"]
    assert line.tip_hole == 0
    assert line.hole_cells.tolist() == [63, 63]
    assert line.holes[1].length == pytest.approx(0.85e-3, rel=1e-12, abs=0.0)
    closed = build_line(0.5, 0.6e-3, 2.3e-3, side_holes=[SideHole("a", 20e-3, 0.3e-3)], tip=Tip("x", closed_end=True))
    assert [hole.name for hole in closed.holes] == ["a"]
    assert closed.tip_hole is None
    assert closed.hole_cells.tolist() == [61]
    assert {hole.outside for hole in build_line(0.5, 0.6e-3, 2.3e-3, tip=Tip(None)).holes} == {"pocket"}


def test_places_off_the_line():
    line = build_line(0.5, 0.6e-3, 2.3e-3)
    assert line.cell(0.0) == 0
    assert line.cell(0.5) == 63
    for at in (-0.01, 0.51):
        with pytest.raises(ValueError, match="not on the line"):
            line.cell(at)
    with pytest.raises(ValueError):
        line.hole("nowhere")


def test_a_kink_adds_its_own_length_of_narrow_tube_wherever_cells_end():
    plain = build_line(0.5, 0.6e-3, 2.3e-3)
    for at in (0.123, 0.25, 0.4):
        kinked = build_line(0.5, 0.6e-3, 2.3e-3, kinks=[Kink(at, 0.9, 0.02)])
        # 90 % of the area gone is 100 times the resistance, over 2 of 50 cm.
        added = kinked.resistance_per_viscosity.sum() / plain.resistance_per_viscosity.sum() - 1.0
        assert added == pytest.approx(0.04 * 99.0, rel=1e-10, abs=0.0)
    assert np.isinf(narrowed(plain, 0.3, 1.0).resistance_factor).sum() == 1
    with pytest.raises(ValueError, match="severity"):
        narrowed(plain, 0.3, 1.1)


def test_inlet_compliance_is_lumped_on_the_first_cell():
    line = build_line(0.5, 0.6e-3, 2.3e-3)
    more = with_inlet_compliance(line, 1e-13)
    np.testing.assert_allclose(more.compliance - line.compliance, [1e-13] + 63 * [0.0], rtol=1e-12, atol=0)


def test_narrowings_add_and_one_without_a_length_is_two_diameters_long():
    plain = build_line(0.5, 0.6e-3, 2.3e-3)
    one = narrowed(plain, 0.25, 0.9)
    added = one.resistance_per_viscosity.sum() / plain.resistance_per_viscosity.sum() - 1.0
    assert added == pytest.approx(2.0 * 0.6e-3 / 0.5 * 99.0, rel=1e-10, abs=0.0)
    two = narrowed(narrowed(plain, 0.25, 0.9, 0.02), 0.25, 0.8, 0.02)
    added = two.resistance_per_viscosity.sum() / plain.resistance_per_viscosity.sum() - 1.0
    assert added == pytest.approx(0.04 * (99.0 + 24.0), rel=1e-10, abs=0.0)


def test_a_segment_has_its_own_wall():
    """Lame's compliance per length, with the modulus of the segment and the outer radius at the middle of each cell."""
    parts = [Segment(0.2, 0.6e-3, 2.3e-3, wall_modulus=1e6), Segment(0.3, 0.6e-3, 2.3e-3, 0.6e-3, 1.2e-3)]
    line = build_line(0.5, 0.6e-3, 2.3e-3, segments=parts, wall_modulus=3e6, n_cells=50)
    middle = 0.5 * (line.x[1:] + line.x[:-1])
    outer = np.where(middle < 0.2, 1.15e-3, 1.15e-3 - 0.55e-3 * (middle - 0.2) / 0.3)
    modulus = np.where(middle < 0.2, 1e6, 3e6)
    lame = 3.0 * np.pi * 0.3e-3**2 * outer**2 / (modulus * (outer**2 - 0.3e-3**2))
    np.testing.assert_allclose(line.compliance / line.dx, lame, rtol=1e-10)
    np.testing.assert_allclose(line.wall_thickness, outer - 0.3e-3, rtol=1e-10)


def test_a_side_hole_has_its_own_discharge_coefficient():
    holes = [SideHole("a", 5e-3, 0.3e-3), SideHole("b", 9e-3, 0.3e-3, 0.8)]
    line = build_line(0.5, 0.6e-3, 2.3e-3, side_holes=holes, tip=IN_ARTERY)
    assert [hole.discharge_coefficient for hole in line.holes] == [1.0, 0.6, 0.8]
