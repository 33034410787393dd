"""From a draft to a scenario file: written as YAML, checked by haiflow itself before anything reaches the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from haiflow.errors import InputError, InputErrors
from haiflow.scenario.imports.draft import Draft, as_document
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.plausible import plausible, wave_speeds
from haiflow.scenario.load import loads
from haiflow.scenario.new_file import refuse_existing, write_whole
from haiflow.scenario.write import as_sections

Reader = Callable[[Path, Findings], Draft]


@dataclass(frozen=True)
class Imported:
    """What came of an import: the scenario's text and all that it does not say as the deck did."""

    text: str
    warnings: list[str]
    vessels: int
    outlets: int


def imported(deck: Path, reader: Reader, peer: str) -> Imported:
    """The deck as a scenario that ``haiflow check`` accepts. Raises :class:`InputError`; writes nothing."""
    findings = Findings()
    try:
        draft = reader(deck, findings)
        plausible(draft, str(deck))
        wave_speeds(draft, str(deck), findings)
        body = as_sections(as_document(draft))
    except ArithmeticError as error:
        rule = "numbers in it are out of all proportion to each other"
        raise InputError(str(deck), str(error), rule, "check them and their units") from None
    try:
        loads(body, shown=f"{deck} as a scenario")
    except InputErrors as errors:
        raise InputErrors(_of_deck(error, deck) for error in errors.errors) from None
    except InputError as error:
        raise _of_deck(error, deck) from None
    header = [f"# Imported by haiflow from {deck.name} ({peer})."]
    header += [] if not findings.warnings else ["# Not as in the deck:"]
    for warning in findings.warnings:
        first, *more = wrap(warning, 114, break_long_words=False)
        header += [f"# - {first}", *(f"#   {line}" for line in more)]
    text = "\n".join(header) + "\n" + body
    return Imported(text, findings.warnings, len(draft.vessels), len(draft.outlets))


def _of_deck(error: InputError, deck: Path) -> InputError:
    """The same complaint about what the deck became: the place is a key of the scenario, not a line of it."""
    key = error.place.split(": ", 1)[-1]
    return InputError(f"{deck}: {key}", error.value, error.rule, error.remedy)


def import_file(deck: Path, output: Path, reader: Reader, peer: str, *, force: bool) -> Imported:
    """Read the deck and write the scenario; nothing is written where anything is wrong."""
    if output.exists() and deck.exists() and output.resolve() == deck.resolve():
        raise InputError(str(output), "the deck itself", "a deck is not overwritten", "give another name with -o")
    refuse_existing(output, force=force)
    done = imported(deck, reader, peer)
    write_whole(output, done.text)
    return done
