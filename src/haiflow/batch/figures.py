"""The results of a variant that stand in the table of variants: one number each, SI, the unit in the name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from haiflow.criteria import Criterion

Summary = Mapping[str, Any]
SEGMENTS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")


def _at(*path: str) -> Callable[[Summary], float | None]:
    def value(summary: Summary) -> float | None:
        here: Any = summary
        for step in path:
            here = here.get(step) if isinstance(here, Mapping) else None
        return float(here) if isinstance(here, int | float) and not isinstance(here, bool) else None

    return value


def _over(group: str, key: str, take: Callable[[list[float]], float]) -> Callable[[Summary], float | None]:
    def value(summary: Summary) -> float | None:
        rows = summary.get(group) or {}
        rows = rows.values() if isinstance(rows, Mapping) else rows
        found = [float(row[key]) for row in rows if isinstance(row, Mapping) and row.get(key) is not None]
        return take(found) if found else None

    return value


def _largest_share(summary: Summary) -> float | None:
    """Of all the drug at the tip's junction, by one branch: one where all holes' threads go to one side."""
    branches: dict[str, float] = {}
    for row in summary.get("split") or []:
        for branch, share in (row.get("fractions") or {}).items():
            branches[branch] = branches.get(branch, 0.0) + row.get("share_of_infusate", 1.0) * share
    return max(branches.values(), default=None)


def _undetected(summary: Summary) -> float | None:
    rows = summary.get("detection") or []
    return float(sum(row.get("time_s") is None for row in rows)) if rows else None


def _under_perfused(summary: Summary) -> float | None:
    """Segments with less than half of the arterial blood that they have without the faults."""
    now, twin = summary.get("segments") or {}, (summary.get("twin") or {}).get("segments") or {}
    key = "arterial_flow_m3_per_s"
    pairs = [(row.get(key), twin.get(name, {}).get(key)) for name, row in now.items()]
    return float(sum(a < 0.5 * b for a, b in pairs if a is not None and b)) if twin else None


FIGURES: dict[str, Callable[[Summary], float | None]] = {
    "pump.mean_flow_rate_m3_per_s": _at("pump", "mean_flow_rate_m3_per_s"),
    "pump.infused_volume_m3": _at("pump", "infused_volume_m3"),
    "pump.max_pressure_pa": _at("pump", "max_pressure_pa"),
    "pump.stalled_at_s": _at("pump", "stalled_at_s"),
    "catheter.tip_flow_rate_m3_per_s": _at("catheter", "tip_flow_rate_m3_per_s"),
    "catheter.leaked_drug_kg": _at("catheter", "leaked_drug_kg"),
    "catheter.tip_ingress_m3_per_cycle": _at("catheter", "tip_ingress_m3_per_cycle"),
    "segments.sum_drug_delivered_kg": _over("segments", "drug_delivered_kg", sum),
    "segments.min_dose_fraction": _over("segments", "dose_fraction", min),
    "segments.max_dose_fraction": _over("segments", "dose_fraction", max),
    "segments.sum_dose_fraction": _over("segments", "dose_fraction", sum),
    **{f"segments.{name}.dose_fraction": _at("segments", name, "dose_fraction") for name in SEGMENTS},
    "segments.under_perfused": _under_perfused,
    "tumours.min_dose_fraction": _over("tumours", "dose_fraction", min),
    "tumours.min_mean_tissue_concentration_kg_per_m3": _over("tumours", "mean_tissue_concentration_kg_per_m3", min),
    "split.largest_branch_fraction": _largest_share,
    "junction.split_doubt_fraction": _at("junction", "split_doubt"),
    "junction.split_disagreement_fraction": _at("junction", "split_disagreement"),
    "off_target.sum_dose_fraction": _over("off_target", "dose_fraction", sum),
    "body.peak_concentration_kg_per_m3": _at("body", "peak_concentration_kg_per_m3"),
    "body.exposure_kg_s_per_m3": _at("body", "exposure_kg_s_per_m3"),
    "body.hepatic_advantage": _at("body", "hepatic_advantage"),
    "detection.max_time_s": _over("detection", "time_s", max),
    "detection.undetected": _undetected,
    "ledger.drug.relative_imbalance": _at("ledger", "drug", "relative_imbalance"),
    "ledger.carrier.relative_imbalance": _at("ledger", "carrier", "relative_imbalance"),
}


def figures(summary: Summary, criteria: Sequence[Criterion]) -> dict[str, float | None]:
    """All figures of a summary; those that the criteria ask for are as the criteria have them (what never happens is
    late without end)."""
    found = {name: value(summary) for name, value in FIGURES.items()}
    return found | {criterion.name: criterion.value(summary) for criterion in criteria}
