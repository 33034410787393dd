"""OpenFOAM on the same mesh and flow, side by side, where it is installed: seconds a step, and its error."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row
from haiflow.mesh.patches import write_region
from haiflow.mesh.region import Region
from haiflow.ports import Floats

HEAD = "FoamFile {{ version 2.0; format ascii; class {kind}; object {name}; }}\n"
SCHEMES = """ddtSchemes {{ default {time}; }}
gradSchemes {{ default Gauss {middle}; }}
divSchemes {{
  default none; div(phi,U) {convection}; div(phi,T) Gauss limitedLinear 1;
  div((nuEff*dev2(T(grad(U))))) Gauss linear;
}}
laplacianSchemes {{ default Gauss linear corrected; }}
interpolationSchemes {{ default {middle}; }}
snGradSchemes {{ default corrected; }}
"""
# How a value on a face is found from the two cells' beside it, that of a convected velocity and every other. Faces of
# tetrahedra lie well off the line that joins the cells' middles: the tutorials' plain interpolation errs there. To
# correct for that is the best the peer has where it does not diverge; the upwind one of second order stood everywhere.
PLAIN, SKEWED, UPWIND = "linear", "skewCorrected linear", "linearUpwind"
FACES = {PLAIN: (PLAIN, PLAIN), SKEWED: (SKEWED, SKEWED), UPWIND: ("linearUpwind grad(U)", PLAIN)}
SOLUTION = """solvers {
  p { solver GAMG; smoother GaussSeidel; tolerance 1e-7; relTol 0.01; }
  pFinal { $p; relTol 0; }
  U { solver PBiCGStab; preconditioner DILU; tolerance 1e-8; relTol 0.01; }
  UFinal { $U; relTol 0; }
  T { solver PBiCGStab; preconditioner DILU; tolerance 1e-9; relTol 0; }
}
PISO { nCorrectors 2; nNonOrthogonalCorrectors 1; pRefCell 0; pRefValue 0; }
SIMPLE { nNonOrthogonalCorrectors 1; consistent yes; residualControl { p 1e-4; U 1e-5; } }
relaxationFactors { equations { U 0.9; } }
"""


def installed() -> bool:
    """Whether the solvers are on the path."""
    return all(shutil.which(name) for name in ("icoFoam", "simpleFoam", "gmshToFoam"))


def left_out(what: str) -> Row:
    """What stands in the table instead of the peer."""
    return Row(f"{what}: icoFoam beside it", "-", "left out: OpenFOAM is not installed", None)


def _write(folder: Path, name: str, kind: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD.format(kind=kind, name=path.name) + text)


def _control(solver: str, step: float, end: float, every: int = 100_000) -> str:
    return (
        f"application {solver}; startFrom latestTime; stopAt endTime; startTime 0; endTime {end}; deltaT {step};\n"
        f"writeControl timeStep; writeInterval {every}; writeFormat ascii; writePrecision 10;\n"
        "timeFormat general; timePrecision 8; runTimeModifiable no;\n"
    )


def _schemes(time: str, faces: str) -> str:
    convected, middle = FACES[faces]
    return SCHEMES.format(time=time, convection=f"Gauss {convected}", middle=middle)


def uniform(velocity: Floats) -> str:
    """The condition of an inlet by which all comes in with one velocity (m/s)."""
    return "fixedValue; value uniform ({:.8g} {:.8g} {:.8g})".format(*velocity)


def mapped(folder: Path, mesh: Region, velocities: dict[float, Floats]) -> str:
    """That of one whose faces are given (faces, 3) m/s at times (s), and linear between them; writes their table."""
    own, table = mesh.triangles("inlet"), folder / "constant" / "boundaryData" / "inlet"
    rows = {table / "points": mesh.points[own].mean(axis=1)}
    rows |= {table / f"{when:.9g}" / "U": each for when, each in velocities.items()}
    for path, values in rows.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_listed(values))
    return "timeVaryingMappedFixedValue; mapMethod nearest; setAverage false; offset (0 0 0); value uniform (0 0 0)"


def _listed(vectors: Floats) -> str:
    return f"{len(vectors)}\n(\n" + "\n".join("({:.10g} {:.10g} {:.10g})".format(*row) for row in vectors) + "\n)\n"


def prepare(
    folder: Path, mesh: Region, viscosity: float, walls: tuple[str, ...], inlet: str, start: Floats | None = None
) -> None:
    """A case with a condition for the velocity at the ``inlet`` and zero pressure at every outlet.

    ``start`` (m, 3): velocities (m/s) of the cells to start with; else they are at rest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, "system/controlDict", "dictionary", _control("icoFoam", 1.0, 1.0))
    _write(folder, "system/fvSchemes", "dictionary", _schemes("Euler", PLAIN))
    _write(folder, "system/fvSolution", "dictionary", SOLUTION)
    write_region(folder / "mesh.msh", mesh)
    _run(folder, "gmshToFoam", "mesh.msh")
    boundary = folder / "constant" / "polyMesh" / "boundary"
    text = boundary.read_text()
    for name in walls:
        at = text.index(f"    {name}\n")
        text = text[:at] + text[at:].replace("type            patch", "type            wall", 1)
    boundary.write_text(text)
    properties = f"transportModel Newtonian; nu [0 2 -1 0 0 0 0] {viscosity};\n"
    _write(folder, "constant/transportProperties", "dictionary", properties)
    _write(folder, "constant/turbulenceProperties", "dictionary", "simulationType laminar;\n")
    begun = "uniform (0 0 0)" if start is None else f"nonuniform List<vector> {_listed(start)}"
    none = "uniform 0"
    fields = {
        "U": ("volVectorField", "[0 1 -1 0 0 0 0]", begun, inlet, "zeroGradient", "noSlip"),
        "p": ("volScalarField", "[0 2 -2 0 0 0 0]", none, "zeroGradient", f"fixedValue; value {none}", "zeroGradient"),
    }  # fmt: skip
    for name, (kind, units, value, at_inlet, at_outlet, at_wall) in fields.items():
        lines = [f"{patch} {{ type {at_inlet if patch == 'inlet' else at_wall if patch in walls else at_outlet}; }}"
                 for patch in mesh.names]  # fmt: skip
        body = f"dimensions {units};\ninternalField {value};\nboundaryField {{ {' '.join(lines)} }}\n"
        _write(folder, f"0/{name}", kind, body)


def _run(folder: Path, *command: str) -> str:
    home = Path("/usr/share/openfoam")  # Debian's, which sets nothing by itself
    where = {"WM_PROJECT_DIR": str(home)} if (home / "etc").is_dir() else {}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=where | os.environ)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout


def march(folder: Path, step: float, end: float, scheme: str, faces: str = PLAIN, pictures: int = 1) -> float:
    """Seconds of processor time that icoFoam takes up to ``end`` (s), writing so many ``pictures`` on the way.

    ``scheme`` is that in time (Euler, backward), ``faces`` one of FACES.
    """
    _write(folder, "system/fvSchemes", "dictionary", _schemes(scheme, faces))
    _write(folder, "system/controlDict", "dictionary", _control("icoFoam", step, end, round(end / step / pictures)))
    begun = _processor_time()
    _run(folder, "icoFoam")
    return _processor_time() - begun


def _processor_time() -> float:
    """Of the processes that were run: one that others held up, or shared the processor with, has no more of it."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def seconds_a_step(folder: Path, solver: str, step: float, steps: int) -> float:
    """Wall-clock seconds of one step, start-up left out by a second, longer run."""
    spent = []
    for count in (2, 2 + steps):
        for old in folder.glob("[1-9]*"):
            shutil.rmtree(old)
        for old in folder.glob("0.*"):
            shutil.rmtree(old)
        _write(folder, "system/controlDict", "dictionary", _control(solver, step, count * step))
        begun = time.perf_counter()
        _run(folder, solver)
        spent.append(time.perf_counter() - begun)
    return (spent[1] - spent[0]) / steps


def steady_seconds(folder: Path, most: int = 2000) -> float:
    """simpleFoam to its residuals of 1e-5 in velocity and 1e-4 in pressure."""
    _write(
        folder,
        "system/fvSchemes",
        "dictionary",
        SCHEMES.format(time="steadyState", convection="bounded Gauss linearUpwind grad(U)", middle=PLAIN),
    )
    _write(folder, "system/controlDict", "dictionary", _control("simpleFoam", 1.0, float(most), 5000))
    begun = time.perf_counter()
    _run(folder, "simpleFoam")
    return time.perf_counter() - begun


def cell_values(folder: Path, name: str) -> Floats:
    """The last written vector field (m, 3)."""
    return pictures(folder, name)[-1][1]


def pictures(folder: Path, name: str) -> list[tuple[float, Floats]]:
    """Every written time (s), in turn, with its vector field (m, 3)."""
    times = sorted((float(path.name), path) for path in folder.iterdir() if path.name.replace(".", "").isdigit())
    return [(when, _read(path / name)) for when, path in times if when > 0.0]


def _read(path: Path) -> Floats:
    text = path.read_text()
    body = text[text.index("nonuniform") :]
    body = body[body.index("(") + 1 : body.index("\n)\n")]
    return np.array([[float(value) for value in line.strip("()").split()] for line in body.strip().splitlines()])
