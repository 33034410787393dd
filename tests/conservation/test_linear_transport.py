"""Liver, body and beds keep the rules of ports.LinearTransport: what leaves a column arrives, leaves, or is lost."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haiflow.body.beds import Bed, bed_transport
from haiflow.body.model import Body, SystemicKinetics
from haiflow.body.model import transport as body_transport
from haiflow.liver.build import TumourSpec, build_liver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import SEGMENTS
from haiflow.liver.transport import transport as liver_transport
from haiflow.ports import LinearTransport

FLOW = st.floats(0.0, 1e-4)
SHARE = st.floats(0.0, 1.0)


def check(balance: LinearTransport) -> None:
    n = len(balance.names)
    assert balance.rate.shape == (n, n)
    assert balance.gain.shape == (n, len(balance.inlets))
    assert balance.outlet.shape == (len(balance.outlets), n)
    assert balance.volume.shape == balance.loss.shape == (n,)
    assert np.all(balance.volume > 0.0)
    size = np.abs(balance.rate.toarray()).sum(axis=0) + 1e-300
    left = balance.rate.toarray().sum(axis=0) + balance.outlet.toarray().sum(axis=0) + balance.loss
    assert np.all(np.abs(left) <= 1e-14 * size)
    np.testing.assert_allclose(balance.gain.toarray().sum(axis=0), 1.0, rtol=1e-15)
    off_diagonal = balance.rate.toarray() - np.diag(np.diag(balance.rate.toarray()))
    assert np.all(off_diagonal >= 0.0)
    assert np.all(balance.outlet.toarray() >= 0.0)
    assert np.all(balance.loss >= 0.0)


@settings(max_examples=60, deadline=None)
@given(
    ratio=st.floats(0.0, 0.99), partition=st.floats(0.1, 20.0), exchange=st.none() | st.floats(1e-4, 10.0),
    trapped=SHARE, saturation=st.floats(1e-9, 1.0), arterial=st.lists(FLOW, min_size=10, max_size=10),
    concentration=st.floats(0.0, 1.0), diameter=st.floats(1e-3, 0.04),
)  # fmt: skip
def test_liver(
    ratio: float, partition: float, exchange: float | None, trapped: float, saturation: float, arterial: list[float],
    concentration: float, diameter: float,
) -> None:  # fmt: skip
    liver = build_liver(
        tumours=[TumourSpec(diameter, segment="VIII"), TumourSpec(0.03, segment="II", metabolism_ratio=0.5)]
    )
    drug = DrugKinetics("drug", ratio, partition, exchange, saturation, trapped)
    flows = dict(zip(liver.names, arterial, strict=True))
    check(liver_transport(liver, drug, flows, np.full(2 * len(liver.names), concentration)))


@settings(max_examples=60, deadline=None)
@given(
    arterial=FLOW,
    portal=FLOW,
    peripheral=st.floats(0.0, 0.1),
    between=FLOW,
    total=FLOW,
    ratio=st.floats(0, 0.99),
    trapped=SHARE,
)
def test_body(
    arterial: float, portal: float, peripheral: float, between: float, total: float, ratio: float, trapped: float
) -> None:
    drug = SystemicKinetics("drug", 0.015, peripheral, between, total, ratio, trapped)
    check(body_transport(Body(), drug, arterial, portal))


@settings(max_examples=60, deadline=None)
@given(flows=st.lists(FLOW, min_size=1, max_size=5), trapped=SHARE, drains=st.sampled_from(["portal", "veins"]))
def test_beds(flows: list[float], trapped: float, drains: str) -> None:
    balance = bed_transport([Bed(f"bed_{k}", flow, drains) for k, flow in enumerate(flows)], trapped)
    check(balance)
    out = balance.outlet.toarray()[balance.outlets.index(drains)]
    np.testing.assert_allclose(out[: len(flows)], flows)


def test_every_segment_has_its_inlets() -> None:
    balance = liver_transport(build_liver(), DrugKinetics("drug"), {})
    assert set(balance.inlets) == {f"{route}:{name}" for route in ("artery", "portal") for name in SEGMENTS}
    assert balance.outlets == ("hepatic_veins",)
