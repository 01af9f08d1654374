#!/usr/bin/env python3
"""Compare the benchmarks of the crates with those of an earlier commit, side by side in one run.

    tests/bench/compare.py [BASE [CRATE...]]

BASE is the commit before by default: HEAD while there are changes that are not committed, otherwise HEAD~1. Both are
built; their benchmarks run alternately, several rounds, and the fastest sample of each counts, so that what else the
machine does falls on both and mostly on neither. Only crates are measured that the changes can concern (and of those only
CRATE... if some are given).

Exit code 1 if a benchmark has become clearly slower (LIMIT), again in further rounds. An earlier commit that has no
benchmarks has nothing to compare with, which is said and passes.

Everything is built in a copy of the sources, target/bench/tree, first the present ones, then the earlier ones, so that
cargo builds again only what differs. What `cargo build --release` has made is taken over.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
PLACE = TARGET / "bench"
TREE = PLACE / "tree"
BUILD = PLACE / "build"
ROUNDS = 3
# A benchmark is slower if its fastest sample takes this many times as long, and this many nanoseconds longer.
LIMIT = 1.5
LEAST = 100
TIMES = ["--warm-up-time", "0.05", "--measurement-time", "0.2", "--sample-size", "10"]


def main():
    wanted, only = sys.argv[1:2], sys.argv[2:]
    base = commit_before(*wanted)
    if base is None:
        print("there is no earlier commit to compare with")
        return 0
    subject = git("log", "-1", "--format=%h %s", base)
    all_crates = packages(ROOT)
    changed = affected(all_crates, base)
    crates = {name: all_crates[name]["benches"] for name in only or changed if all_crates[name]["benches"]}
    if not crates:
        print(f"nothing that benchmarks measure has changed since {subject}")
        return 0
    known = files_of(base)
    common = {
        crate: [b for b in names if f"{all_crates[crate]['path']}/benches/{b}.rs" in known]
        for crate, names in crates.items()
    }
    common = {crate: names for crate, names in common.items() if names}
    if not common:
        print(f"{subject} has no benchmarks to compare with")
        return 0
    print(f"compared with {subject}: {', '.join(common)}", flush=True)
    take_over()
    builds = {}
    for side, files in ("new", present_files()), ("old", known):
        copy_sources(files)
        builds[side] = build(side, common)
    best = {}
    for number in range(ROUNDS):
        one_round(builds, best, number)
    slow = show(best)
    if slow:
        print(f"\nslower: {', '.join(slow)}; measured again")
        again = {}
        for number in range(ROUNDS):
            one_round(builds, again, number, slow)
        slow = show({name: again[name] for name in slow})
    print("\nclearly slower: " + ", ".join(slow) if slow else "\nnothing is clearly slower")
    return 1 if slow else 0


def git(*args, root=ROOT, check=True):
    done = subprocess.run(["git", *args], cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        if check:
            sys.exit(f"git {' '.join(args)}: {done.stderr.strip()}")
        return None
    return done.stdout.strip()


def commit_before(wanted=None):
    if wanted is None:
        dirty = git("status", "--porcelain", "--", "crates", "vendor", "Cargo.toml", "Cargo.lock")
        return git("rev-parse", "--verify", "--quiet", "HEAD^{commit}" if dirty else "HEAD~1^{commit}", check=False)
    return git("rev-parse", "--verify", wanted + "^{commit}")


def packages(root):
    """The crates of a checkout: name, folder, benchmarks, and the crates they are built from."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)
    return {
        package["name"]: {
            "path": pathlib.Path(package["manifest_path"]).parent.relative_to(root.resolve()).as_posix(),
            "benches": [t["name"] for t in package["targets"] if "bench" in t["kind"]],
            "needs": [d["name"] for d in package["dependencies"] if d.get("path")],
        }
        for package in metadata["packages"]
    }


def affected(crates, base):
    """Crates that what has changed since `base` can concern."""
    changed = git("diff", "--name-only", base).splitlines()
    changed += git("ls-files", "--others", "--exclude-standard").splitlines()
    if any(path in ("Cargo.toml", "Cargo.lock") or path.startswith("vendor/") for path in changed):
        return sorted(crates)
    inside = re.compile(r"(src|benches|tests/support)/|Cargo\.toml$|build\.rs$")
    own = {
        name
        for name, crate in crates.items()
        for path in changed
        if path.startswith(crate["path"] + "/") and inside.match(path[len(crate["path"]) + 1 :])
    }

    def concerns(name):
        return name in own or any(concerns(needed) for needed in crates[name]["needs"] if needed in crates)

    return sorted(name for name in crates if concerns(name))


def files_of(base):
    """Every file of a commit, with what gives its content."""
    lines = git("ls-tree", "-r", "-z", base).split("\0")
    entries = [line.split("\t", 1) for line in lines if line]
    return {name: functools.partial(content, about.split()[2]) for about, name in entries if about.startswith("100")}


def content(blob):
    return subprocess.run(["git", "cat-file", "blob", blob], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def present_files():
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    paths = {name: ROOT / name for name in names if name}
    return {name: path.read_bytes for name, path in paths.items() if path.is_file() and not path.is_symlink()}


def take_over():
    """Begin with what is built already; files keep their times, by which cargo knows what is new."""
    if PLACE.exists():
        return
    names = git("ls-files", "-z").split("\0")
    for name in names:
        if name and (ROOT / name).is_file() and is_source(name):
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)
    for part in "deps", ".fingerprint", "build":
        if (TARGET / "release" / part).is_dir():
            shutil.copytree(TARGET / "release" / part, BUILD / "release" / part, symlinks=True)


def is_source(name):
    return name.startswith(("crates/", "vendor/", ".cargo/")) or name in ("Cargo.toml", "Cargo.lock")


def copy_sources(files):
    """Make the copy what `files` are. What stays the same keeps its time; what changes is newer than any build."""
    for path in [p for p in TREE.rglob("*") if p.is_file()]:
        if path.relative_to(TREE).as_posix() not in files:
            path.unlink()
    for name, read in files.items():
        if is_source(name):
            path, new = TREE / name, read()
            if not path.is_file() or path.read_bytes() != new:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(new)


def build(side, crates):
    """Build the benchmarks, and keep their executables."""
    command = ["cargo", "bench", "--quiet", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"]
    for names in crates.values():
        for name in names:
            command += ["--bench", name]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILD)}
    done = subprocess.run(command, cwd=TREE, env=environment, text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"the benchmarks ({side}) cannot be built")
    kept = PLACE / side
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    found = []
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and "bench" in message["target"]["kind"]:
            name = message["target"]["name"]
            shutil.copy2(message["executable"], kept / name)
            found.append((name, kept / name, pathlib.Path(message["manifest_path"]).parent))
    return sorted(found)


def one_round(builds, best, number, only=None):
    """Run every benchmark of both sides once, one side's right after the other's."""
    sides = ["old", "new"] if number % 2 == 0 else ["new", "old"]
    for programs in zip(*(builds[side] for side in sides), strict=True):
        for side, (_, program, folder) in zip(sides, programs, strict=True):
            for name, nanoseconds in run(program, folder, only).items():
                times = best.setdefault(name, {})
                times[side] = min(times.get(side, nanoseconds), nanoseconds)


def run(program, folder, only):
    """Nanoseconds of the fastest sample of each benchmark of an executable."""
    home = PLACE / "criterion"
    shutil.rmtree(home, ignore_errors=True)
    command = [program, "--bench", "--noplot", *TIMES]
    if only:
        command.append("^(" + "|".join(map(re.escape, only)) + ")$")
    environment = {**os.environ, "CRITERION_HOME": str(home)}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{program} failed:\n{done.stdout}")
    fastest = {}
    for path in home.glob("**/new/sample.json"):
        name = json.loads((path.parent / "benchmark.json").read_text())["full_id"]
        sample = json.loads(path.read_text())
        fastest[name] = min(t / n for t, n in zip(sample["times"], sample["iters"], strict=True))
    return fastest


def show(best):
    """Print the table; the names of what is slower."""
    width = max(map(len, best))
    print(f"\n{'benchmark':{width}}  {'old':>10}  {'new':>10}  ratio")
    slow = []
    for name, times in best.items():
        old, new = times.get("old"), times.get("new")
        ratio = new / old if old and new else None
        is_slow = ratio is not None and ratio > LIMIT and new - old > LEAST
        mark = "  slower" if is_slow else ""
        print(f"{name:{width}}  {readable(old):>10}  {readable(new):>10}  {f'{ratio:5.2f}' if ratio else '    -'}{mark}")
        if is_slow:
            slow.append(name)
    sys.stdout.flush()
    return slow


def readable(nanoseconds):
    if nanoseconds is None:
        return "-"
    for unit in ["ns", "µs", "ms"]:
        if nanoseconds < 1000:
            return f"{nanoseconds:.3g} {unit}" if nanoseconds < 100 else f"{nanoseconds:.0f} {unit}"
        nanoseconds /= 1000
    return f"{nanoseconds:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
