"""The liver in 3D: Darcy flow, extraction, uptake by route, sums, scan, growth, and what a run costs."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import reverse_cuthill_mckee
from threadpoolctl import threadpool_limits

from benchmarks.cases import ROOT, of_case
from benchmarks.table import Row, at_most
from haiflow.liver.scan import planar
from haiflow.mesh.dual import conductances, diffusion_matrix, dual_volumes
from haiflow.mesh.model import TetraMesh
from haiflow.mesh.standard import standard_liver
from haiflow.mesh.volumes import tetra_volumes
from haiflow.mesh.write import write_liver
from haiflow.numerics.elliptic import EllipticSolver

CHILDREN = np.array(
    [(0, 4, 5, 6), (4, 1, 7, 8), (5, 7, 2, 9), (6, 8, 9, 3), (4, 5, 6, 8), (4, 5, 7, 8), (5, 6, 8, 9), (5, 7, 8, 9)]
)
PAIRS = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])


def rows() -> Iterator[Row]:
    yield from of_case("liver/darcy")
    yield from extraction_rows()
    yield from poisson_rows()
    yield from run_rows()


def extraction_rows() -> Iterator[Row]:
    yield from of_case("liver/extraction-3d")
    yield from of_case("liver/sigurdson")
    mesh = standard_liver()
    amount = mesh.volumes * np.random.default_rng(0).random(len(mesh.tetra))
    image, _, _ = planar(mesh.points, mesh.tetra, amount)
    yield at_most("planar scan against the 3D map: sum", abs(image.sum() / amount.sum() - 1.0), 1e-10)


def refined(mesh: TetraMesh) -> TetraMesh:
    """Every tetrahedron cut in eight, points renumbered."""
    edges = np.sort(mesh.tetra[:, PAIRS].reshape(-1, 2), axis=1)
    keys, where = np.unique(edges[:, 0].astype(np.int64) * len(mesh.points) + edges[:, 1], return_inverse=True)
    first, second = keys // len(mesh.points), keys % len(mesh.points)
    points = np.concatenate([mesh.points, 0.5 * (mesh.points[first] + mesh.points[second])])
    corners = np.concatenate([mesh.tetra, where.reshape(-1, 6) + len(mesh.points)], axis=1)
    tetra = corners[:, CHILDREN].reshape(-1, 4).astype(np.int32)
    turned = tetra_volumes(points, tetra) < 0.0
    tetra[turned] = tetra[turned][:, [0, 2, 1, 3]]
    return renumbered(points, tetra, np.repeat(mesh.couinaud_segment, 8))


def renumbered(points: np.ndarray, tetra: np.ndarray, label: np.ndarray) -> TetraMesh:
    """Points by reverse Cuthill-McKee, cells in their order."""
    graph = conductances(points, tetra, np.ones(len(tetra)))
    order = reverse_cuthill_mckee(graph, symmetric_mode=True)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    tetra = place[tetra].astype(np.int32)
    along = np.argsort(tetra.min(axis=1), kind="stable")
    return TetraMesh(points[order], tetra[along], label[along])


def cut_to(mesh: TetraMesh, cells: int) -> TetraMesh:
    """The first ``cells`` tetrahedra of a mesh: a liver cut off by a plane, as large as asked."""
    order = np.argsort(mesh.centres[:, 0], kind="stable")[:cells]
    used, tetra = np.unique(mesh.tetra[order], return_inverse=True)
    return renumbered(mesh.points[used], tetra.reshape(-1, 4).astype(np.int32), mesh.couinaud_segment[order])


def poisson(mesh: TetraMesh) -> tuple[float, float, float]:
    """Seconds of assembly, of set-up, of solution to 1e-8: sources everywhere, drained at the lowest fiftieth."""
    with threadpool_limits(limits=1):
        begun = time.perf_counter()
        matrix = diffusion_matrix(conductances(mesh.points, mesh.tetra, np.ones(len(mesh.tetra))))
        volume = dual_volumes(mesh.tetra, mesh.volumes, len(mesh.points))
        low = mesh.points[:, 2] < np.quantile(mesh.points[:, 2], 0.02)
        matrix = csr_array(matrix + diags_array(np.where(low, matrix.diagonal(), 0.0)))
        assembled = time.perf_counter()
        solver = EllipticSolver(matrix, 1e-8)
        ready = time.perf_counter()
        solver.solve(volume)
    return assembled - begun, ready - assembled, time.perf_counter() - ready


def poisson_rows() -> Iterator[Row]:
    small = standard_liver()
    middle = refined(small)
    large = refined(middle)
    poisson(small)  # the first call loads the library
    asked = min(sum(poisson(cut_to(large, 600_000))) for _ in range(3))
    yield at_most("Darcy, 600,000 tetrahedra to 1e-8, one core: assembly, set-up, solution", asked, 1.5, " s")
    sizes = [len(mesh.tetra) for mesh in (small, middle, large)]
    seconds = [min(sum(poisson(mesh)) for _ in range(3)) for mesh in (small, middle, large)]
    growth = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
    said = ", ".join(f"{size}: {second:.2f} s" for size, second in zip(sizes, seconds, strict=True))
    yield at_most("its cost from 24,000 to 1,560,000 tetrahedra: exponent", growth, 1.1, note=f" ({said})")


def run_rows() -> Iterator[Row]:
    """The baseline with its two faults on a hundred thousand tetrahedra, every hour written, page and pictures."""
    mesh = cut_to(refined(standard_liver()), 100_000).scaled(1.5e-3)
    given = (ROOT / "examples" / "baseline.yaml").read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        write_liver(place / "liver.vtu", mesh)
        scenario = given.replace("model: standard", "mesh: liver.vtu\n  resolve: 3d")
        (place / "liver.yaml").write_text(scenario, encoding="utf-8")
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "haiflow", "run", "--quiet", str(place / "liver.yaml"), "-o", str(place / "out")],
            check=True,
        )
        seconds = time.perf_counter() - begun
        summary = json.loads((place / "out" / "summary.json").read_text(encoding="utf-8"))
        page = (place / "out" / "report.html").stat().st_size
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # of the largest process so far
    worst = max(abs(summary["ledger"][name]["relative_imbalance"]) for name in ("drug", "carrier"))
    balance = summary["solver"]["liver"]["worst_imbalance"]
    yield at_most("28 days, 100,000 tetrahedra, two faults, hourly output, whole process", seconds, 30.0, " s")
    yield at_most("the same: memory of the largest process", memory, 2.0, " GB")
    yield at_most("the same: ledgers", worst, 1e-10)
    yield at_most("the same: balance of any control volume, of the inflow", balance, 1e-8)
    yield at_most("the same: report.html", page / 1e6, 5.0, " MB")
