"""Builds the Cython kernels; everything else is in pyproject.toml.

Each kernel is compiled twice from one source: ``haiflow.kernels.portable`` for any machine and
``haiflow.kernels.x86_64_v3`` for processors with AVX2 and FMA; ``haiflow.kernels`` chooses at import.
``HAIFLOW_DEBUG=1`` builds with bounds checks, initialisation checks and symbols; ``HAIFLOW_SANITISE=1``
without them, but with the address and undefined-behaviour sanitisers of the compiler, which look where Cython does not.
"""

import os
import platform
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = sorted(path.stem for path in Path("ext/haiflow/kernels").glob("*.pyx"))
INCLUDED = sorted(str(path) for path in Path("ext/haiflow/kernels").glob("*.px[id]"))
DEBUG = os.environ.get("HAIFLOW_DEBUG", "0") not in ("", "0")
SANITISE = os.environ.get("HAIFLOW_SANITISE", "0") not in ("", "0")

# NaN must stay detectable and errno unused: never -ffast-math (it implies finite-math-only).
FAST = ["-O3", "-fno-math-errno", "-fno-trapping-math"]
CAREFUL = ["-O1", "-g"]
FAST_WINDOWS = ["/O2", "/fp:precise"]  # MSVC's own default, said aloud: NaN stays detectable
CAREFUL_WINDOWS = ["/Od"]
WATCHED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]
MODE = "-sanitised" if SANITISE else "-debug" if DEBUG else ""
LEVELS = {"portable": []}
if platform.machine().lower() in ("x86_64", "amd64") and sys.platform != "win32":
    LEVELS["x86_64_v3"] = ["-march=x86-64-v3"]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "initializedcheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def compile_flags() -> list[str]:
    if sys.platform == "win32":
        if SANITISE:
            raise SystemExit("HAIFLOW_SANITISE needs gcc or clang: build without it on Windows")
        return CAREFUL_WINDOWS if DEBUG else FAST_WINDOWS
    return [*CAREFUL, *WATCHED] if SANITISE else CAREFUL if DEBUG else FAST


def extensions(level: str, flags: list[str]) -> list[Extension]:
    return [
        Extension(
            f"haiflow.kernels.{level}.{name}",
            [f"ext/haiflow/kernels/{name}.pyx"],
            depends=INCLUDED,
            extra_compile_args=[*compile_flags(), *flags],
            extra_link_args=WATCHED[:1] if SANITISE else [],
        )
        for name in KERNELS
    ]


def cythonized() -> list[Extension]:
    modules = []
    for level, flags in LEVELS.items():
        # One folder of generated C per interpreter, level and mode: staleness is judged by time stamps alone.
        folder = f"build/cython-{sys.implementation.cache_tag}-{level}{MODE}"
        modules += cythonize(
            extensions(level, flags), build_dir=folder, include_path=["ext"], compiler_directives=DIRECTIVES, quiet=True
        )
    return modules


class BuildKernels(build_ext):
    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count() or 1
        # A debug object must never be taken for a fast one.
        self.build_temp = f"{self.build_temp}{MODE}"


setup(ext_modules=cythonized(), cmdclass={"build_ext": BuildKernels})
