"""Kills at random moments of trials, servers, workers and the search: nothing lost, told twice or different."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.kills import Campaign
from tests.bounds import PATIENCE

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def fought(folder: Path, **options: Any) -> dict[str, Any]:
    """What is left of a study after a campaign."""
    found = Campaign(folder, **options).fight()
    assert sum(found["kills"].values()) == options["kills"]
    assert {name: count for name, count in found["wrong"].items() if count} == {}, (
        found["left_over"],
        found["reasons"],
    )
    assert found["workers_left_with"] == [0]
    assert found["best_value"] == found["best_value_in_peace"]
    return found


def test_half_a_dozen_kills_change_nothing(tmp_path):
    fought(tmp_path, kills=6, workers=2, attached=1, trials=8, epochs=20, pause=0.1)


@pytest.mark.slow
def test_fifty_kills_change_nothing(tmp_path):
    found = fought(tmp_path, kills=50, workers=2, attached=1, trials=14, epochs=20, pause=0.1)
    assert all(found["kills"].values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_kills_change_nothing(tmp_path, seed):
    found = fought(tmp_path, kills=1000, workers=2, attached=2, seed=seed)
    assert found["longest_stall_seconds"]["else"] < PATIENCE
