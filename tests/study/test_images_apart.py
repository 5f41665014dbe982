"""A search sees no test image."""

import json
from pathlib import Path
from typing import Any

import pytest

from inception_search.data.catalogue import load_data
from inception_search.data.frozen import thaw
from inception_search.study.search import search
from tests.study.conftest import Watch
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "baselines": False, "workers": 2}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one"


class TestTestImages:
    def test_are_not_in_what_a_trial_is_given(self, run):
        seen: dict[str, Any] = {}

        def look(number: int) -> None:
            job = json.loads((run / "jobs" / f"{number}.json").read_text())
            seen.update(job=job, data=thaw(run / job["data"]), files=sorted(p.name for p in (run / "jobs").iterdir()))

        search(TINY, observer=Watch(look), **SMALL | {"trials": 1, "run": run})
        assert not list(run.rglob("data.safetensors"))
        dataset = load_data("digits", image_size=8, limit=64)
        assert set(seen["data"].splits) == {"train", "validation"}
        given = {bytes(image.numpy()) for split in seen["data"].splits.values() for image in split.images}
        own = {bytes(image.numpy()) for image in dataset.test.images}
        twins = {bytes(image.numpy()) for s in (dataset.train, dataset.validation) for image in s.images}
        assert not (own - twins) & given
        assert seen["files"] == ["0.json", "data.safetensors"]
        paths = [Path(value) for value in seen["job"].values() if isinstance(value, str) and "/" in value]
        assert paths
        assert all((run / path).parent.parent == run for path in paths)
