"""VMTK centre lines: one Y as whole lines, as split tracts and as branches; radii, units, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.scenario.imports import centre_lines
from haiflow.scenario.imports.centre_lines import whole_lines, without_copies
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.tapers import pieces
from haiflow.scenario.imports.vmtk import Assumed, reader

pv = pytest.importorskip("pyvista")

ROOT, FORK, LEFT, RIGHT = (np.array(point, float) for point in ((0, 0, 0), (0, 0, 30), (15, 0, 55), (-12, 0, 50)))
RADIUS = "MaximumInscribedSphereRadius"
LENGTHS = {"trunk": 30.0, "left": np.linalg.norm(LEFT - FORK), "right": np.linalg.norm(RIGHT - FORK)}  # mm


def straight(a, b, count):
    return np.linspace(a, b, count)


TRUNK = straight(ROOT, FORK, 61)
WHOLE = [np.concatenate([TRUNK, straight(FORK, end, count)[1:]]) for end, count in ((LEFT, 50), (RIGHT, 45))]
RADII = [
    np.interp(np.arange(len(line)), [0, 60, len(line) - 1], [2.5, 2.2, end])
    for line, end in zip(WHOLE, (1.8, 1.2), strict=True)
]


def save(path, lines, radii, name=RADIUS, scale=1.0, **cells):
    points, connections, at = np.concatenate(lines), [], 0
    for line in lines:
        connections.append(np.concatenate([[len(line)], np.arange(at, at + len(line))]))
        at += len(line)
    data = pv.PolyData()
    data.points, data.lines = scale * points, np.concatenate(connections)
    data.point_data[name] = scale * np.concatenate(radii)
    for key, values in cells.items():
        data.cell_data[key] = np.array(values)
    data.save(path)
    return path


def split(path, **more):
    """Both lines cut at the fork's two ends, as vmtkbranchextractor does; group 1 is the fork itself."""
    cuts = [(54, 66), (54, 65)]
    parts = [[0, a, b] for a, b in cuts]
    lines = [
        line[i : j + 1]
        for line, (p, q, r) in zip(WHOLE, parts, strict=True)
        for i, j in ((p, q), (q, r), (r, len(line)))
    ]
    radii = [
        line[i : j + 1]
        for line, (p, q, r) in zip(RADII, parts, strict=True)
        for i, j in ((p, q), (q, r), (r, len(line)))
    ]
    cells = {
        "CenterlineIds": [0, 0, 0, 1, 1, 1],
        "TractIds": [0, 1, 2] * 2,
        "GroupIds": [0, 1, 2, 0, 1, 3],
        "Blanking": [0, 1, 0] * 2,
    }
    return save(path, lines, radii, **cells, **more)


def branches(path):
    lines = [TRUNK, straight(FORK, LEFT, 50), straight(RIGHT, FORK, 45)]
    return save(path, lines, [np.linspace(2.5, 2.2, 61), np.linspace(2.2, 1.8, 50), np.linspace(1.2, 2.2, 45)])


def in_pieces(path, cuts):
    """Whole lines (0 and 1) cut at points; what lies before a cut is turned round where it says so."""
    lines, radii = [], []
    for number, (whole, size) in enumerate(zip(WHOLE, RADII, strict=True)):
        begin = 0
        for end, turned in [(end, turned) for line, end, turned in cuts if line == number] + [(len(whole) - 1, False)]:
            step = -1 if turned else 1
            lines.append(whole[begin : end + 1][::step])
            radii.append(size[begin : end + 1][::step])
            begin = end
    return save(path, lines[::-1], radii[::-1])


def all_cut(path, *places, turned=(), copy=False):
    """Both whole lines cut at the same points, so that what they share is there twice; no arrays of cells."""
    lines, radii = [], []
    for whole, size in zip(WHOLE, RADII, strict=True):
        edges = [0, *places, len(whole) - 1]
        for first, last in pairwise(edges):
            step = -1 if (len(lines) in turned) else 1
            lines.append(whole[first : last + 1][::step])
            radii.append(size[first : last + 1][::step])
    if copy:
        lines.append(lines[0][::-1])
        radii.append(radii[0][::-1])
    return save(path, lines, radii)


def trunk_in_pieces(path):
    """Single branches that meet at their ends, the trunk in three pieces of which the middle one is turned."""
    trunk, size = TRUNK, np.linspace(2.5, 2.2, 61)
    lines = [trunk[:21], trunk[20:41][::-1], trunk[40:], straight(FORK, LEFT, 50), straight(RIGHT, FORK, 45)]
    radii = [size[:21], size[20:41][::-1], size[40:], np.linspace(2.2, 1.8, 50), np.linspace(1.2, 2.2, 45)]
    return save(path, lines, radii)


def grown(model):
    """Length (mm) from the inlet to each outlet, and diameters at the ends."""
    vessels = model.arteries.network.vessels.values()
    by_end = {vessel.end: vessel for vessel in vessels}
    found = []
    for node in model.arteries.network.outlets:
        length, last = 0.0, by_end[node]
        while node in by_end:
            length, node = length + 1e3 * by_end[node].length, by_end[node].start
        found.append((round(length, 3), round(1e3 * last.diameter[1], 6)))
    return sorted(found)


WAYS = sorted([(round(30.0 + LENGTHS["left"], 3), 3.6), (round(30.0 + LENGTHS["right"], 3), 2.4)])


@pytest.mark.parametrize(
    "write",
    [
        lambda path: save(path, WHOLE, RADII),
        split,
        branches,
        lambda path: save(path, [line[::-1] for line in WHOLE], [r[::-1] for r in RADII]),
        lambda path: save(path, [WHOLE[0], WHOLE[1][::-1]], [RADII[0], RADII[1][::-1]]),
        lambda path: in_pieces(path, [(0, 20, False), (0, 75, True), (1, 30, True), (1, 90, False)]),
        trunk_in_pieces,
        lambda path: all_cut(path, 20),
        lambda path: all_cut(path, 60),
        lambda path: all_cut(path, 20, 45, turned=(1, 3)),
        lambda path: all_cut(path, 20, 60, turned=(2, 3)),
        lambda path: all_cut(path, 60, copy=True),
        lambda path: save(path, [*WHOLE, WHOLE[0][::-1]], [*RADII, RADII[0][::-1]]),
    ],
    ids=["whole", "split", "branches", "reversed", "one reversed", "in pieces", "trunk in pieces", "cut in the trunk",
         "cut at the fork", "cut twice", "cut in the trunk and at the fork", "a piece thrice", "a line twice"],
)
def test_the_same_fork_in_every_form(tmp_path, read, write):
    model, warnings = read(write(tmp_path / "y.vtp"), reader(Assumed()))
    assert grown(model) == WAYS
    network = model.arteries.network
    first = network.vessels[model.arteries.inflow.vessel]
    assert first.diameter[0] == pytest.approx(5e-3, rel=1e-6)
    shares = [outlet.share for outlet in network.outlets.values()]
    assert sorted(shares) == pytest.approx(sorted([1.8**3 / (1.8**3 + 1.2**3), 1.2**3 / (1.8**3 + 1.2**3)]), rel=1e-6)
    for assumed in ("unit", "inflow", "waveform", "wall", "outlets"):
        assert f"{assumed} = " in warnings


def test_pieces_that_are_joined_are_told(tmp_path, read):
    _, warnings = read(trunk_in_pieces(tmp_path / "y.vtp"), reader(Assumed()))
    assert "lines = 5 pieces: those that go on from each other are one line" in warnings
    assert "pieces" not in read(branches(tmp_path / "z.vtp"), reader(Assumed()))[1]


def test_copies_are_told_and_lines_that_run_side_by_side_are_refused(tmp_path, read):
    _, warnings = read(all_cut(tmp_path / "y.vtp", 60, copy=True), reader(Assumed()))
    assert "left out: they lie on others" in warnings
    first, size = WHOLE[0], RADII[0]  # cut in the trunk, where the other line is not cut but begins
    lines, radii = [first[:21], first[20:], WHOLE[1][20:]], [size[:21], size[20:], RADII[1][20:]]
    with pytest.raises(InputError, match=r"at \(0, 0, 10\) mm: 2 lines: they run in one vessel beyond.*cut lines"):
        read(save(tmp_path / "z.vtp", lines, radii), reader(Assumed()))


def test_three_branches_of_one_place(tmp_path, read):
    """A trifurcation is one node, from whole lines as from branches."""
    ends = (LEFT, RIGHT, np.array([2.0, 14.0, 52.0]))
    whole = [np.concatenate([TRUNK, straight(FORK, end, 50)[1:]]) for end in ends]
    radii = [np.interp(np.arange(110), [0, 60, 109], [2.5, 2.2, 1.5]) for _ in ends]
    single = [TRUNK, *(straight(FORK, end, 50) for end in ends)]
    sizes = [np.linspace(2.5, 2.2, 61), *(np.linspace(2.2, 1.5, 50) for _ in ends)]
    for name, lines, size in (("whole", whole, radii), ("single", single, sizes)):
        network = read(save(tmp_path / f"{name}.vtp", lines, size), reader(Assumed()))[0].arteries.network
        starts = [vessel.start for vessel in network.vessels.values()]
        assert max(starts.count(node) for node in starts) == 3
        assert len(network.outlets) == 3


def test_a_split_fork_lies_where_its_parent_ends(tmp_path, read):
    network = read(split(tmp_path / "y.vtp"), reader(Assumed()))[0].arteries.network
    assert network.vessels["branch_0"].length == pytest.approx(27e-3, rel=1e-6)
    assert network.nodes["after_0"].position == pytest.approx((0.0, 0.0, 27e-3))


def test_a_blanked_end_belongs_to_the_branch_before_it(tmp_path, read):
    pieces_of = [(0, 41), (40, 61), (60, len(WHOLE[0]))]
    lines, radii = ([whole[a:b] for a, b in pieces_of] for whole in (WHOLE[0], RADII[0]))
    cells = {"CenterlineIds": [0, 0, 0], "TractIds": [0, 1, 2], "GroupIds": [0, 1, 2], "Blanking": [0, 0, 1]}
    network = read(save(tmp_path / "y.vtp", lines, radii, **cells), reader(Assumed()))[0].arteries.network
    total = sum(vessel.length for vessel in network.vessels.values())
    assert 1e3 * total == pytest.approx(30.0 + LENGTHS["left"], rel=1e-6)


def test_units_and_what_the_user_says(tmp_path, read, solve):
    path = save(tmp_path / "y.vtp", WHOLE, RADII, scale=1e-3)
    model, warnings = read(path, reader(Assumed("m", 6e-6, 7.0)))
    assert grown(model) == WAYS
    assert model.arteries.inflow.mean == 6e-6
    assert {vessel.wave_speed for vessel in model.arteries.network.vessels.values()} == {7.0}
    assert "inflow = " not in warnings
    _, cycle = solve(model, 1e-3)
    assert sum(cycle.outlet_flow.values()) == pytest.approx(6e-6, rel=1e-6)


def test_a_narrowing_is_kept(tmp_path, read):
    """A branch 60 mm long that narrows to half over 10 mm: its resistance is that of all points."""
    line, at = straight(ROOT, np.array([0, 0, 60.0]), 241), np.linspace(0.0, 60.0, 241)
    radius = 2.0 - np.exp(-(((at - 30.0) / 5.0) ** 2))
    model, _ = read(save(tmp_path / "s.vtp", [line], [radius]), reader(Assumed()))
    vessels = model.arteries.network.vessels
    assert min(min(vessel.diameter) for vessel in vessels.values()) == pytest.approx(2e-3, rel=2e-3)
    assert 4 <= len(vessels) <= 12
    abscissa = 1e-3 * at
    _, off = pieces(abscissa, 1e-3 * radius)
    assert off <= 0.05
    exact = np.trapezoid(radius**-4.0, at)
    parts = [(vessel.length, *(0.5 * d for d in vessel.diameter)) for vessel in vessels.values()]
    ours = sum(length * np.trapezoid(np.linspace(a, b, 1001) ** -4.0, dx=1e-3) for length, a, b in parts)
    assert off == pytest.approx(abs(1e-9 * ours / exact - 1.0), abs=2e-4)
    assert sum(vessel.length for vessel in vessels.values()) == pytest.approx(0.06, rel=1e-9)


def test_end_points_without_radius_take_their_neighbours(tmp_path, read):
    radii = [line.copy() for line in RADII]
    for line in radii:
        line[0] = line[-1] = 0.0
    model, warnings = read(save(tmp_path / "y.vtp", WHOLE, radii), reader(Assumed()))
    assert all(min(vessel.diameter) > 2e-3 for vessel in model.arteries.network.vessels.values())
    assert "zero at 4 end points" in warnings


def test_other_arrays_are_named_and_merged_tracts_read_by_their_ends(tmp_path, read):
    lines = [TRUNK[:55], WHOLE[0][54:67], WHOLE[0][66:], WHOLE[1][54:66], WHOLE[1][65:]]
    radii = [RADII[0][:55], RADII[0][54:67], RADII[0][66:], RADII[1][54:66], RADII[1][65:]]
    cells = {
        "CenterlineIds": [0, 0, 0, 1, 1],
        "TractIds": [0, 1, 2, 1, 2],
        "GroupIds": [0, 1, 2, 1, 3],
        "Blanking": [0, 1, 0, 1, 0],
        "Length": [1.0] * 5,
    }
    model, warnings = read(save(tmp_path / "merged.vtp", lines, radii, **cells), reader(Assumed()))
    assert grown(model) == WAYS
    assert "Length" in warnings
    assert "tracts that are no whole lines" in warnings


def test_a_closed_ring_is_refused(tmp_path, read):
    turn = np.linspace(0.0, 2.0 * np.pi, 80)
    ring = 20.0 * np.column_stack([np.cos(turn), np.sin(turn), 0.0 * turn])
    with pytest.raises(InputError, match=r"ring\.vtp.*the line ends at the inlet"):
        read(save(tmp_path / "ring.vtp", [ring], [np.full(80, 2.0)]), reader(Assumed()))


@pytest.mark.parametrize(
    ("write", "rule"),
    [
        (lambda p: save(p, WHOLE, RADII, name="Girth"), "no radius"),
        (lambda p: save(p, WHOLE, [-r for r in RADII]), "must be positive"),
        (lambda p: save(p, WHOLE, RADII, scale=1000.0), "no artery"),
        (lambda p: save(p, [TRUNK, straight(LEFT, RIGHT, 9)], [np.full(61, 2.0), np.full(9, 1.0)]), "not connected"),
        (
            lambda p: save(p, [straight(ROOT, LEFT, 9), straight(ROOT, RIGHT, 9)], [np.full(9, 2.0)] * 2),
            "part at the inlet",
        ),
        (lambda p: save(p, [np.full((5, 3), np.nan)], [np.full(5, 2.0)]), "finite"),
        (lambda p: save(p, [*WHOLE[:1], np.vstack([WHOLE[1], [1e300, 0, 0]])], [RADII[0], np.append(RADII[1], 1.2)]),
         "no artery has such a coordinate"),
        (lambda p: save(p, WHOLE, [np.where(np.arange(len(r)) == 70, 1e300, r) for r in RADII]),
         "no artery has such a diameter"),
        (lambda p: save(p, WHOLE, [np.where(np.arange(len(r)) == 70, 1e-300, r) for r in RADII]),
         "no artery has such a diameter"),
        (lambda p: pv.Sphere().save(p), "no lines|other cells"),
        (lambda p: p.write_bytes(b"\x00\x01binary" * 99), "cut short|cannot be read"),
        (lambda p: p.write_bytes(save(p, WHOLE, RADII).read_bytes()[:900]), "cut short|cannot be read"),
        (lambda p: p.write_text(""), "0 bytes"),
    ],
)
def test_what_is_no_centre_line_is_refused(tmp_path, read, write, rule):
    write(tmp_path / "bad.vtp")
    with pytest.raises(InputError) as refused:
        read(tmp_path / "bad.vtp", reader(Assumed()))
    assert any(part in str(refused.value) for part in rule.split("|")), str(refused.value)


@pytest.mark.parametrize(
    ("ending", "old", "new", "told"),
    [
        ("vtp", 'NumberOfPolys="0"', 'NumberOfPolys="4294967297"', "4294967297 polys: a header counts"),
        ("vtp", 'NumberOfPoints="105"', 'NumberOfPoints="21000000000"', "21000000000 points: a header counts"),
        ("vtp", 'NumberOfPoints="105"', 'NumberOfPoints="-5"', "-5 points: a count is 0 or more"),
        ("vtk", "POINTS 105 ", "POINTS 10000000000 ", "10000000000 points: a header counts"),
        ("vtk", "POINT_DATA 105\n", "POINT_DATA 99999999999\n", "99999999999 point_data: a header counts"),
        (
            "vtk", "POINT_DATA 105\n", "POINT_DATA 105\nFIELD FieldData 1\nx 3 33333333333 double\n",
            "99999999999 values of x: a header counts",
        ),
    ],
)  # fmt: skip
def test_a_header_that_counts_more_than_there_is_never_reaches_vtk(tmp_path, monkeypatch, read, ending, old, new, told):
    """VTK would end the process: std::bad_alloc."""
    sound = save(tmp_path / f"y.{ending}", [straight(ROOT, LEFT, 105)], [np.full(105, 2.0)])
    path = tmp_path / f"lie.{ending}"
    data = sound.read_bytes()
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new.encode(), 1))
    monkeypatch.setattr("haiflow.scenario.imports.vmtk.read_lines", lambda file: pytest.fail("VTK was asked"))
    with pytest.raises(InputError, match=told) as refused:
        read(path, reader(Assumed()))
    assert refused.value.place == str(path)
    assert "export it again" in refused.value.remedy


@pytest.mark.parametrize("wrong", [105, -1, 99_999_999_999])
def test_a_line_that_names_a_point_that_is_none_is_refused(tmp_path, read, wrong):
    path = tmp_path / "y.vtp"
    data = pv.PolyData()
    data.points, data.lines = straight(ROOT, LEFT, 105), np.concatenate([[105], np.arange(105)])
    data.point_data[RADIUS] = np.full(105, 2.0)
    data.save(path, binary=False)
    text = path.read_text()
    connectivity = text.index('Name="connectivity"', text.index("<Lines>"))
    at = text.index(" 3 ", connectivity)
    path.write_text(f"{text[:at]} {wrong} {text[at + 3 :]}")
    with pytest.raises(InputError, match=f"point {wrong}: a line names a point that is none: there are 105"):
        read(path, reader(Assumed()))


@pytest.mark.parametrize("lines", [[TRUNK], [np.concatenate([TRUNK, straight(FORK, LEFT, 30)[1:], TRUNK[:1]])]])
def test_a_thousand_copies_of_a_line_are_one_and_each_is_looked_at_a_few_times(monkeypatch, lines):
    """Held each against each they would be looked at a million times, a minute and more of it."""
    looks = []
    at_shares = centre_lines._at_shares
    monkeypatch.setattr(centre_lines, "_at_shares", lambda line: (looks.append(1), at_shares(line))[1])
    points, radius = np.concatenate(lines * 1000), np.full(1000 * len(lines[0]), 2.0)
    given = [np.arange(k * len(lines[0]), (k + 1) * len(lines[0])) for k in range(1000)]
    whole, joints = whole_lines(points, radius, given)
    assert len(whole) == 1000
    assert joints == 0
    assert len(without_copies(points, radius, whole)) == 1
    assert len(looks) <= 6000


def test_lines_of_one_point_each_are_no_centre_lines(tmp_path):
    file = save(tmp_path / "c.vtp", [TRUNK[:1], TRUNK[1:2]], [RADII[0][:1], RADII[0][1:2]])
    with pytest.raises(InputError, match="none has two points"):
        reader(Assumed("mm"))(file, Findings())


def test_a_tract_of_no_points_leaves_the_branches_to_where_lines_part(tmp_path, read):
    cells = {"CenterlineIds": [0, 0, 1, 1], "TractIds": [0, 1, 0, 1], "GroupIds": [0, 1, 0, 2], "Blanking": [0] * 4}
    empty = np.empty((0, 3))
    file = save(tmp_path / "c.vtp", [WHOLE[0], empty, WHOLE[1], empty], [RADII[0], empty[:, 0], RADII[1], empty[:, 0]],
                **cells)  # fmt: skip
    model, _ = read(file, reader(Assumed("mm")))
    assert len(model.arteries.network.vessels) == 3
