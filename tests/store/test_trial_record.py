import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inception_search.errors import DocumentError, SchemaVersionError
from inception_search.store.record import EpochRecord, TrialRecord, utc_now

# Written by version 1; must be readable for ever.
VERSION_1 = (
    '{"arch_id": "a1-00ff", "attempt": 2, "cost": {"macs": 10, "params": 3}, "curve": [{"epoch": 0, '
    '"learning_rate": 0.1, "seconds": 2.5, "train_loss": 2.3, "validation_accuracy": 0.5, "validation_loss": 2.0}],'
    ' "data": {"name": "digits", "train": 1200}, "device": "cpu", "duplicate_of": null, "fidelity": {"epochs": 1},'
    ' "holes": {"factor": "none", "residual": true, "scale": 1.0, "width": 64}, "label": null, "network": {"name":'
    ' "x"}, "number": 7, "origin": "sampled", "reason": null, "schema": "inception-search/trial", "seconds": 2.5,'
    ' "seed": 11, "started": "2025-01-31T12:00:00+00:00", "state": "complete", "value": 0.5, "version": 1,'
    ' "versions": {"torch": "2.11.0"}}'
)

# Written by version 2; must be readable for ever.
VERSION_2 = (
    '{"schema": "inception-search/trial", "version": 2, "number": 9, "state": "paused", "origin": "warm_start", '
    '"label": "other:3", "arch_id": "a1-00ff", "network": {"name": "x"}, "holes": {"width": 64}, "cost": {"macs": 10}, '
    '"latency": 1.5, "value": null, "objectives": {"accuracy": 0.5, "macs": 10.0}, "curve": [{"epoch": 1, '
    '"train_loss": 2.3, "validation_loss": 2.0, "validation_accuracy": 0.5, "learning_rate": 0.1, "seconds": 2.5}], '
    '"duplicate_of": null, "repeat_of": 4, "reason": "not among the best (yet) at epoch 1", "facts": {"parent": 3}, '
    '"seed": 11, "attempt": 2, "device": "cpu", "seconds": 2.5, "resources": {"images_per_second": 800.0}, '
    '"started": "2026-01-31T12:00:00+00:00", "data": {"name": "digits"}, "fidelity": {"epochs": 9}, '
    '"versions": {"torch": "2.11.0"}}'
)

finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**53)
names = st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | finite | names
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
documents = st.dictionaries(names, json_values, max_size=3)
epochs = st.builds(
    EpochRecord,
    epoch=counts,
    train_loss=finite,
    validation_loss=finite,
    validation_accuracy=finite,
    learning_rate=finite,
    seconds=finite,
)
records = st.builds(
    TrialRecord,
    number=counts,
    state=st.sampled_from(["complete", "pruned", "paused", "infeasible", "failed", "duplicate"]),
    origin=st.sampled_from(["baseline", "sampled", "warm_start"]),
    label=st.none() | names,
    arch_id=st.none() | names,
    network=documents,
    holes=st.dictionaries(
        names.filter(lambda name: not name.startswith("@")), names | st.integers() | finite | st.booleans(), max_size=4
    ),
    cost=st.dictionaries(names, counts, max_size=4),
    value=finite,
    objectives=st.dictionaries(names, finite, max_size=3),
    facts=documents,
    repeat_of=st.none() | counts,
    resources=st.dictionaries(names, finite, max_size=3),
    curve=st.lists(epochs, max_size=3).map(tuple),
    duplicate_of=counts,
    reason=st.text(min_size=1, max_size=30),
    seed=st.integers(),
    attempt=st.integers(1, 3),
    device=st.none() | names,
    seconds=finite.map(abs),
    started=st.datetimes().map(lambda moment: moment.isoformat() + "+00:00"),
    data=documents,
    fidelity=documents,
    versions=st.dictionaries(names, names, max_size=2),
)


@given(records)
def test_a_record_comes_back_as_it_was(record):
    line = record.to_json()
    assert "\n" not in line
    again = TrialRecord.from_json(line)
    assert again == record
    assert again.to_json() == line  # also tells 1 from 1.0 and True, which are equal


def test_the_order_of_a_networks_stages_survives(make_record):
    stages = {"stem": {"kind": "norm"}, "body": {"kind": "norm"}, "pool": {"kind": "norm"}}
    record = make_record(network={"stages": stages})
    again = TrialRecord.from_json(record.to_json())
    assert list(again.network["stages"]) == ["stem", "body", "pool"]


def test_a_record_of_version_1_is_read_and_written_as_one_of_today():
    record = TrialRecord.from_json(VERSION_1)
    assert (record.number, record.value, record.attempt, record.curve[0].train_loss) == (7, 0.5, 2, 2.3)
    assert record.holes == {"factor": "none", "residual": True, "scale": 1.0, "width": 64}
    assert type(record.holes["residual"]) is bool
    assert type(record.holes["scale"]) is float
    added = {"version": 2, "facts": {}, "objectives": {}, "repeat_of": None, "resources": {}}
    assert json.loads(record.to_json()) == {**json.loads(VERSION_1), **added}


def test_a_record_of_version_2_is_read_and_written_as_it_is():
    record = TrialRecord.from_json(VERSION_2)
    assert (record.number, record.state, record.origin, record.repeat_of) == (9, "paused", "warm_start", 4)
    assert record.objectives == {"accuracy": 0.5, "macs": 10.0}
    assert (record.facts, record.resources) == ({"parent": 3}, {"images_per_second": 800.0})
    assert record.measures == {"macs": 10, "latency": 1.5}
    assert record.to_json() == VERSION_2


def test_a_record_cannot_be_changed(make_record):
    record = make_record()
    with pytest.raises(ValidationError, match="frozen"):
        record.value = 1.0


def test_the_time_is_written_as_records_want_it(make_record):
    assert make_record(started=utc_now()).started.endswith("+00:00")


NAN, INF = float("nan"), float("inf")
EPOCH = {
    "epoch": 0,
    "train_loss": 1.0,
    "validation_loss": 1.0,
    "validation_accuracy": 0.5,
    "learning_rate": 0.1,
    "seconds": 1.0,
}

# (fields that are wrong, words of the error)
BAD_FIELDS = [
    ({"number": -1}, "number.*greater than or equal to 0"),
    ({"number": True}, "number.*valid integer"),
    ({"number": 1.0}, "number.*valid integer"),
    ({"number": "1"}, "number.*valid integer"),
    ({"state": "done"}, "state.*'complete', 'pruned'"),
    ({"origin": "guessed"}, "origin.*'baseline', 'sampled' or 'warm_start'"),
    ({"value": None}, "complete trial needs a value and a network"),
    ({"network": None}, "complete trial needs a value and a network"),
    ({"state": "duplicate"}, "duplicate trial needs duplicate_of"),
    ({"state": "failed"}, "trial that is failed needs a reason"),
    ({"state": "infeasible", "reason": ""}, "trial that is infeasible needs a reason"),
    ({"value": True}, "value.*valid number"),
    ({"value": "0.5"}, "value.*valid number"),
    ({"value": NAN}, "value.*finite"),
    ({"value": -INF}, "value.*finite"),
    ({"seconds": INF}, "seconds.*finite"),
    ({"seconds": -1.0}, "seconds.*greater than or equal to 0"),
    ({"holes": {"x": INF}}, "holes.x"),
    ({"holes": {"x": [1]}}, "holes.x"),
    ({"holes": {"x": None}}, "holes.x"),
    ({"cost": {"params": 1.5}}, "cost.params.*valid integer"),
    ({"cost": {"params": -1}}, "cost.params.*greater than or equal to 0"),
    ({"curve": [{**EPOCH, "train_loss": NAN}]}, r"curve.0.train_loss.*finite"),
    ({"curve": [{**EPOCH, "extra": 1}]}, r"curve.0.extra.*not permitted"),
    ({"network": {"a": [1, {"b": INF}]}}, "network.*finite number"),
    ({"data": {"a": NAN}}, "data.*finite number"),
    ({"data": {"a": "\ud800"}}, "surrogates not allowed"),
    ({"data": {"\ud800": 1}}, "surrogates not allowed"),
    ({"data": {"a": object()}}, "data"),
    ({"attempt": 0}, "attempt.*greater than or equal to 1"),
    ({"started": "2025-01-31T12:00:00"}, "started.*UTC time such as"),
    ({"started": "2025-01-31T12:00:00+01:00"}, "started.*UTC time such as"),
    ({"started": "yesterday"}, "started.*UTC time such as"),
    ({"surprise": 1}, "surprise.*not permitted"),
    ({"version": 3}, "version"),
    ({"schema": "other"}, "schema.*'inception-search/trial'"),
]


@pytest.mark.parametrize(("fields", "words"), BAD_FIELDS)
def test_bad_fields_are_refused_when_a_record_is_made(make_record, fields, words):
    with pytest.raises(ValidationError, match="(?s)" + words):
        make_record(**fields)


def line_of(facts, **changes):
    return json.dumps({"schema": "inception-search/trial", "version": 2, **facts, **changes})


DELETE = "delete the line, or correct it"

# (fields that are wrong in a line, the whole text of the error after "trials.jsonl:12: ")
BAD_LINES = [
    ({"value": None}, f"not a valid trial record: a complete trial needs a value and a network; {DELETE}"),
    (
        {"cost": {"macs": "many"}},
        f"cost.macs: not a valid trial record: Input should be a valid integer, got 'many'; {DELETE}",
    ),
    (
        {"number": -1, "seed": "x"},
        "number: not a valid trial record: Input should be greater than or equal to 0, got -1; "
        f"1 more fields are wrong; {DELETE}",
    ),
    ({"\x1b[2J": 1}, rf"'\x1b[2J': not a valid trial record: Extra inputs are not permitted, got 1; {DELETE}"),
    ({"vlaue": 1}, f"vlaue: not a valid trial record: Extra inputs are not permitted, got 1; {DELETE}"),
    (
        {"schema": "inception-search/network"},
        "this is not a trial record, got 'inception-search/network'; "
        "expected an object with schema 'inception-search/trial'",
    ),
    ({"version": "1"}, "a trial record needs a version, got '1'; expected an integer"),
    ({"version": True}, "a trial record needs a version, got True; expected an integer"),
    ({"version": None}, "a trial record needs a version; expected an integer"),
]


@pytest.mark.parametrize(("changes", "text"), BAD_LINES)
def test_a_bad_line_is_told_with_its_place(facts, changes, text):
    with pytest.raises(DocumentError) as caught:
        TrialRecord.from_json(line_of(facts, **changes), "trials.jsonl", 12)
    assert str(caught.value).removeprefix("trials.jsonl:12: ") == text
    assert str(caught.value).startswith("trials.jsonl:12: ")


@pytest.mark.parametrize(
    "line", ["", "{", "NaN", '{"schema": Infinity}', "[" * 100_000, "1" * 5000, "{}", "[]", "null", '"text"']
)
def test_what_is_no_record_is_a_document_error(line):
    with pytest.raises(DocumentError, match=r"not a JSON document|not a trial record"):
        TrialRecord.from_json(line)


def test_a_number_that_overflows_is_refused(facts):
    with pytest.raises(DocumentError, match="finite"):
        TrialRecord.from_json(line_of(facts).replace("0.75", "1e999"))


@pytest.mark.parametrize("sealed", [False, True])
def test_entries_that_release_0_1_kept_beside_the_decisions_are_left_out(sealed: bool):
    """A point of that release also said how its network was written: as @name, @source, @stages, @document ..."""
    line = VERSION_2.replace('"holes": {', '"holes": {"@name": "inception_v4", "@stages": "stem=3 b=7*b", ')
    assert TrialRecord.from_json(line, sealed=sealed).holes == {"width": 64}


def test_a_newer_version_is_refused_naming_both(facts):
    with pytest.raises(SchemaVersionError) as caught:
        TrialRecord.from_json(line_of(facts, version=3, unheard_of=1), "trials.jsonl", 3)
    assert str(caught.value) == (
        "trials.jsonl:3: this trial record has version 3, which is newer than this package can read; "
        "expected version 2; install a newer inception-search"
    )


def test_an_older_version_without_an_upgrade_is_refused(facts):
    with pytest.raises(SchemaVersionError, match=r"has version 0, which is older.*expected version 2"):
        TrialRecord.from_json(line_of(facts, version=0))


def test_older_versions_are_brought_up_to_date_step_by_step(facts):
    steps = {
        -1: lambda old: {**old, "accuracy": old["score"], "score": None},
        1: dict,
        0: lambda old: {
            **{k: v for k, v in old.items() if k not in ("score", "accuracy")},
            "value": old["accuracy"],
        },
    }
    del facts["value"]
    record = TrialRecord.from_json(line_of(facts, version=-1, score=0.25), upgrades=steps)
    assert (record.value, record.version) == (0.25, 2)
    with pytest.raises(SchemaVersionError, match="version -2"):
        TrialRecord.from_json(line_of(facts, version=-2), upgrades=steps)
