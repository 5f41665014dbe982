"""A network document as a tree of modules: its stages, its head and its auxiliary classifiers."""

from __future__ import annotations

from inception_search.exports.source_layout import INDENT, WIDTH
from inception_search.exports.source_steps import IDENTITY, Content, Parts, StepLowering, Value
from inception_search.exports.source_tree import Call, Leaf, Num, Scope, Unit, number
from inception_search.graph import ops
from inception_search.graph.types import FeatureMap, Type
from inception_search.lowering import PROJECTIONS
from inception_search.spec import step as spec
from inception_search.spec.network import Aux, Head, Network


class SourceLowering(StepLowering):
    """The modules of a network; ``output`` is the shape of what it computes."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.output: Type = FeatureMap(*network.input.shape)
        self.classes = Leaf(network.head.classes, "num_classes", always=True)

    def network(self) -> Scope:
        """The whole network."""
        net = self.net
        inner = Leaf(net.input.channels, "in_channels")
        x = Value(IDENTITY, FeatureMap(*net.input.shape), Num(((inner, 1),)))
        parts: Parts = []
        forward: list[str] = []
        taps: dict[str, Value] = {}
        read = {aux.after for aux in net.aux.values()}
        for name, step in net.stages.items():
            x = taps[name] = self.named(step, x, name, name)
            parts.append((name, x.module))
            forward.append(_stage(name, x.type))
            forward += [f"after_{name} = x"] if name in read else []
        last = ""
        if not _is_headless(net.head):
            x = self.head(net.head, x, "head")
            parts.append(("head", x.module))
            last = "self.head(x)"
        self.output = x.type
        for name, aux in net.aux.items():
            parts.append((f"aux.{name}", self.head(aux, taps[aux.after], f"aux.{name}").module))
        return Scope("network", "", number(inner.value), inner, tuple(parts), (*forward, last), "")

    def head(self, head: Head | Aux, x: Value, path: str) -> Value:
        hint = "head" if isinstance(head, Head) else "aux_classifier"
        doc = "The classifier" if isinstance(head, Head) else "An auxiliary classifier"
        if isinstance(head, Head) and head.classifier == "none":
            doc = "The features"
        return self.scope(hint, x, path, lambda inner: self.head_content(head, inner, path), doc)

    def head_content(self, head: Head | Aux, x: Value, path: str) -> Content:
        parts: Parts = []
        forward: list[str] = []
        if isinstance(head, Aux) and not isinstance(head.body, spec.Identity):
            x = self.step(head.body, x, f"{path}.body")
            self.part(parts, forward, "body", x)
        if isinstance(head, Head) and head.classifier == "maps":
            x = self.maps(head, x, parts, forward)
        else:
            x = self.features_content(head, x, parts, forward)
        forward[-1] = forward[-1].replace("x = ", "return ", 1)
        return parts, forward, x

    def part(self, parts: Parts, forward: list[str], name: str, y: Value) -> Value:
        """Append one module of a head."""
        parts.append((name, y.module))
        forward.append(f"x = self.{name}(x)")
        return y

    def flattened(self, x: Value, forward: list[str]) -> Value:
        """A feature map as a vector."""
        size = x.type.numel // x.type.channels
        last = forward.pop().removeprefix("x = ") if forward and "self.pool" in forward[-1] else "x"
        forward.append(f"x = torch.flatten({last}, 1)")
        return Value(x.module, ops.Flatten().infer((x.type,)), x.channels.times(size))

    def maps(self, head: Head, x: Value, parts: Parts, forward: list[str]) -> Value:
        if head.dropout:
            x = self.part(parts, forward, "dropout", self.add(ops.Dropout(head.dropout), (x,), ""))
        x = self.part(parts, forward, "classifier", self.unit(PROJECTIONS["conv"], x, self.class_count, 1))
        x = self.part(parts, forward, "pool", self.add(ops.GlobalPool(head.pool), (x,), ""))
        return self.flattened(x, forward)

    @property
    def class_count(self) -> Num:
        """The number of classes, which is an argument of the network."""
        return Num(((self.classes, 1),))

    def features_content(self, head: Head | Aux, x: Value, parts: Parts, forward: list[str]) -> Value:
        """Pool, hidden layers, dropout, embedding and classifier: see ``Lowering.features``."""
        if head.pool != "none":
            x = self.part(parts, forward, "pool", self.add(ops.GlobalPool(head.pool), (x,), ""))
        x = self.flattened(x, forward)
        hidden = []
        for width in head.hidden:
            x = self.linear(x, number(width), act=self.act)
            hidden.append(x.module)
        if hidden:
            self.part(parts, forward, "hidden", x.then(Call("nn.Sequential", tuple(hidden))))
        if head.dropout:
            self.part(parts, forward, "dropout", self.add(ops.Dropout(head.dropout), (x,), ""))
        if isinstance(head, Head) and head.embedding:
            norm = self.norm or ops.BatchNorm()
            x = self.part(parts, forward, "embedding", self.linear(x, number(head.embedding.width), norm=norm))
        if isinstance(head, Head) and head.classifier == "none":
            if head.embedding and head.embedding.unit_length:
                forward.append("x = F.normalize(x)")
            return x
        x = Value(Call("nn.Linear", (x.channels, self.class_count)), x.type, self.class_count)
        return self.part(parts, forward, "classifier", x)

    def linear(self, x: Value, width: Num, *, act: ops.Act | None = None, norm: ops.BatchNorm | None = None) -> Value:
        """A linear layer with a norm or an activation."""
        unit = Unit("linear", norm, act.kind if act else None, bias=norm is None)
        return Value(Call(unit, (x.channels, width)), ops.Linear(width.value).infer((x.type,)), width)


def _stage(name: str, output: Type) -> str:
    """The call of a stage, with the shape of its output as a comment if there is room, also after ``return``."""
    statement = f"x = self.{name}(x)"
    line = f"{statement}  # {' x '.join(map(str, output))}"
    longest = len(2 * INDENT) + len(line) - len("x = ") + len("return ")
    return line if longest <= WIDTH else statement


def _is_headless(head: Head) -> bool:
    return head.classifier == "none" and head.pool == "none" and not head.hidden and not head.embedding
