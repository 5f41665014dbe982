"""Whatever stands at any place of a space document, it is read or refused with the file and the place."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_search.errors import InceptionSearchError
from inception_search.space.space import Space
from inception_search.spec.documents.files import shipped_folder
from tests.space.small import EVERY_HOLE

FILE = "fuzz.yaml"
FILES = sorted(shipped_folder().glob("*.yaml"))
LONGEST = 1_500  # characters of an error
WRONG = [
    *(None, True, -1, 2.5, 10**40, float("nan"), "", "nonsense", "a\x1b[31m\u2028", [], {}, [[]], {"a": 1}, {3: 4}),
    *({"$choice": {}}, {"$int": [4, 2]}, {"$use": "nothing"}, "x" * 5_000),
]
Place = tuple[Any, ...]


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Every place inside ``value``."""
    if here:
        yield here
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*here, key))


def changed(value: Any, place: Place, *new: Any) -> Any:
    """``value`` with ``new`` at a place; without it, with nothing there."""
    copy = value.copy()
    if len(place) > 1:
        copy[place[0]] = changed(value[place[0]], place[1:], *new)
    elif new:
        copy[place[0]] = new[0]
    else:
        del copy[place[0]]
    return copy


def fault(document: Any) -> str | None:
    """What is wrong with how a document is read, or refused."""
    try:
        space = Space(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), FILE)
        space.decode(space.sample(0))
        _ = space.fixed_points, repr(space)
    except InceptionSearchError as error:
        text = str(error)
        if not text.isprintable() or len(text) > LONGEST:
            return f"no short paragraph: {text}"
        return None if error.place.file == FILE and (error.place.line or error.place.path) else f"no place: {text}"
    except Exception as error:  # what the test is about
        return f"{type(error).__name__}: {error}"
    return None


def faults(document: Any, rng: random.Random, most: int, each: int) -> list[str]:
    """The faults of ``each`` changes at up to ``most`` places."""
    everywhere = list(places(document))
    some = rng.sample(everywhere, min(most, len(everywhere)))
    changes = [(place, new) for place in some for new in rng.sample([*((wrong,) for wrong in WRONG), ()], each)]
    found = [(place, new, fault(changed(document, place, *new))) for place, new in changes]
    return [f"{place} = {new!r:.60}: {words:.300}" for place, new, words in found if words]


def test_every_place_of_a_small_space_may_be_wrong() -> None:
    document = yaml.safe_load(EVERY_HOLE)
    assert fault(document) is None
    assert not faults(document, random.Random(0), 10_000, 5)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_some_places_of_a_shipped_space_may_be_wrong(file: Path) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert not faults(document, random.Random(file.name), 5, 1)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_place_of_a_shipped_space_may_be_wrong(file: Path) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert not faults(document, random.Random(file.name), 10_000, 3)
