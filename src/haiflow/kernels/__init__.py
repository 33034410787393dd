"""Compiled loops: arrays in, arrays out, nothing else.

Every kernel exists twice, ``portable`` and ``x86_64_v3`` (AVX2, FMA). This package offers the fastest build that the
processor can run; the environment variable ``HAIFLOW_KERNELS`` names one of the two by hand.
"""

import os
from importlib import import_module
from types import ModuleType

NEEDS = {"x86_64_v3": ("AVX2", "FMA3"), "portable": ()}


def _level() -> str:
    asked = os.environ.get("HAIFLOW_KERNELS")
    if asked:
        if asked not in NEEDS:
            raise ImportError(f"HAIFLOW_KERNELS={asked}: unknown build; use one of {', '.join(NEEDS)}")
        return asked
    from numpy._core._multiarray_umath import __cpu_features__ as features

    for level, needs in NEEDS.items():
        if all(features.get(need, False) for need in needs) and _is_built(level):
            return level
    return "portable"


def _is_built(level: str) -> bool:
    try:
        import_module(f"{__name__}.{level}.blood1d")
    except ImportError:
        return False
    return True


LEVEL = _level()


def kernel(name: str) -> ModuleType:
    """The compiled module ``name`` in the build chosen for this machine."""
    return import_module(f"{__name__}.{LEVEL}.{name}")
