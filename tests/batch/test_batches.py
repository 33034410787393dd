"""A batch: the same however it is run, refused where it would destroy, and read by what people have."""

import csv
import json

import numpy as np
import pytest

GOOD, BAD = 16, 8


def rows(folder):
    with (folder / "variants.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_one_and_two_workers_give_the_same(sweep, undisturbed, same):
    assert sweep.run("--workers", "2")[0] == 4
    assert same(sweep.out) == undisturbed


def test_shards_give_the_same_and_the_last_one_gathers(sweep, undisturbed, same):
    processes = [sweep.start("--workers", "1", "--shard", f"{part}/3") for part in (1, 2, 3)]
    codes = [(process.communicate(timeout=120), process.returncode)[1] for process in processes]
    assert set(codes) <= {0, 4}
    assert 4 in codes
    assert same(sweep.out) == undisturbed


def test_a_bad_variant_is_a_row(sweep):
    code, said = sweep.run("--workers", "1")
    assert code == 4
    assert f"{GOOD} of {GOOD + BAD} complete, {BAD} failed" in said
    table = rows(sweep.out)
    assert [row["status"] for row in table] == ["complete"] * GOOD + ["failed"] * BAD
    assert all("no thickness" in row["message"] for row in table[GOOD:])
    assert sorted(int(row["rank"]) for row in table) == list(range(1, GOOD + BAD + 1))
    best = min(table, key=lambda row: int(row["rank"]))
    flows = {row["variant"]: float(row["pump.mean_flow_rate_m3_per_s"]) for row in table[:GOOD]}
    assert best["variant"] == max(flows, key=flows.__getitem__)
    for row in table[:GOOD]:
        summary = json.loads((sweep.out / row["variant"] / "summary.json").read_text())
        assert float(row["pump.mean_flow_rate_m3_per_s"]) == summary["pump"]["mean_flow_rate_m3_per_s"]
        met = summary["pump"]["mean_flow_rate_m3_per_s"] > 1.2e-6 / 86400
        assert row["meets pump.mean_flow_rate > 1.2 mL/day"] == str(int(met))


def test_a_folder_that_is_there_is_left_alone(sweep):
    text = sweep.file.read_text()
    small = text.replace(", 9 mm]", "]").replace("n: 8", "n: 2")
    sweep.file.write_text(small)
    assert sweep.run("--workers", "1")[0] == 0
    before = sweep.variants()
    for options, word in (
        ((), "is not overwritten"),
        (("--resume", "--set", "run.duration=3 d"), "holds another batch"),
        (("--shard", "1/2", "--set", "sweep.seed=8"), "holds another batch"),
        (("--shard", "3/2"), "not a part of a whole"),
        (("--workers", "0"), "at least one worker"),
    ):
        code, said = sweep.run(*options)
        assert (code, sweep.variants()) == (2, before), options
        assert word in said
    assert sweep.run("--resume")[0] == 0
    assert sweep.variants() == before
    assert sweep.run("--force", "--set", "sweep.seed=8")[0] == 0
    assert len(sweep.variants()) == 4
    assert sweep.variants() != before
    other = sweep.folder / "other"
    other.mkdir()
    (other / "precious").write_text("")
    sweep.out = other
    assert sweep.run("--force")[0] == 2
    assert (other / "precious").exists()


def test_a_variants_folder_runs_again_to_the_same(sweep, capsys):
    from haiflow.cli import main

    sweep.file.write_text(sweep.file.read_text().replace(", 9 mm]", "]").replace("n: 8", "n: 1"))
    assert sweep.run("--workers", "1")[0] == 0
    again = sweep.folder / "again"
    with pytest.raises(SystemExit) as ended:
        main(["run", str(sweep.out / "0001" / "scenario.yaml"), "-o", str(again), "--quiet"])
    assert ended.value.code == 0
    one, two = (json.loads((each / "summary.json").read_text()) for each in (sweep.out / "0001", again))
    assert one["pump"] == two["pump"]
    assert one["scenario"]["sha256"] == two["scenario"]["sha256"]


def test_tables_and_histories_open(sweep):
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    assert sweep.run("--workers", "1")[0] == 4
    table = pandas.read_csv(sweep.out / "variants.csv", dtype={"variant": str})
    assert len(table) == GOOD + BAD
    assert table["pump.rate_error"].dtype == float
    with xarray.open_dataset(sweep.out / "histories.nc") as histories:
        assert histories["pump_flow_rate"].dims == ("variant", "time")
        assert histories.sizes["variant"] == GOOD + BAD
        assert histories["pump_flow_rate"].attrs["units"] == "m3/s"
        assert np.isnan(histories["pump_flow_rate"][GOOD:]).all()
        with xarray.open_dataset(sweep.out / "0003" / "history.nc") as own:
            found = histories["pump_flow_rate"].sel(variant="0003")
            assert np.allclose(found, own["pump_flow_rate"], rtol=1e-6)
        assert np.allclose(histories["input_pump_rate_error"], table["pump.rate_error"])


def test_a_batch_that_was_killed_while_it_was_laid_out_goes_on(sweep, undisturbed, same):
    (sweep.out / ".batch" / "partial").mkdir(parents=True)
    (sweep.out / ".batch" / "table-0.npy").write_bytes(b"")
    assert sweep.run("--workers", "2")[0] == 2
    assert sweep.run("--workers", "2", "--resume")[0] == 4
    assert same(sweep.out) == undisturbed


IN_3D = """haiflow: 1
name: livers
pump: {model: intera-3000, fill: {drug: floxuridine, dose: 0.12 mg/kg/day, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal, position: ostium}}
arteries: {anatomy: michels-1}
liver: {model: standard, resolve: 3d, terminals: 40}
run: {duration: 1 d, output_every: 12 h}
sweep:
  catheter.length: [40 cm, 60 cm]
  faults: {sound: true, each of: [{kind: occlusion, where: {vessel: right_hepatic}, severity: 0.9, onset: 12 h}]}
"""


@pytest.mark.slow
def test_a_liver_in_3d_is_grown_once_and_gives_the_same_bits(sweep, same):
    sweep.file.write_text(IN_3D)
    assert sweep.run("--workers", "1")[0] == 0
    alone = same(sweep.out)
    assert sweep.run("--workers", "2", "--force")[0] == 0
    assert same(sweep.out) == alone
    summary = json.loads((sweep.out / "0003" / "summary.json").read_text())
    assert summary["solver"]["liver"]["pressure_solves"] > 1
