"""The YAML reader: what it means, where things stand, and what it refuses, quickly."""

import os
import signal
import time

import pytest

from haiflow.errors import InputError
from haiflow.scenario.read import LARGEST_FILE, Mark, read_file, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("true", True), ("false", False), ("True", "True"),
        ("~", None), ("null", None), ("12:30", "12:30"), ("010", "010"), ("0x1F", "0x1F"), ("1_000", "1_000"),
        ("1e-3", 1e-3), ("-2.5E+2", -250.0), (".5", 0.5), ("3.", 3.0), ("12", 12), ("-7", -7), ("0", 0),
        (".inf", ".inf"), (".nan", ".nan"), ("2024-01-01", "2024-01-01"), ("'12'", "12"), ("5 mm", "5 mm"),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_they_look_like(text, value):
    read = read_text(f"key: {text}\n", "s.yaml").root["key"]
    assert read == value
    assert type(read) is type(value)


def test_every_key_and_value_has_its_line_and_column():
    document = read_text("a: 1\nb:\n  - {c: 2,\n     d: [x, y]}\n", "s.yaml")
    assert document.root == {"a": 1, "b": [{"c": 2, "d": ["x", "y"]}]}
    assert document.values[("a",)] == Mark("s.yaml", 1, 4)
    assert document.keys[("b", 0, "d")] == Mark("s.yaml", 4, 6)
    assert document.values[("b", 0, "d", 1)] == Mark("s.yaml", 4, 13)
    assert document.place(("b", 0, "d", 1)) == "s.yaml:4:13: b.0.d.1"


def test_columns_count_characters_not_bytes():
    assert read_text('näme: {"µ": 1, b: 2}', "s").keys[("näme", "b")].column == 16


def test_what_has_no_mark_is_placed_at_what_holds_it():
    document = read_text("pump:\n  model: x\n", "s.yaml")
    assert document.place(("pump", "reservoir_volume")) == "s.yaml:1:1: pump.reservoir_volume"


def test_aliases_are_read():
    assert read_text("a: &x {k: [1, 2]}\nb: *x\n", "s").root == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}}


def _bomb(levels):
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines)


REFUSED = [
    ("a: 1\nb: 2\na: 3", "s:3:1: a: 'a': the key stands twice (first in line 1)", "keep one"),
    ("b: {d: 1, d: 2}", "s:1:11: b.d: 'd': the key stands twice", "keep one"),
    (_bomb(12), "over 400000: the file expands to too many values", "no aliases of aliases"),
    ("a: " + "[" * 5000, "over 40 levels: nested too deeply", "ten levels"),
    ("a: " + "{x: " * 5000, "over 40 levels: nested too deeply", "ten levels"),
    ("a: &x [1, *x]", "s:1:11: a.1: *x: the alias refers to itself", "write the value out"),
    ("a: *nothing", "s:1:4: a: *nothing: the alias refers to itself or to nothing", "write the value out"),
    ("a: !!python/object/apply:os.system [ls]", "tags are not read", "delete the tag"),
    ("a: !secret x", "tags are not read", "delete the tag"),
    ("a: &x {b: 1}\nc: {<<: *x}", "merge keys are not read", "write the keys out"),
    ("- 1\n- 2", "a scenario is a mapping", "haiflow: 1"),
    ("just text", "a scenario is a mapping", "haiflow: 1"),
    ("", "the file is empty", "haiflow new"),
    ("# nothing\n", "the file is empty", "haiflow new"),
    ("a: 1\n---\na: 2", "a file holds one document", "split it"),
    ("? [1, 2]\n: 3", "a key is text", "quote"),
    ("a: [1, 2", "s:1:4: YAML: not valid YAML", "close brackets"),
    ("a:\n\t- 1", "s:2:1: YAML: not valid YAML", "indent with spaces"),
    ("a: b: c", "s:1:5: YAML: not valid YAML", "key: value"),
    ("a\x00: 1", "s:1:2: character U+0000: control characters", "delete"),
    ("a: 1\nb: \x1b[31m", "s:2:4: character U+001B", "delete"),
    ('a: 1\nb: "\\e[31mred"', "s:2:4: b: character U+001B: control characters are not text", "delete its escape"),
    ('a: {"b\\0": 1}', "s:1:5: a: character U+0000", "delete its escape"),
    ('a: ["x", "\\a"]', "s:1:10: a.1: character U+0007", "delete its escape"),
    ('a: "\\u202Egpj"', "s:1:4: a: character U+202E", "delete its escape"),
    ('a: "\\x85"', "s:1:4: a: character U+0085", "delete its escape"),
    ('a: "over\\rwritten"', "s:1:4: a: character U+000D", "delete its escape"),
    ("a: x\u202egpj", "s:1:5: character U+202E", "delete it"),
    ("# \u2066", "s:1:3: character U+2066", "delete it"),
]


@pytest.mark.parametrize(("text", "message", "remedy"), REFUSED)
def test_refused_in_four_parts_and_at_once(text, message, remedy):
    begun = time.process_time()
    with pytest.raises(InputError) as caught:
        read_text(text, "s")
    assert message in str(caught.value)
    assert remedy in caught.value.remedy
    assert time.process_time() - begun < 5.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: \xff\xfe", "bad.yaml:2: byte 0xff: the file is not UTF-8"),
        ("a: é".encode("latin-1"), "not UTF-8"),
        ("a: 1".encode("utf-16"), "not UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "control characters"),
        (b"#" * (LARGEST_FILE + 10), "at most 16 MB"),
    ],
)
def test_files_that_are_no_text(tmp_path, content, message):
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_file(tmp_path / "bad.yaml", "bad.yaml")


def test_a_byte_order_mark_is_no_offence(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_file(tmp_path / "s.yaml").root == {"a": 1}


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_file(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="a folder"):
        read_file(tmp_path)


def test_a_pipe_is_refused_at_once(tmp_path):
    """It was waited for without end: the alarm would end the test."""
    os.mkfifo(tmp_path / "s.yaml")
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError("waits for the pipe")))
    signal.alarm(5)
    try:
        with pytest.raises(InputError, match="a pipe or device: a scenario is a YAML file; write it into a file"):
            read_file(tmp_path / "s.yaml")
    finally:
        signal.alarm(0)


def test_a_key_to_set_is_text_too():
    from haiflow.scenario.overrides import split_assignment

    with pytest.raises(InputError, match=r"U\+001B: control characters are not text"):
        split_assignment("liver.labels.a\x1b[31m=V")
