"""Earlier studies as a beginning: their best networks, found again in this study's space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from inception_search.errors import InceptionSearchError, Place, RunFolderError
from inception_search.space.draw import first as _first
from inception_search.space.space import Space
from inception_search.space.spelling import parted
from inception_search.spec.document import network_from_data
from inception_search.spec.network import Network
from inception_search.spec.transform import set_classes, set_input
from inception_search.store.query import leaderboard
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.queue import Wanted


def warm_points(space: Space, config: StudyConfig, known: Iterable[str | None] = ()) -> list[Wanted]:
    """The best networks of the runs in ``config.warm_start``; those with a label in ``known`` are left out.

    Raises RunFolderError for a folder that holds no study, or none of whose networks is in the space.
    """
    taken = set(known)
    found = []
    for name in config.warm_start:
        run = RunFolder.open(name)
        points = list(_points(space, run, config.warm_top))
        if not points:
            rule = f"none of the trained networks is in space {space.name!r}"
            mend = "leave it out of warm_start, or search a space that holds them"
            raise RunFolderError(rule, place=Place(str(run.path)), mend=mend)
        found += points
    return [point for point in found if point.label not in taken]


def _points(space: Space, run: RunFolder, top: int) -> Iterator[Wanted]:
    earlier = Space(run.space_text(), str(run.space_file))
    given = 0
    for record in leaderboard(run.records(), 10**9):
        params = _found_again(space, earlier, record)
        if params is not None and given < top:
            given += 1
            facts = {"from_run": str(run.path), "from_trial": record.number}
            yield Wanted(params, "warm_start", f"{run.path.name}:{record.number}", facts)


def _found_again(space: Space, earlier: Space, record: TrialRecord) -> dict[str, str | int | float] | None:
    """The point of a record's network: of the network of its own space, else of the one trained, at the size here."""
    candidates: list[Network] = []
    with suppress(InceptionSearchError):
        candidates.append(earlier.decode(dict(record.holes)))
    if record.network is not None:
        trained, own = network_from_data(record.network), space.fill(_first)[0]
        sized = set_input(trained, channels=own.input.channels, height=own.input.height, width=own.input.width)
        candidates.append(set_classes(sized, own.head.classes))
    for network in candidates:
        with suppress(InceptionSearchError):
            return parted(space.encode(network))[0]
    return None
