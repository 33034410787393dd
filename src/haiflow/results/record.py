"""The record of one run: plain numbers and arrays in SI, every part of it optional.

:class:`Results` is what ``haiflow.run`` returns and ``haiflow.open`` reads back. It computes nothing: the simulation
fills it, :mod:`haiflow.results.store` writes it, :mod:`haiflow.report` draws it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats

if TYPE_CHECKING:
    import pandas
    import xarray

PUMP_LINE, CATHETER, ARTERY, FINE_ARTERY = 0, 1, 2, 3
SEVERITIES = ("ok", "warn", "alarm")
Rows = list[dict[str, Any]]
Coords = Mapping[str, Sequence[str] | NDArray[Any]]


@dataclass(frozen=True)
class Series:
    """A variable over named dimensions: ``values.shape`` follows ``dims``; the unit is SI and stated."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    unit: str
    long_name: str


@dataclass(frozen=True)
class Marker:
    """A place to point at in a picture: a leak, an occlusion, the tip. ``position``: (3,) m."""

    name: str
    kind: str  # "leak" | "occlusion" | "dislodgement" | "tip" | "stall"
    position: Floats


@dataclass(frozen=True)
class PumpBody:
    """The pump as a flat cylinder, for pictures only: ``centre`` (3,) m, ``axis`` (3,), ``radius`` and ``height`` m."""

    centre: Floats
    axis: Floats
    radius: float
    height: float


@dataclass(frozen=True)
class Network:
    """Pump line, catheter and arteries as polylines in space.

    ``points``: (n, 3) m. Line i runs through ``connectivity[offsets[i]:offsets[i + 1]]``. Point arrays, each (n,):
    ``part`` (0 pump line, 1 catheter, 2 artery, 3 fine branch inside the liver), ``vessel`` (index into
    ``vessel_names``), ``radius`` (m), ``flow_rate`` (m3/s, along the line), ``pressure`` (gauge Pa), ``concentration``
    (drug, kg/m3).
    """

    points: Floats
    connectivity: NDArray[np.int32]
    offsets: NDArray[np.int32]
    part: NDArray[np.int32]
    vessel: NDArray[np.int32]
    vessel_names: tuple[str, ...]
    radius: Floats
    flow_rate: Floats
    pressure: Floats
    concentration: Floats
    markers: tuple[Marker, ...] = ()
    pump: PumpBody | None = None
    diagram: bool = False  # the arteries have no places in the body: laid out so that they can be seen

    @property
    def n_lines(self) -> int:
        return len(self.offsets) - 1

    def line(self, index: int) -> NDArray[np.int32]:
        """Point indices of one polyline."""
        return self.connectivity[self.offsets[index] : self.offsets[index + 1]]


@dataclass(frozen=True)
class LiverField:
    """The liver as tetrahedra: ``points`` (n, 3) m, ``tetra`` (m, 4), ``cell_data`` (m,) each as in perfusion.vtu.

    Where the drug was followed over time, ``times`` (k,) s and ``frames`` (k, m) are the tissue's concentration
    (kg/m3) in every cell then; the last frame is that of ``drug_concentration_kg_per_m3``.
    """

    points: Floats
    tetra: NDArray[np.int32]
    cell_data: dict[str, NDArray[Any]]
    times: Floats | None = None
    frames: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class JunctionField:
    """The region round the tip: ``points`` (n, 3) m, ``tetra`` (m, 4), boundary triangles ``wall`` (b, 3) with
    ``patch`` (b,) into ``names``, of which ``branches`` let out; ``point_data`` (n,) or (n, 3) as in junction.vtu.

    ``times`` (k,) s within the cycle with ``velocity`` (k, n, 3) m/s and ``drug`` (k, n), share of infusate in the
    blood over that of perfect mixing. ``trails`` (N, j, 3) m: ways of tracers, NaN beyond their ends;
    ``trail_branch`` (N,): the branch that each left by, -1 for none.
    """

    points: Floats
    tetra: NDArray[np.int32]
    wall: NDArray[np.int32]
    patch: NDArray[np.int32]
    names: tuple[str, ...]
    branches: tuple[str, ...]
    point_data: dict[str, NDArray[Any]]
    times: Floats
    velocity: NDArray[np.float32]
    drug: NDArray[np.float32]
    trails: NDArray[np.float32]
    trail_branch: NDArray[np.int32]
    period: float = 0.0  # s, of the beat that all stands for; 0 where the blood is steady


@dataclass(frozen=True)
class Scan:
    """A planar scintigram of an agent that lodged in the liver: what a gamma camera in front of the patient sees.

    ``image`` (nz, nx): amount of the agent (kg) behind each pixel, rows from below, columns from the patient's right
    (smaller x) to the left; ``x`` (nx + 1,) and ``z`` (nz + 1,) m are the pixels' borders in the liver's frame. The sum
    of the image is the amount in the liver.
    """

    agent: str
    image: Floats
    x: Floats
    z: Floats


@dataclass(frozen=True)
class Finding:
    """One line of the verdict: ``severity`` is "ok", "warn" or "alarm"."""

    severity: str
    text: str


@dataclass(frozen=True)
class Event:
    """Something that happens at ``time_s`` (s): a refill, a bolus, the onset of a fault. ``kind`` chooses its sign."""

    time_s: float
    name: str
    kind: str = "event"


class Presenter(Protocol):
    """What draws a result (``haiflow.report`` has one): results cannot import it, so it is handed in."""

    def begin(self, results: Results, folder: Path) -> None:
        """Starts the slow pictures for ``folder``; returns at once."""

    def finish(self, results: Results, folder: Path) -> list[str]:
        """Writes figures and page into ``folder``; returns notes on what could not be drawn."""

    def abandon(self) -> None:
        """Stops whatever still draws."""

    def scene(self, results: Results) -> Any:
        """The 3D scene as a pyvista Plotter."""


@dataclass
class Results:
    """All that one run found; any part may be missing (no pump, no liver) and is then empty or None.

    ``summary`` has the keys of summary.json; ``history_series`` and ``cycle_series`` map names to :class:`Series`,
    whose dimensions have their values in ``history_coords`` (``time`` in s; ``terminal``, ``segment``, ``drug``,
    ``account``, ``hole`` as names) and ``cycle_coords`` (``time``, ``vessel``, ``station``). Rows, detection and
    verdict are taken from the summary where not given. ``twin`` within the summary, where there is one, is the same
    run without its faults: at least ``segments.<name>.drug_delivered_kg``.
    """

    summary: dict[str, Any]
    segment_rows: Rows = field(default_factory=list)
    vessel_rows: Rows = field(default_factory=list)
    history_series: dict[str, Series] = field(default_factory=dict)
    history_coords: dict[str, Any] = field(default_factory=dict)
    cycle_series: dict[str, Series] = field(default_factory=dict)
    cycle_coords: dict[str, Any] = field(default_factory=dict)
    network: Network | None = None
    liver: LiverField | None = None
    scan: Scan | None = None
    junction: JunctionField | None = None
    events: list[Event] = field(default_factory=list)
    verdict: list[Finding] = field(default_factory=list)
    detection: Rows = field(default_factory=list)
    scenario_yaml: str = ""
    inputs: Rows = field(default_factory=list)  # {name, value (as given, with unit), si, source}
    provenance: dict[str, Any] = field(default_factory=dict)
    presenter: Presenter | None = field(default=None, repr=False, compare=False)
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        from haiflow.results import rows, verdict

        self.segment_rows = self.segment_rows or rows.segments(self.summary)
        self.vessel_rows = self.vessel_rows or rows.vessels(self.summary)
        self.detection = self.detection or rows.detection(self.summary)
        self.verdict = self.verdict or verdict.judge(self.summary)

    @property
    def segments(self) -> pandas.DataFrame:
        """A row per Couinaud segment and tumour (needs pandas)."""
        from haiflow.results import tables

        return tables.frame(self.segment_rows)

    @property
    def vessels(self) -> pandas.DataFrame:
        """A row per vessel (needs pandas)."""
        from haiflow.results import tables

        return tables.frame(self.vessel_rows)

    @property
    def history(self) -> xarray.Dataset:
        """The time series of the run (needs xarray); ``history["pump_flow_rate"].attrs["units"]`` is its unit."""
        from haiflow.results import tables

        return tables.dataset(self.history_series, self.history_coords)

    @property
    def cycle(self) -> xarray.Dataset:
        """The periodic cardiac cycle in the arteries (needs xarray)."""
        from haiflow.results import tables

        return tables.dataset(self.cycle_series, self.cycle_coords)

    def save(self, folder: str | Path, force: bool = False) -> Path:
        """Writes the output folder; raises InputError where ``folder`` exists and ``force`` is not given."""
        from haiflow.results import store

        return store.save(self, Path(folder), force=force)

    def scene(self) -> Any:
        """The 3D scene as a pyvista Plotter; raises HaiflowError where no presenter was handed in."""
        from haiflow.errors import HaiflowError

        if self.presenter is None:
            raise HaiflowError("these results have no presenter: open them with haiflow.open")
        return self.presenter.scene(self)

    @classmethod
    def open(cls, folder: str | Path, presenter: Presenter | None = None) -> Results:
        """Reads an output folder back (``haiflow.open`` adds the presenter)."""
        from haiflow.results import reader

        return reader.read(Path(folder), presenter)
