"""A scenario whose tip is solved in 3D in a square duct that parts to both sides."""

import pytest

import haiflow
from haiflow.mesh.patches import write_region
from haiflow.verify.shapes import duct

SCENARIO = """
haiflow: 1
name: Tip in 3D
pump: {{model: intera-3000, fill: {{drug: floxuridine, dose: 0.12 mg/kg/day, volume: 30 mL, infusate: heparin-saline}}}}
catheter:
  model: intera-straight
  outer_diameter: 1.2 mm
  tip: {{vessel: proper_hepatic_distal, position: 8 mm, resolve: 3d, flow: {flow}, steps: 60, mesh: {mesh}}}
arteries:
  anatomy: michels-1
  ligated: [gastroduodenal, right_gastric]
  inflow: {{vessel: common_hepatic, mean: 300 mL/min, waveform: hepatic-artery, heart_rate: 70 /min}}
liver: {{model: standard}}
run: {{clock: {clock}, duration: {duration}, output_every: {every}}}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HAIFLOW_CACHE", str(tmp_path / "cache"))


@pytest.fixture(name="scenario")
def scenario_in_a_duct():
    """``scenario(folder, clock, flow, branches, hole_at)``: mesh and file written into ``folder``, and loaded."""
    return scenario


def scenario(tmp_path, clock="therapy", flow="steady", branches=("right_hepatic", "left_hepatic"), **hole):
    write_region(tmp_path / "duct.msh", duct(branches, **hole))
    every, duration = ("6 h", "1 d") if clock == "therapy" else ("1 s", "3 s")
    text = SCENARIO.format(flow=flow, mesh="duct.msh", clock=clock, duration=duration, every=every)
    (tmp_path / "tip.yaml").write_text(text)
    return haiflow.load(tmp_path / "tip.yaml")
