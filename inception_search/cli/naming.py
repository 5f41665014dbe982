"""What the help of every verb says of names; light, so that help is quick (docs/naming.md has the whole)."""

ITEM = (
    "A network (inception_v4, inception_v3@keras, a file), a module (inception_v4.inception_a), a run folder "
    "(its best), a trial (runs/NAME:12) or a point on a path (inception_v1..inception_v4:3); docs/naming.md"
)
NETWORK = (
    "A network: inception_v4, inception_v3@keras, a file, a run folder (its best), a trial (runs/NAME:12) or a "
    "point on a path (inception_v1..inception_v4:3); docs/naming.md"
)
