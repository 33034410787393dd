"""The table of cases by group, choosing among them, and running them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from threadpoolctl import threadpool_limits

from haiflow.errors import InputError
from haiflow.verify import cylinder, flow_exact, flow_published, manifold, nozzle, streaming
from haiflow.verify.arteries import ARTERIES
from haiflow.verify.body import BODY
from haiflow.verify.catheter import CATHETER
from haiflow.verify.chain import COUPLING
from haiflow.verify.liver import LIVER
from haiflow.verify.model import VALIDATION, WEAK, Case, Figure, Plot
from haiflow.verify.pump import PUMP
from haiflow.verify.streaming_published import off_centre_catheter
from haiflow.verify.tip_in_y import even_y

NOT_RUN = "not run"
SCHAEFER = "Schaefer & Turek 1996, Notes Numer Fluid Mech 52:547; accurate values: Nabh 1998"
CAVITY = "Botella & Peyret 1998; Ghia et al. 1982"
JUNCTION = (
    Case("rest", "no flow arises from none", "exact", flow_exact.rest),
    Case("poiseuille", "steady pipe flow", "exact (Poiseuille)", flow_exact.poiseuille),
    Case("womersley", "pulsating pipe flow", "exact (Womersley 1955)", flow_exact.womersley_pipe),
    Case("taylor-green", "order in space and time, plane", "exact", flow_exact.taylor_green),
    Case("taylor-green-box", "order in space and time, three dimensions", "exact", flow_exact.taylor_green_box),
    Case("time", "order in time alone", "manufactured", flow_exact.order_in_time),
    Case("cavity", "lid-driven cavity", CAVITY, flow_published.cavity),
    Case("cavity-128", "lid-driven cavity, Re 1000", CAVITY, flow_published.cavity_fine, slow=True),
    Case("step", "reattachment behind a step", "Erturk 2008, Comput Fluids 37:633", flow_published.backward_step),
    Case("cylinder-2d-1", "steady flow past a cylinder", SCHAEFER, cylinder.cylinder_steady, slow=True),
    Case("cylinder-2d-2", "shedding behind a cylinder", SCHAEFER, cylinder.cylinder_shedding, slow=True),
    Case("cylinder-3d-1z", "steady flow past a cylinder in a square channel", SCHAEFER, cylinder.cylinder_box_steady,
         slow=True),
    Case("bend", "friction in a bent pipe", "White 1929, Proc R Soc A 123:645", flow_published.bend,
         evidence=VALIDATION, limits="a fit to measurements in rigid tubes, steady flow"),
    Case("nozzle", "FDA's nozzle, throat Re 500, against the converged axisymmetric solution",
         "benchmarks/nozzle_reference.py; measured: Hariharan et al. 2011, J Biomech Eng 133:041002",
         nozzle.nozzle, slow=True, limits="at three of eleven places the equations' own solution lies 0.2 to 2.0 %"
         " above five laboratories' spread, and haiflow with it: stated, and counted as not met"),
    Case("turning", "drug carried round", "exact", streaming.turning_shapes),
    Case("symmetric-split", "streaming split of equal branches", "symmetry", streaming.symmetric),
    Case("dividing-streamline", "streaming split of unequal branches", "conservation", streaming.dividing_streamline),
    Case("tip-in-a-y", "catheters' tips in an even Y, the whole way of a run", "symmetry", even_y, slow=True,
         needs="gmsh"),
    Case("sixteen-branches", "a thread in a tree that parts four times", "order of streamlines in a plane",
         manifold.sixteen_branches, slow=True),
    Case("reflux", "an infusion stronger than the artery's flow goes back upstream", "conservation", streaming.reflux),
    Case("off-centre-catheter", "how far from even two equal branches are fed",
         "van den Hoven et al. 2015, J Exp Clin Cancer Res 34:74", off_centre_catheter, evidence=WEAK,
         limits="plane, steady flow; the lateral place of the catheter's tip is an assumed distribution"),
)  # fmt: skip
GROUPS: dict[str, tuple[Case, ...]] = {
    "pump": PUMP, "catheter": CATHETER, "arteries": ARTERIES, "junction": JUNCTION, "liver": LIVER, "body": BODY,
    "coupling": COUPLING,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a case gave, or the message that it ended with."""

    group: str
    case: Case
    figures: tuple[Figure, ...]
    seconds: float
    failure: str = ""
    plots: tuple[Plot, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.group}/{self.case.name}"

    @property
    def passed(self) -> bool:
        """False for a case that gave no figure that decides, too: it has shown nothing."""
        deciding = [figure for figure in self.figures if not figure.stated]
        return not self.failure and bool(deciding) and all(figure.passed for figure in deciding)

    @property
    def stated(self) -> tuple[Figure, ...]:
        """The figures that are shown and decide nothing."""
        return tuple(figure for figure in self.figures if figure.stated)

    @property
    def passing_rivals(self) -> list[str]:
        """The wrong models that lie in every interval that they are held against."""
        held = [(rival.says, figure.lets_pass(rival)) for figure in self.figures for rival in figure.rivals]
        return [says for says in dict.fromkeys(says for says, _ in held) if all(each for name, each in held
                                                                                if name == says)]  # fmt: skip

    @property
    def state(self) -> str:
        return "passed" if self.passed else (self.failure if self.failure == NOT_RUN else "failed")


def every() -> list[tuple[str, Case]]:
    return [(group, case) for group, cases in GROUPS.items() for case in cases]


def chosen(names: Sequence[str], slow: bool, lacking: bool = False) -> list[tuple[str, Case]]:
    """The cases of the named groups and cases, all where none is named; slow ones only by name or with ``slow``, those
    that need what is not installed by name, to fail with what to install, or with ``lacking``.

    A case goes by its name, or by ``group/name`` as it is listed.
    """
    known = {*GROUPS, *(case.name for _, case in every()), *(f"{group}/{case.name}" for group, case in every())}
    for name in names:
        if name not in known:
            raise InputError("haiflow verify", name, "no group or case of that name", _remedy(name, known))
    return [
        (group, case)
        for group, case in every()
        if {case.name, f"{group}/{case.name}"} & set(names)
        or ((not names or group in names) and (slow or not case.slow) and (lacking or case.runnable))
    ]


def _remedy(name: str, known: set[str]) -> str:
    """The nearest name, or where all of them are listed: there are too many to tell."""
    close = get_close_matches(name, sorted(known), n=1)
    return f"did you mean '{close[0]}'?" if close else f"name a group ({', '.join(GROUPS)}) or a case of --list"


def run(cases: Sequence[tuple[str, Case]], tell: Callable[[str], None]) -> Iterator[Outcome]:
    """One outcome after the other; a case that breaks is an outcome too."""
    for group, case in cases:
        tell(f"{group}/{case.name}")
        yield one(group, case)


def one(group: str, case: Case) -> Outcome:
    """Runs a case on one thread."""
    begun = time.perf_counter()
    try:
        with threadpool_limits(limits=1):
            found, failure = list(case.run()), ""
    except Exception as error:  # a broken case must not hide the others
        found, failure = [], f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begun
    figures = tuple(each for each in found if isinstance(each, Figure))
    return Outcome(group, case, figures, seconds, failure, tuple(each for each in found if isinstance(each, Plot)))


def left_out(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The cases that were not run, as outcomes that say so: a report that leaves none out needs them."""
    ran = {outcome.name for outcome in outcomes}
    return [Outcome(group, case, (), 0.0, NOT_RUN) for group, case in every() if f"{group}/{case.name}" not in ran]
