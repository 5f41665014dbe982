"""Results of trainings as a trial's process leaves them in a run folder, to be recorded."""

from __future__ import annotations

import json
from typing import Any

from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import sealed
from inception_search.store.run_folder import RunFolder


def write_result(run: RunFolder, number: int, payload: dict[str, Any]) -> None:
    """Leave the result of a finished training."""
    write_atomic(run.result_file(number), sealed(json.dumps(payload)))
