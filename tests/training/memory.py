"""Where the state of a training can be kept in a test."""


class Memory:
    """A checkpoint that is kept in memory."""

    data: bytes | None = None

    def load(self) -> bytes | None:
        return self.data

    def save(self, data: bytes) -> None:
        self.data = data
