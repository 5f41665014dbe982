"""The journal under Optuna's own storage contract: what any storage must do, by the people who define it."""

from pathlib import Path

import pytest
from optuna.storages import JournalStorage
from optuna.testing.pytest_storages import StorageTestCase

from inception_search.optuna_bridge.storage import JournalBackend


class TestContract(StorageTestCase):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> JournalStorage:
        return JournalStorage(JournalBackend(tmp_path / "journal.log"))
