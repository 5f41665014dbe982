import errno
import json
import os
import random
import select
import signal
import threading
import time

import pytest

from inception_search.errors import DocumentError, RunFolderError, StorageFullError
from inception_search.store import flock
from inception_search.store.jsonl import append_line, append_lines, read_lines

LINES = ['{"a": 1}', '{"b": "grün", "c": [1, 2]}', '{"d": {"e": null}}']


def texts(path):
    return [text for _, text in read_lines(path)]


def test_lines_come_back_numbered(tmp_path):
    path = tmp_path / "x.jsonl"
    for line in LINES:
        append_line(path, line)
    assert list(read_lines(path)) == list(enumerate(LINES, start=1))
    assert path.read_text(encoding="utf-8") == "".join(line + "\n" for line in LINES)


def test_unicode_line_separators_are_no_line_ends(tmp_path):
    line = '"a\u2028b\x85c\rd"'
    append_line(tmp_path / "x", line)
    assert texts(tmp_path / "x") == [line]


def test_a_line_with_a_newline_is_refused(tmp_path):
    with pytest.raises(ValueError, match="newline"):
        append_line(tmp_path / "x", "a\nb")
    assert not (tmp_path / "x").exists()


def test_cut_at_every_byte_then_append(tmp_path):
    path, torn = tmp_path / "x.jsonl", tmp_path / "x.jsonl.torn"
    whole = "".join(line + "\n" for line in LINES).encode()
    for cut in range(len(whole) + 1):
        torn.unlink(missing_ok=True)
        path.write_bytes(whole[:cut])
        kept = whole[:cut].decode(errors="replace").split("\n")
        tail = kept.pop()
        assert texts(path) == kept, f"read after a cut at byte {cut}"
        append_line(path, '{"new": 1}')
        completed = [tail] if tail in LINES else []
        assert texts(path) == [*kept, *completed, '{"new": 1}'], f"append after a cut at byte {cut}"
        aside = torn.read_bytes() if torn.exists() else b""
        expected = b"" if completed or not tail else whole[whole[:cut].rfind(b"\n") + 1 : cut] + b"\n"
        assert aside == expected, f"set aside after a cut at byte {cut}"


# (a last line without a newline, whether it is completed rather than cut off)
TAILS = [
    (b"\x00" * 40, False),  # what a power cut leaves on some file systems
    (b"12", False),  # may be the beginning of 123
    (b"\xff\xfe", False),
    (b'{"a": ' * 3000, False),
    (b"[" * 100_000, False),  # too deep for the parser
    (b'{"a": "' + b"x" * 200_000, False),  # longer than one look backwards
    (b'{"a": "' + b"x" * 200_000 + b'"}', True),
    (b"[1, 2]", True),
]


@pytest.mark.parametrize(("tail", "completed"), TAILS)
def test_torn_tails(tmp_path, tail, completed):
    path = tmp_path / "x"
    path.write_bytes(b'{"a": 1}\n' + tail)
    append_line(path, '{"b": 2}')
    assert texts(path) == ['{"a": 1}', *([tail.decode()] if completed else []), '{"b": 2}']
    assert (tmp_path / "x.torn").exists() is not completed


def test_every_torn_tail_is_kept(tmp_path):
    path = tmp_path / "x"
    for tail in ('{"first', '{"second'):
        with path.open("a") as file:
            file.write(tail)
        append_line(path, "{}")
    assert (tmp_path / "x.torn").read_text() == '{"first\n{"second\n'


@pytest.mark.parametrize("tail", ["", '{"torn', '{"whole": 1}'])
@pytest.mark.parametrize("for_good", [False, True])
def test_whatever_call_fails_nothing_is_lost_and_it_goes_on(tmp_path, disk, tail, for_good):
    path = tmp_path / "x"
    before = [LINES[0], tail] if tail == '{"whole": 1}' else [LINES[0]]
    for at in range(1, 20):
        path.write_text(f"{LINES[0]}\n{tail}")
        try:
            with disk.fails(errno.ENOSPC, at=at, for_good=for_good):
                append_lines(path, LINES[1:])
            acknowledged = LINES[1:]
        except StorageFullError:
            acknowledged = []
        append_line(path, '{"after": 1}')
        found = texts(path)
        if not for_good:
            assert found == [*before, *acknowledged, '{"after": 1}']
        else:  # even the roll-back failed: unacknowledged lines may be there, acknowledged ones must be
            assert found[: len(before)] == before
            assert found[-1] == '{"after": 1}'
            assert set(acknowledged) <= set(found)
            assert set(found) <= {*before, *LINES, '{"after": 1}'}
        if not disk.failed:
            break
    assert not disk.failed
    assert acknowledged


def test_an_interrupt_takes_the_line_back(tmp_path, monkeypatch):
    append_line(tmp_path / "x", LINES[0])

    def interrupt(fd):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            append_line(tmp_path / "x", LINES[1])
    assert texts(tmp_path / "x") == LINES[:1]


def test_a_reader_never_sees_a_line_that_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "x"
    append_line(path, LINES[0])
    written, go_on, seen = threading.Event(), threading.Event(), []

    def stall_then_fail(fd):
        written.set()
        go_on.wait(10)
        raise OSError(errno.ENOSPC, "no space")

    def write():
        with pytest.raises(StorageFullError):
            append_line(path, LINES[1])

    monkeypatch.setattr(os, "fsync", stall_then_fail)
    writer, reader = threading.Thread(target=write), threading.Thread(target=lambda: seen.append(texts(path)))
    writer.start()
    assert written.wait(10)
    reader.start()
    reader.join(0.2)  # long enough to read the line, if nothing kept the reader from it
    go_on.set()
    writer.join()
    reader.join()
    assert seen == [LINES[:1]]


def test_reading_what_is_not_there(tmp_path):
    with pytest.raises(RunFolderError, match="does not exist"):
        list(read_lines(tmp_path / "none"))


def test_a_line_that_is_no_text_is_named(tmp_path):
    (tmp_path / "x").write_bytes(b"{}\n\xff\n{}\n")
    with pytest.raises(DocumentError, match=r"x:2: this line is not UTF-8 text.*delete the line"):
        list(read_lines(tmp_path / "x"))


def test_where_files_cannot_be_locked_they_can_still_be_read(tmp_path, monkeypatch):
    append_line(tmp_path / "x", LINES[0])
    monkeypatch.setattr(flock, "fcntl", None)
    assert texts(tmp_path / "x") == LINES[:1]
    with pytest.raises(RunFolderError, match="need file locks"):
        append_line(tmp_path / "x", LINES[1])
    assert texts(tmp_path / "x") == LINES[:1]


def test_a_process_forked_during_an_append_does_not_keep_the_lock(tmp_path, monkeypatch, fork):
    sync = os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (fork(lambda: time.sleep(30)), sync(fd)))
        append_line(tmp_path / "x", LINES[0])
    later = threading.Thread(target=append_line, args=(tmp_path / "x", LINES[1]), daemon=True)
    later.start()
    later.join(5)
    assert not later.is_alive()
    assert texts(tmp_path / "x") == LINES[:2]


def test_four_processes_append_without_mixing_lines(tmp_path, fork):
    path = tmp_path / "x"

    def work(who):
        for count in range(40):
            append_line(path, json.dumps({"who": who, "count": count, "pad": "x" * 500}))

    children = [fork(lambda who=who: work(who)) for who in range(4)]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    found = [json.loads(text) for text in texts(path)]
    assert len(found) == 160
    for who in range(4):
        assert [line["count"] for line in found if line["who"] == who] == list(range(40))


def append_until_killed(path, pipe, first):
    """Append numbered lines, a few bytes at a time, and report each one that is done."""
    write = os.write

    def write_slowly(fd, data):
        time.sleep(0.0002)
        return write(fd, bytes(data)[:7])

    os.write = write_slowly
    for number in range(first, first + 1_000_000):
        append_line(path, json.dumps({"number": number, "pad": "x" * 40}))
        write(pipe, f"{number}\n".encode())


def chaos(path, fork, kills, seed):
    """Kill writers at random moments; returns the numbers they had reported as written."""
    chance, acknowledged = random.Random(seed), []
    for kill in range(kills):
        reading, writing = os.pipe()
        pid = fork(lambda first=kill * 1_000_000, pipe=writing: append_until_killed(path, pipe, first))
        os.close(writing)
        select.select([reading], [], [], 10)  # however busy the machine is, it has written something
        time.sleep(chance.uniform(0.0, 0.02))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(reading) as pipe:
            acknowledged += [int(line) for line in pipe.read().split("\n")[:-1]]
    return acknowledged


@pytest.mark.parametrize(("kills", "seed"), [(15, 1), pytest.param(500, 2, marks=pytest.mark.slow, id="500 kills")])
def test_killed_writers_lose_nothing_they_had_reported(tmp_path, fork, kills, seed):
    path = tmp_path / "x"
    acknowledged = chaos(path, fork, kills, seed)
    append_line(path, '{"number": -1}')
    found = [json.loads(text)["number"] for text in texts(path)]
    assert len(acknowledged) >= kills
    assert (tmp_path / "x.torn").exists()  # or the kills came too early or too late to try anything
    assert set(acknowledged) - set(found) == set()
    assert len(found) == len(set(found))
    assert found[-1] == -1
    assert len(found) - 1 - len(acknowledged) <= kills  # at most the one line each was busy with
