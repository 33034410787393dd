"""The defects: where, what stands there, and what is put in its place. No test was looked at when they were chosen."""

from __future__ import annotations

from dataclasses import dataclass

KERNELS, PARTS = "ext/haiflow/kernels", "src/haiflow"


@dataclass(frozen=True)
class Defect:
    """``file`` from the root of the tree; ``old`` stands in it exactly once."""

    name: str
    file: str
    old: str
    new: str

    @property
    def kernel(self) -> str | None:
        """The kernel that must be built again; None for Python."""
        return self.file.rsplit("/", 1)[1].split(".")[0].split("_")[0] if self.file.startswith(KERNELS) else None

    @property
    def room(self) -> str:
        """The kernel or the folder under src/haiflow that it lies in."""
        return self.kernel or self.file.removeprefix(PARTS).split("/")[1]


def _kernel(name: str, file: str, old: str, new: str) -> Defect:
    return Defect(name, f"{KERNELS}/{file}", old, new)


def _part(name: str, file: str, old: str, new: str) -> Defect:
    return Defect(name, f"{PARTS}/{file}", old, new)


IN_KERNELS = (
    _kernel("limiter-mean", "blood1d_cells.pxi", "mean = 0.25 * (left + right)", "mean = 0.5 * (left + right)"),
    _kernel(
        "shock-force", "blood1d_cells.pxi", "two_per_rho * hp * (area + cubic * hp * hp)", "two_per_rho * hp * area"
    ),
    _kernel("profile-left-out", "blood1d_cells.pxi", "convected = 0.5 * alpha * (", "convected = 0.5 * ("),
    _kernel("venous-pressure", "blood1d_outlets.pxi", "leak * (charge - t[NODE_BASE])", "leak * charge"),
    _kernel("reflection-factor", "blood1d_outlets.pxi", "absorb = 4.0 * t[END_G]", "absorb = 2.0 * t[END_G]"),
    _kernel("wave-ahead", "blood1d_junctions.pxi", " * v * v) - (alpha - 1.0) * v\n", " * v * v)\n"),
    _kernel("end-velocity", "blood1d_step.pxi", "v_1 = w.hu[i] - w.u[i]", "v_1 = -w.u[i]"),
    _kernel("inlet-late", "blood1d_step.pxi", "w.inlet[(w.fine + span) % w.period]", "w.inlet[w.fine % w.period]"),
    _kernel(
        "wall-end",
        "blood1d_wall_ends.pxi",
        "2.0 * (w.flow[k] - w.flow_1[k]) - w.change[k]",
        "w.flow[k] - w.flow_1[k]",
    ),
    _kernel("hancock", "scalar_channel.pxi", "0.5 * (1.0 - fabs(flow[i]) * dt / volume[up])", "0.5"),
    _kernel("van-leer", "scalar_limiters.pxi", "2.0 * product / (a + b)", "product / (a + b)"),
    _kernel("taylor-aris", "scalar_dispersion.pxi", "(48.0 * diffusivity)", "(192.0 * diffusivity)"),
    _kernel("pure-convection", "scalar_dispersion.pxi", "v * length / 3.0", "v * length / 6.0"),
    _kernel("drained-share", "scalar_lumen.pxi", "share = 0.75 if", "share = 1.0 if"),
    _kernel("tip-slope", "scalar_lumen.pxi", "right = c[n - 1] + weight[n] * s[n - 1] if", "right = c[n - 1] if"),
    _kernel("entry-value", "scalar_nodes.pxi", "value = face[f] + mass[end] / away", "value = face[f]"),
    _kernel("split-twice", "scalar_injections.pxi", "mixed = (1.0 - taken) / out", "mixed = 1.0 / out"),
    _kernel("one-sided-limit", "scalar_edges.pxi", "a *= share if share < other else other", "a *= share"),
    _kernel(
        "fall-unseen", "scalar_sweep.pxi", "change if change > 0.0 else -change", "change if change > 0.0 else 0.0"
    ),
    _kernel(
        "boundary-weights",
        "flow3d_gradients.pxi",
        "(6.0 * field[a, f] + field[b, f] + field[c, f]) / 24.0",
        "(field[a, f] + field[b, f] + field[c, f]) / 9.0",
    ),
    _kernel(
        "full-upwind", "flow3d_momentum.pxi", "f - 2.0 * eta * a - k, -f - 2.0 * eta * a - k", "f - a - k, -f - a - k"
    ),
    _kernel(
        "downwind-rest",
        "flow3d_momentum.pxi",
        "&gradient[i, 0, 0] if flux[e] > 0.0",
        "&gradient[i, 0, 0] if flux[e] < 0.0",
    ),
    _kernel("damping-sign", "flow3d_pressure.pxi", "(mean - direct[e])", "(direct[e] - mean)"),
    _kernel("shear-factor", "flow3d_viscosity.pxi", "sqrt(2.0 * total)", "sqrt(total)"),
    _kernel("not-transposed", "flow3d_viscosity.pxi", "t = t + g[3 * d + c]", "t = t + g[3 * c + d]"),
    _kernel(
        "pairs-swapped",
        "volumes.pyx",
        "scale * dot(n[1], n[2]), scale * dot(n[1], n[3])",
        "scale * dot(n[1], n[3]), scale * dot(n[1], n[2])",
    ),
    _kernel("dual-direction", "volumes.pyx", "if tetra[k, a] > tetra[k, b]:", "if tetra[k, a] < tetra[k, b]:"),
    _kernel("tracer-time", "tracers.pyx", "share_of(now + ahead, f)", "share_of(now, f)"),
)

IN_PARTS = (
    _part("bellows-reversed", "pump/drives.py", "(1.0 - volume / self.capacity)", "(volume / self.capacity)"),
    _part("fill-of-label", "pump/drives.py", "bellows_fall * (1.0 - fill)", "bellows_fall * fill"),
    _part("slip-left-out", "pump/drives.py", "self.slip * self.stall_pressure / rate", "self.stall_pressure / rate"),
    _part("window-starts", "pump/accuracy.py", "[times, times - window, [last]]", "[times, [last]]"),
    _part("tip-both-sides", "catheter/orifice.py", '(12.0 if hole.kind == "tip" else 24.0)', "24.0"),
    _part("plug-power", "catheter/orifice.py", "(free**-2 - 1.0)) / (pi", "(free**-1 - 1.0)) / (pi"),
    _part("thin-wall", "catheter/line.py", "return 3.0 * np.pi * inner", "return 2.0 * np.pi * inner"),
    _part(
        "pocket-drive",
        "catheter/ingress.py",
        'drive = -1.0 if hole.outside == "pocket"',
        'drive = 1.0 if hole.outside == "pocket"',
    ),
    _part("throat-length", "arteries/stenosis.py", "1.64 * diameter * np.sqrt(open_share)", "1.64 * diameter"),
    _part("fitted-weight", "arteries/outlets.py", "if z < 1e-4 else", "if z < 1e4 else"),
    _part(
        "proximal-unbounded",
        "arteries/calibration.py",
        "min(characteristic_impedance(tree, node), 0.5 * total)",
        "characteristic_impedance(tree, node)",
    ),
    _part("flux-not-extrapolated", "junction/march.py", "else 2.0 * state.flux - old.flux", "else state.flux"),
    _part("rotational-left-out", "junction/march.py", "new.pressure -= rotational", "pass"),
    _part("outlet-resistance", "junction/projection.py", "- end.resistance * now", "+ end.resistance * now"),
    _part(
        "saturated-by-blood",
        "liver/transport.py",
        "np.maximum(concentration[1::2], 0.0)",
        "np.maximum(concentration[0::2], 0.0)",
    ),
    _part("portal-quadratic", "liver/regulation.py", "0.0007102 * fall**2 + ", ""),
    _part(
        "liver-counted-twice", "body/model.py", "rest = drug.total_clearance - hepatic", "rest = drug.total_clearance"
    ),
    _part("worse-occlusion", "faults/occlusion.py", "max(values[index], severity)", "severity"),
    _part("logistic-end", "faults/growth.py", "- low) / (1.0 - 2.0 * low)", "- low) / (1.0 - low)"),
    _part("run-cut-short", "simulation/averages.py", "min(epoch.end, run.end)", "epoch.end"),
    _part("way-behind-tip", "simulation/way.py", "at >= self.vessels[vessel]", "at <= self.vessels[vessel]"),
    _part("loose-sweeps", "numerics/upwind.py", "TOLERANCE = 1e-14", "TOLERANCE = 1e-6"),
)

DEFECTS = (*IN_KERNELS, *IN_PARTS)
