"""Every message about bad input has place, value, rule and remedy: over every key of a scenario that has them all, and
over every place in the source where such a message is made."""

import ast
import re
from pathlib import Path

import pytest
import yaml

import haiflow
from haiflow.errors import LONGEST, LONGEST_WORD, InputError, InputErrors
from haiflow.scenario.load import load

SCENARIOS = Path(__file__).parents[1] / "cli" / "scenarios"
SOURCE = Path(haiflow.__file__).parent
BAD = {
    "nothing": None, "text": "no such thing", "empty": "", "long": "x" * 5000, "letters": "\u202e\u00e9\u65e5",
    "number": -7, "not finite": float("nan"), "huge": 10**400, "logical": True, "list": [[]], "mapping": {"odd": {}},
    "negative": "-5 Pa s", "other unit": "3 stone",
}  # fmt: skip
PLACE = re.compile(r"\S*scenario\.yaml(:\d+:\d+)?(: .+)?")


STRIDE = 11  # a document in which every so many keys are bad tells all of them at once


def places(value, path=()):
    """Every path in a document, the whole one left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(root, path, value):
    """A copy with ``value`` at ``path``; where the path has gone with another change, the document as it is."""
    if not path:
        return value
    if not isinstance(root, dict | list) or (isinstance(root, dict) and path[0] not in root):
        return root
    copy = dict(root) if isinstance(root, dict) else list(root)
    copy[path[0]] = changed(root[path[0]], path[1:], value)
    return copy


def spoilt(value):
    """Sound documents with ``value`` in place of some of what they say, until all of it has been replaced."""
    for file in sorted(SCENARIOS.glob("*.yaml")):
        sound = yaml.safe_load(file.read_text(encoding="utf-8"))
        every = list(places(sound))
        for first in range(STRIDE):
            root = sound
            for path in reversed(every[first::STRIDE]):
                root = changed(root, path, value)
            yield root


def refusals(file):
    try:
        load(file)
    except InputErrors as several:
        return several.errors
    except InputError as error:
        return (error,)
    return ()


def complaint(error):
    """What a message lacks; nothing where it has its four parts."""
    if not PLACE.fullmatch(error.place):
        return f"no place: {error.place!r}"
    if not error.value.strip() or len(error.value) > LONGEST:
        return f"no value, or a long one: {error.value!r}"
    if not error.rule.strip() or not error.remedy.strip() or error.rule == error.remedy:
        return f"no rule or no remedy: {error.rule!r}, {error.remedy!r}"
    if str(error) != f"{error.place}: {error.value}: {error.rule}; {error.remedy}" or not str(error).isprintable():
        return f"not its four parts: {str(error)!r}"
    return ""


@pytest.mark.parametrize("bad", BAD)
def test_over_every_key(bad, tmp_path):
    file, told = tmp_path / "scenario.yaml", 0
    for root in spoilt(BAD[bad]):
        file.write_text(yaml.safe_dump(root, allow_unicode=True), encoding="utf-8")
        for error in refusals(file):
            assert not complaint(error), str(error)
            told += 1
    assert told >= 2 * STRIDE


def calls():
    """Where the source makes a message: file, line and the parts that are written there (None: found as it runs)."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
                named = {each.arg: each.value for each in node.keywords}
                parts = [*node.args, *(named[key] for key in ("place", "value", "rule", "remedy") if key in named)]
                yield f"{file.relative_to(SOURCE)}:{node.lineno}", [getattr(part, "value", None) for part in parts]


def test_over_every_place_in_the_source():
    found = list(calls())
    assert len(found) > 200
    for place, parts in found:
        assert len(parts) == 4, place
        for part in parts[2:]:
            assert part is None or not isinstance(part, str) or len(part.split()) > 1, (place, part)


def test_a_long_value_is_cut_and_told_to_be():
    error = InputError("s.yaml:1:1", f"'{'x' * 5000}'", "too long", "cut it")
    assert error.value.startswith("'xxx")
    assert error.value.endswith("x... (5002 letters)")
    assert len(error.value) <= LONGEST_WORD
    assert InputError("s.yaml:1:1", error.value, "too long", "cut it").value == error.value
    assert InputError("s.yaml:1:1", "x" * LONGEST_WORD, "a", "b").value == "x" * LONGEST_WORD
