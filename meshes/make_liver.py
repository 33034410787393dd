"""Makes the standard liver that the package carries: ``python meshes/make_liver.py`` from the root of the repository.

The shape and the planes between the segments are in ``haiflow.mesh.shape``, the meshing in ``haiflow.mesh.generate``;
``haiflow mesh build standard --cells N`` makes it in any other size. It writes ``meshes/liver-standard.vtu`` and the
copy in the package. Needs the extras ``mesh`` (gmsh) and ``viz`` (pyvista).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from haiflow.mesh.generate import standard
from haiflow.mesh.write import write_liver

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "meshes" / "liver-standard.vtu"
PACKAGED = ROOT / "src" / "haiflow" / "library" / "meshes" / "liver-standard.vtu"
CELLS = 24_000


def main() -> None:
    mesh = standard(CELLS)
    print(f"{len(mesh.tetra)} tetrahedra, {1e6 * mesh.volume:.0f} mL, shares {mesh.fractions}")
    write_liver(OUTPUT, mesh)
    shutil.copyfile(OUTPUT, PACKAGED)
    print(f"{OUTPUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
