"""The bundles of tests/bundles/, as `fairlead check` gets them.

tests/bundles/<what-it-shows>/ has a folder `input` and a file `expected.json`:

    about      what it shows, one sentence
    exit       exit status
    sessions   {id: {diagnostic: [result, ...]}}; a result is "pass", or "fail:cause". Every diagnostic that says
               anything is named, those without evidence are not. A session without id is named by its log
    host       {diagnostic: [result, ...]} for what belongs to no session
    skipped    parts of names that must be listed as not read
    encodings  {file: encoding}
    pack       how the input is packed before it is read: "archive" (zip, tar, tar.gz, tar.bz2, tar.xz, tar.zst),
               "gzip" (members to compress), "again" (that archive within another), "cut" (bytes that are left),
               "hostile" (further members), "bomb" (a member of zeros)
"""

import gzip
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import zipfile

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "bundles"
BOMB = 200 * 1024 * 1024


def names():
    return sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))


def expected(name):
    return json.loads((FOLDER / name / "expected.json").read_text())


def _hostile_member(tar, name):
    kind, _, rest = name.rpartition(":")
    info = tarfile.TarInfo(rest)
    if kind == "link":
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    elif kind == "device":
        info.type, info.devmajor, info.devminor = tarfile.CHRTYPE, 1, 5
    else:
        info.size = 4
    tar.addfile(info, io.BytesIO(b"evil") if info.size else None)


def _tar(folder, out, compression, recipe):
    with tarfile.open(out, "w:" + compression) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                tar.add(path, path.relative_to(folder))
        for name in recipe.get("hostile", []):
            _hostile_member(tar, name)


def _zip(folder, out, recipe):
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
        if "bomb" in recipe:
            with archive.open(recipe["bomb"], "w") as member:
                for _ in range(BOMB // (1 << 20)):
                    member.write(bytes(1 << 20))


def _archive(folder, kind, recipe, into):
    out = into / f"logs.{kind}"
    if kind == "zip":
        _zip(folder, out, recipe)
    elif kind == "tar.zst":
        _tar(folder, into / "logs.tar", "", recipe)
        subprocess.run(["zstd", "-q", "--rm", into / "logs.tar", "-o", out], check=True)
    else:
        _tar(folder, out, kind.partition(".")[2], recipe)
    return out


def unpacked(name, into):
    """A copy of the input with its members compressed as the recipe says."""
    folder = into / "input"
    shutil.copytree(FOLDER / name / "input", folder)
    for member in expected(name).get("pack", {}).get("gzip", []):
        path = folder / member
        with gzip.open(f"{path}.gz", "wb") as out:
            out.write(path.read_bytes())
        path.unlink()
    return folder


def path_of(name, into):
    """What to give to `fairlead check`."""
    recipe = expected(name).get("pack")
    if recipe is None:
        return FOLDER / name / "input"
    found = unpacked(name, into)
    if "archive" not in recipe:
        return found
    found = _archive(found, recipe["archive"], recipe, into)
    if "again" in recipe:
        box = into / "box"
        box.mkdir()
        shutil.move(found, box / found.name)
        found = _archive(box, recipe["again"], {}, into)
    if "cut" in recipe:
        with open(found, "r+b") as file:
            file.truncate(recipe["cut"])
    return found


def results(diagnostics):
    """{diagnostic: ["fail:cause", ...]} of a JSON report's list, without those that lack evidence."""
    found = {}
    for one in diagnostics:
        if one["result"] == "no-evidence":
            continue
        cause = f":{one['cause_id']}" if one.get("cause_id") else ""
        found.setdefault(one["id"], []).append(one["result"] + cause)
    return found


def judged(document):
    """(sessions, host) in the form of expected.json."""
    sessions = {one["id"] or one["source"].rpartition("/")[2]: results(one["diagnostics"])
                for one in document["sessions"]}
    return sessions, results(document["host"]["diagnostics"])
