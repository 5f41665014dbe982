"""One edit of a network: its kind, its place in the document, the old and the new value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

from inception_search.arguments import checked, checked_init
from inception_search.edits.edit_text import change, place_in_words, words
from inception_search.edits.places import field_at, is_step, spot_at, with_field, with_stages, with_step
from inception_search.errors import EditError, raw, unknown_name
from inception_search.spec.base_model import SpecModel, plain
from inception_search.spec.documents.parse import step_from_data
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

Value: TypeAlias = AnyStep | dict[str, Any] | list[Any] | str | float | bool | None
FIELDS = ("name", "place", "before", "after", "at")
# The kind of the inverse of an edit; other kinds are their own inverse.
INVERSE = {
    "factorise": "merge",
    "add_branch": "drop_branch",
    "duplicate_branch": "drop_branch",
    "add_conv": "drop_conv",
    "untie_repeat": "tie_repeat",
    "untie_use": "tie_use",
    "duplicate_module": "drop_module",
}
INVERSE |= {back: name for name, back in INVERSE.items() if name != "duplicate_branch"}


@checked_init
@dataclass(frozen=True)
class Edit:
    """A local change of a network: the old and the new value at one path of the document.

    Its inverse is exact. :func:`edits_of` finds the edits that a network allows.

    Args:
        name: the kind of edit, such as ``"set_width"``.
        place: the path in the document, such as ``"stages.conv1"``.
        before: the old value: a step, or the value of a field; None for a stage that is added.
        after: the new value; None for a stage that is removed.
        at: the position of a stage that is added or removed.

    Raises:
        EditError: an argument cannot be used.

    >>> net = ins.load("inception_v1")
    >>> edit = next(ins.edits_of(net, ["set_width"]))
    >>> print(edit)
    conv1: 7x7 64 s2 -> 7x7 32 s2 (set_width)
    >>> edit.inverse.apply(edit.apply(net)) == net
    True
    """

    name: str
    place: str
    before: Value
    after: Value
    at: int | None = None

    @checked
    def apply(self, network: Network) -> Network:
        """Apply the edit.

        Args:
            network: the network to edit; it stays unchanged.

        Returns:
            The edited network.

        Raises:
            EditError: the network does not have ``before`` at this path.
            SpecError: the edited network is not a valid document.
        """
        if self.at is not None:
            return with_stages(network, self._stages(network, self.at))
        if not is_step(self.place):
            self._expect(field_at(network, self.place))
            return with_field(network, self.place, self.after)
        spot = spot_at(network, self.place)
        self._expect(spot.step)
        if not isinstance(self.after, SpecModel):
            raise EditError("only a step can be put here", path=self.place, found=self.after)
        return with_step(network, self.place, spot, self.after)

    @property
    def inverse(self) -> Edit:
        """The edit that undoes this one: ``edit.inverse.apply(edit.apply(network)) == network``."""
        return replace(self, name=INVERSE.get(self.name, self.name), before=self.after, after=self.before)

    def to_dict(self) -> dict[str, Any]:
        """The edit as JSON data, with steps in their long form."""
        data = {"name": self.name, "place": self.place, "before": plain(self.before), "after": plain(self.after)}
        return data if self.at is None else {**data, "at": self.at}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The edit that :meth:`to_dict` wrote; EditError if ``data`` is not such a mapping."""
        if not isinstance(data, dict):
            raise EditError("an edit is written as a mapping", found=data, hint="give what to_dict() wrote")
        for name in data:
            if name not in FIELDS:
                raise unknown_name("field of an edit", name, FIELDS)
        for name in FIELDS[:4]:
            if name not in data:
                raise EditError(f"field {name!r} of the edit is missing")
        place, at = str(data["place"]), data.get("at")
        if at is not None and type(at) is not int:
            raise EditError("the position of a stage is a whole number", path="at", found=at)
        before, after = (_value(data[side], place) for side in ("before", "after"))
        return cls(str(data["name"]), place, before, after, at)

    def __str__(self) -> str:
        return f"{place_in_words(self.place)}: {change(self.before, self.after)} ({self.name})"

    def _expect(self, found: Value) -> None:
        if found != self.before:
            rule = f"{self.name} was made for another value than the one here"
            raise EditError(rule, path=self.place, found=raw(words(found)), expected=words(self.before))

    def _stages(self, network: Network, at: int) -> dict[str, AnyStep]:
        """The stages of ``network`` with one added or removed."""
        name, stages = self.place.removeprefix("stages."), list(network.stages.items())
        if self.before is None and isinstance(self.after, SpecModel):
            if name in network.stages or not 0 <= at <= len(stages):
                raise EditError("no stage of this name can be added here", path=self.place, found=at)
            return dict([*stages[:at], (name, self.after), *stages[at:]])
        if name not in network.stages or list(network.stages).index(name) != at or self.after is not None:
            raise EditError("this stage cannot be removed from here", path=self.place, found=at)
        self._expect(network.stages[name])
        return dict([*stages[:at], *stages[at + 1 :]])


def _value(data: Any, place: str) -> Value:
    return step_from_data(data) if is_step(place) and data is not None else data
