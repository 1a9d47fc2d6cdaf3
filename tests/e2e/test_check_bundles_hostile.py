"""`fairlead check` on bundles that are damaged or made to do damage: what can be read is judged, the rest is listed
with its reason, and neither memory nor time is the bundle's to decide."""

import bz2
import gzip
import io
import json
import lzma
import os
import resource
import socket
import struct
import subprocess
import tarfile
import tempfile
import time
import zipfile
import zlib

import pytest

import bundles
from programs import LIMIT, SLOW, die_with_parent, program

MIB = 1 << 20
#: Of the whole program, whatever the bundle.
MEMORY = 256 * MIB
SECONDS = 10 * SLOW


def log_of(name):
    (file,) = (bundles.FOLDER / name / "input").iterdir()
    return file.read_bytes()


GOOD = log_of("good-brokered-session")  # all pass
BAD = log_of("wrong-password")  # fails


class Checked:
    """`fairlead check --format json` with these paths, to its end, within the limits."""

    def __init__(self, *paths, stdin=None, cwd=None, env=None, limits=True):
        def before():
            die_with_parent()
            if limits and SLOW == 1:
                # the search's tables and the threads' stacks are reserved, not used
                resource.setrlimit(resource.RLIMIT_AS, (2048 * MIB, 2048 * MIB))

        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began = time.monotonic()
            child = subprocess.Popen(
                [program("fairlead"), "check", "--format", "json", *map(str, paths)],
                stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                env={**os.environ, "LC_ALL": "C", **(env or {})}, preexec_fn=before)
            try:
                self.status, usage = self._wait(child)
            finally:
                if child.returncode is None:
                    child.kill()
                    child.wait()
            self.seconds = time.monotonic() - began
            out.seek(0)
            err.seek(0)
            self.output, self.errors = out.read(), err.read().decode("utf-8", "replace")
        self.memory = usage.ru_maxrss * 1024
        assert self.status in (0, 2, 3, 4), self.errors
        if SLOW == 1:  # else a sanitizer takes its own share
            assert self.memory < MEMORY
        assert self.seconds < SECONDS
        self.document = json.loads(self.output)

    @staticmethod
    def _wait(child):
        deadline = time.monotonic() + 3 * LIMIT
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                return child.returncode, usage
            time.sleep(0.01)
        raise AssertionError("fairlead check hangs")

    @property
    def read(self):
        """Paths of which something was read."""
        return [one["path"] for one in self.document["inputs"] if one["lines"]]

    def reason(self, end):
        """Why what has this end of a path was not read, or not wholly."""
        return " ".join(skip["reason"] for one in self.document["inputs"] if one["path"].endswith(end)
                        for skip in one["skipped"])


def zip_of(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2023, 5, 9, 9, 0, 0)), data, method)
    return bytearray(out.getvalue())


def tar_of(members, mode="w", form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if isinstance(data, bytes):
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            else:
                info.type, info.linkname = data
                archive.addfile(info)
    return bytearray(out.getvalue())


def blanks(length):
    """Text that every packing makes a thousand times smaller."""
    return b" " * length


def write(path, data):
    path.write_bytes(data)
    return path


# ---- names, links, devices ----

OUTSIDE = ["../evil.log", "logs/../../evil.log", "/etc/passwd", "C:\\evil.log", "..\\evil.log"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out(tmp_path, kind):
    members = [(name, BAD) for name in OUTSIDE] + [("logs/agent.log", GOOD)]
    path = write(tmp_path / f"b.{kind}", zip_of(members) if kind == "zip" else tar_of(members))
    done = Checked(path)
    assert done.status == 0, "the good log was judged, and no other"
    assert len(done.read) == 1
    for name in OUTSIDE:
        assert "absolute" in done.reason(name.replace("\\", "/")) or "leads out" in done.reason(name.replace("\\", "/"))


def test_links_and_devices_in_an_archive(tmp_path):
    members = [("passwd", (tarfile.SYMTYPE, "/etc/passwd")), ("hosts", (tarfile.LNKTYPE, "/etc/hosts")),
               ("null", (tarfile.CHRTYPE, "")), ("disk", (tarfile.BLKTYPE, "")), ("fifo", (tarfile.FIFOTYPE, "")),
               ("agent.log", GOOD)]
    done = Checked(write(tmp_path / "b.tar", tar_of(members)))
    assert done.status == 0
    assert len(done.read) == 1
    assert "/etc/passwd" in done.reason("b.tar/passwd") and "link" in done.reason("b.tar/hosts")
    for name in ("null", "disk", "fifo"):
        assert "device" in done.reason(f"b.tar/{name}")


def test_links_and_devices_in_a_folder(tmp_path):
    outside = write(tmp_path / "outside.log", BAD)
    folder = tmp_path / "logs"
    (folder / "sub").mkdir(parents=True)
    write(folder / "agent.log", GOOD)
    (folder / "link.log").symlink_to(outside)
    (folder / "sub" / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    os.mkfifo(folder / "fifo.log")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
        done = Checked(folder)
    assert done.status == 0
    assert len(done.read) == 1
    for name in ("link.log", "sub/up", "self"):
        assert "link" in done.reason(f"logs/{name}")
    assert "FIFO" in done.reason("logs/fifo.log") and "socket" in done.reason("logs/s")
    (tmp_path / "named").symlink_to(folder)
    assert Checked(tmp_path / "named").status == 0, "a link that the user names is followed"


def test_names_of_any_kind_reach_the_report_clean(tmp_path):
    long = "n" * 5000
    names = ["line\nbreak.log", "\x1b[31mred.log", "r\u202etxt.log", "caf\u00e9.log", long]
    done = Checked(write(tmp_path / "b.tar", tar_of([(name, GOOD) for name in names])))
    assert done.status == 0
    assert len(done.read) == len(names)
    text = done.output.decode("utf-8")
    assert not any(word in text for word in ("\\n", "\\u001b", "\u202e", "\\u202e"))
    assert all(len(path) < 1100 for path in done.read)
    # and one that is Latin-1; the header's check sum is made anew
    header = bytearray(tar_of([("grxxe.log", GOOD)], form=tarfile.USTAR_FORMAT))
    header[2:4] = b"\xfc\xdf"
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header[:512])
    done = Checked(write(tmp_path / "l.tar", header))
    assert done.status == 0
    assert len(done.read) == 1 and done.read[0].endswith("e.log")


def test_equal_paths_are_read_once(tmp_path):
    path = write(tmp_path / "agent.log", BAD)
    once = Checked(path)
    twice = Checked(path, tmp_path / "." / "agent.log", tmp_path, tmp_path)
    assert once.document["summary"] == twice.document["summary"]
    assert "already" in twice.reason("agent.log")
    assert len(twice.read) == 1


# ---- damage ----

PADDING = b"".join(b"2023-05-09T09:30:%02d.%03dZ 00000000-0000-0000-0000-000000000000 > LVL:2 RC:   0 AGENT :line %d\n"
                   % (i // 1000 % 60, i % 1000, i * 7919 % 100003) for i in range(20000))


@pytest.mark.parametrize("kind", ["gz", "tar", "tar.gz", "zip"])
def test_what_comes_before_the_cut_is_judged(tmp_path, kind):
    data = BAD + PADDING
    whole = {"gz": lambda: gzip.compress(data), "tar": lambda: tar_of([("agent.log", data)]),
             "tar.gz": lambda: tar_of([("agent.log", data)], "w:gz"),
             "zip": lambda: zip_of([("agent.log", data)])}[kind]()
    whole_path = write(tmp_path / f"whole.{kind}", whole)
    cut = write(tmp_path / f"cut.{kind}", whole[:len(whole) * 2 // 3])
    assert Checked(whole_path).status == 3
    done = Checked(cut)
    assert done.status == 3, "the failure stands before the cut"
    assert done.document["summary"]["fail"] == 1
    name = f"cut.{kind}" if kind == "gz" else f"cut.{kind}/agent.log"
    assert "damaged" in done.reason(name)
    (read,) = [one for one in done.document["inputs"] if one["path"].endswith(name)]
    assert len(data) // 2 < read["bytes"] < len(data) * 3 // 4


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bz2", "xz"])
def test_other_packings_cut_short(tmp_path, pack):
    # these are unpacked in large blocks; what is before the last one is judged
    noise = b"".join(b"%s\n" % zlib.crc32(b"%d" % i).to_bytes(4, "big").hex().encode() * 8 for i in range(40000))
    whole = pack(BAD + noise)
    done = Checked(write(tmp_path / "log", whole[:len(whole) - 100]), write(tmp_path / "good.log", GOOD))
    assert done.status == 3
    assert "damaged" in done.reason("/log")
    assert len(done.read) == 2


def test_a_wrong_check_sum_is_told_and_the_others_are_read(tmp_path):
    data = zip_of([("a.log", PADDING), ("b.log", BAD), ("c.log", GOOD)])
    sum = struct.pack("<I", zlib.crc32(BAD))
    assert data.count(sum) == 2, "beside the member and in the directory"
    data = data.replace(sum, b"fail")
    done = Checked(write(tmp_path / "b.zip", data))
    assert "CRC" in done.reason("b.zip/b.log")
    assert done.status == 3 and len(done.read) == 3, "a log with one wrong byte is still a log"


def test_broken_members_of_a_zip_do_not_hide_the_others(tmp_path):
    members = [(f"{i}.log", PADDING) for i in range(5)] + [("good.log", GOOD)]
    data = zip_of(members)
    at = 0
    for i in range(5):
        at = data.index(b"PK\3\4", at) + 5000
        data[at:at + 2000] = bytes(byte ^ 0xa5 for byte in data[at:at + 2000])
    done = Checked(write(tmp_path / "b.zip", data))
    assert done.status == 4
    assert any(path.endswith("good.log") for path in done.read)
    assert all("damaged" in done.reason(f"b.zip/{i}.log") for i in range(5))


def test_an_encrypted_member_is_told(tmp_path):
    data = zip_of([("secret.log", BAD), ("agent.log", GOOD)])
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    done = Checked(write(tmp_path / "b.zip", data))
    assert done.status == 0
    assert "encrypted" in done.reason("secret.log")


def unusable():
    yield "empty.zip", zip_of([])
    yield "zero-bytes.tar.gz", b""
    yield "head-only.zip", zip_of([("a.log", GOOD)])[:30]
    yield "seven.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100)
    yield "noise.gz", b"\x1f\x8b\x08\0" + bytes(range(256)) * 16
    yield "noise.xz", b"\xfd7zXZ\0" + bytes(range(256)) * 16
    yield "noise.zst", b"\x28\xb5\x2f\xfd" + bytes(range(256)) * 16
    yield "only-links.tar", tar_of([("a.log", (tarfile.SYMTYPE, "/etc/passwd"))])
    yield "only-outside.zip", zip_of([("../a.log", BAD)])
    yield "only-blanks.gz", gzip.compress(blanks(30 * MIB))


@pytest.mark.parametrize("name, data", [pytest.param(*one, id=one[0]) for one in unusable()])
def test_nothing_usable(tmp_path, name, data):
    done = Checked(write(tmp_path / name, data))
    assert done.status == 2
    assert "fairlead check: " in done.errors
    assert done.document["summary"]["pass"] == done.document["summary"]["fail"] == 0


# ---- bombs ----

def test_a_zip_bomb_beside_a_log(tmp_path):
    bomb = zip_of([("agent.log", BAD), ("bomb.log", blanks(400 * MIB))])
    assert len(bomb) < MIB
    done = Checked(write(tmp_path / "b.zip", bomb))
    assert done.status == 3, "what came before the bomb was judged"
    assert "times its size" in done.reason("bomb.log")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_compressed_blanks(tmp_path, pack):
    bomb = pack(blanks(100 * MIB))
    done = Checked(write(tmp_path / "bomb.log", bomb), write(tmp_path / "agent.log", GOOD))
    assert done.status == 4
    assert "times its size" in done.reason("bomb.log")
    (read,) = [one for one in done.document["inputs"] if one["path"].endswith("bomb.log")]
    assert 15 * MIB < read["bytes"] < 99 * MIB or not read["bytes"]


def test_bombs_within_bombs(tmp_path):
    """As the best known of them: sixteen in each of sixteen in each of sixteen."""
    layer = zip_of([("blanks", blanks(64 * MIB))])
    for _ in range(5):
        layer = zip_of([(f"{i}.zip", bytes(layer)) for i in range(16)])
    done = Checked(write(tmp_path / "42.zip", layer), write(tmp_path / "agent.log", GOOD))
    assert done.status == 4
    assert len(done.document["inputs"]) > 1


def test_archives_too_deep(tmp_path):
    data = GOOD
    for _ in range(20):
        data = gzip.compress(data)
    done = Checked(write(tmp_path / "deep.gz", data))
    assert done.status == 2
    assert "within each other" in done.reason("deep.gz")
    data = GOOD
    for _ in range(4):
        data = gzip.compress(data)
    assert Checked(write(tmp_path / "four.gz", data)).status == 0


def many_zip(count):
    """A zip with one log and then `count` empty members."""
    out = bytearray()
    directory = bytearray()
    for i in range(count + 1):
        name = b"%07d.log" % i
        data = GOOD if i == 0 else b""
        sum, at = zlib.crc32(data), len(out)
        out += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, sum, len(data), len(data), len(name), 0) + name
        out += data
        directory += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, sum, len(data), len(data),
                                 len(name), 0, 0, 0, 0, 0, at) + name
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xffff, 0xffff, len(directory), len(out), 0)
    return out + directory + end


def test_a_million_members(tmp_path):
    path = tmp_path / "many.zip"
    write(path, many_zip(1000 * 1000))
    done = Checked(path)
    assert done.status == 4, "a limit left most of it unread"
    assert "100000" in done.reason("many.zip")


def test_declared_sizes_are_not_believed(tmp_path):
    data = tar_of([("agent.log", BAD)], form=tarfile.USTAR_FORMAT)
    data[124:135] = b"77777777777"
    data[148:156] = b" " * 8
    data[148:155] = b"%06o\0" % sum(data[:512])
    done = Checked(write(tmp_path / "b.tar", data))
    assert done.status == 3
    assert "damaged" in done.reason("agent.log")
    data = zip_of([("agent.log", BAD)])
    data[22:26] = b"\xff\xff\xff\x7f"
    entry = data.index(b"PK\1\2")
    data[entry + 24:entry + 28] = b"\xff\xff\xff\x7f"
    done = Checked(write(tmp_path / "b.zip", data))
    assert done.status == 3
    assert "damaged" in done.reason("agent.log")


def test_a_sparse_member(tmp_path):
    sparse = tmp_path / "sparse.log"
    with open(sparse, "wb") as file:
        file.truncate(1 << 40)
        file.seek(0, os.SEEK_END)
        file.write(BAD)
    good = write(tmp_path / "good.log", GOOD)
    path = tmp_path / "b.tar"
    subprocess.run(["tar", "--sparse", "-C", tmp_path, "-cf", path, good.name, sparse.name], check=True, timeout=LIMIT)
    assert path.stat().st_size < MIB
    done = Checked(path)
    assert done.status == 4, "a limit left the rest of it unread"
    assert "text" in done.reason("sparse.log") or "times its size" in done.reason("sparse.log")


def test_a_line_of_a_gigabyte(tmp_path):
    path = tmp_path / "agent.log"
    with open(path, "wb") as file:
        file.write(BAD)
        file.truncate(1 << 30)
    assert Checked(path).status == 3


# ---- standard input, and what is left behind ----

@pytest.mark.parametrize("kind", ["plain", "gz", "tar.gz", "zip", "tar.xz", "bz2"])
def test_standard_input(kind):
    data = {"plain": lambda: BAD, "gz": lambda: gzip.compress(BAD), "bz2": lambda: bz2.compress(BAD),
            "tar.gz": lambda: tar_of([("logs/agent.log", BAD)], "w:gz"),
            "tar.xz": lambda: tar_of([("logs/agent.log", BAD)], "w:xz"),
            "zip": lambda: zip_of([("logs/agent.log", BAD), ("logs/good.log", GOOD)])}[kind]()
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe:
        with os.fdopen(writer, "wb") as end:
            assert len(data) < 65536, "the pipe holds it"
            end.write(data)
        done = Checked("-", stdin=pipe)
    assert done.status == 3
    inside = ["-"] if kind in ("plain", "gz", "bz2") else ["-/logs/agent.log"]
    assert done.read[:1] == inside
    assert not done.reason("agent.log") and not done.reason("-")


def test_nothing_is_written(tmp_path):
    """Neither where it runs, nor where temporary files go, nor beside the bundle."""
    places = [tmp_path / name for name in ("here", "temporary", "home")]
    for place in places:
        place.mkdir()
    box = tmp_path / "box"
    box.mkdir()
    inner = tar_of([("logs/agent.log.gz", gzip.compress(BAD)), ("../out.log", BAD), ("abs", (tarfile.SYMTYPE, "/x"))])
    path = write(box / "b.zip", zip_of([("inner.tar", bytes(inner)), ("logs/", b""), ("x.log", GOOD)]))
    before = path.read_bytes()
    done = Checked(path, cwd=places[0],
                   env={"TMPDIR": str(places[1]), "HOME": str(places[2])})
    assert done.status == 3
    assert all(not list(place.iterdir()) for place in places)
    assert [one.name for one in box.iterdir()] == ["b.zip"] and path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["box", "here", "home", "temporary"]
