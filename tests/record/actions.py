#!/usr/bin/env python3
"""Record what actions do in playbooks of ansible-core, for crates/provision/tests/actions.rs.

    ANSIBLE=~/venv/bin tests/record/actions.py [ACTION...]

Cases are in actions_cases/ACTION.py. Each is a directory that a shell makes, and a list of tasks in a playbook of that
directory; hosts h1 to h3 are this machine. It is run twice, and what every task said and the files that were left go into
crates/provision/tests/recorded/ACTION.json. `@D@` stands for the directory, `@PORT@` for the port of
files_cases/server.py. Needs root.
"""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from files_tree import tree  # noqa: E402

CASES = HERE / "actions_cases"
BIN = pathlib.Path(os.environ.get("ANSIBLE", os.path.expanduser("~/.anchors/bin")))
OUT = HERE.parents[1] / "crates/provision/tests/recorded"

# What is of the moment, of this machine or of Python.
DROPPED = {"invocation", "exception", "deprecations", "warnings", "atime", "mtime", "ctime", "delta", "start", "end", "stop", "elapsed",
           "uid", "gid", "owner", "group"}


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


sys.modules["common"] = module(CASES / "common.py")


def steady(value, root, port):
    """Without the names of the moment."""
    if isinstance(value, str):
        value = value.replace(root, "@D@").replace(f":{port}", ":@PORT@") if port else value.replace(root, "@D@")
        value = re.sub(r"(~\d*|\d+)\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", "@BACKUP@", value)
        value = re.sub(r"Paused for [\d.]+ ", "Paused for * ", value)
        return re.sub(r"[^\s'\"]*/(\.ansible/tmp/|ansible-tmp-|ansible-moduletmp-)[^\s'\":]*", "@TMP@", value)
    if isinstance(value, list):
        return [steady(v, root, port) for v in value]
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in DROPPED and not k.startswith("_ansible")}
        return {k.replace(root, "@D@"): steady(v, root, port) for k, v in kept.items()}
    return value


def steady_tree(found, root, port):
    """What `fetch` makes has the path of the directory in it."""
    above = [str(p) for p in pathlib.Path(root).parents if p != pathlib.Path("/")]
    kept = {name: entry for name, entry in found.items() if not any(name.endswith(p) for p in above)}
    return steady(kept, root, port)


def play(root):
    env = {
        "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(root / "home"),
        "LANG": "C.UTF-8",
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "actions"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "RESULTS": str(root / "results"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_VAULT_PASSWORD_FILE": str(root / "password"),
    }
    command = [BIN / "ansible-playbook", "-i", "h1,h2,h3", "-c", "local", str(root / "all.yml")]
    command += ["-e", "ansible_python_interpreter=/usr/bin/python3"]
    out = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if not (root / "results").exists():
        sys.exit(out.stdout + out.stderr)
    report = json.loads((root / "results").read_text())
    (root / "results").unlink()
    return report["plays"]


def record(name):
    table = module(CASES / f"{name}.py")
    server, port = None, ""
    if "@PORT@" in json.dumps(table.CASES):
        server = subprocess.Popen(
            [sys.executable, "-I", HERE / "files_cases/server.py"], stdout=subprocess.PIPE, text=True)
        port = server.stdout.readline().strip()
    root = pathlib.Path(tempfile.mkdtemp(prefix="rec-"))
    # Whoever tasks become has to come here, too.
    root.chmod(0o755)
    (root / "home").mkdir()
    (root / "password").write_text("secret\n")
    books = []
    for number, case in enumerate(table.CASES):
        here = root / f"c{number:03}"
        here.mkdir()
        fill = lambda text: text.replace("@D@", str(here)).replace("@PORT@", port)
        subprocess.run(["sh", "-ec", "umask 022\n" + fill(case["setup"])], cwd=here, check=True,
                       env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
        (here / "site.yml").write_text(fill(case["site"]))
        books.append(f"- import_playbook: c{number:03}/site.yml\n")
    (root / "all.yml").write_text("".join(books))
    runs = [play(root), play(root)]
    if server:
        server.terminate()
    recorded = []
    for number, case in enumerate(table.CASES):
        here = root / f"c{number:03}"
        steps = []
        for run in runs:
            tasks = [p["tasks"] for p in run if p["play"] == case["name"]]
            if not tasks:
                sys.exit(f"{name}: {case['name']} was not run")
            steps.append(steady(sum(tasks, []), str(here), port))
        (here / "site.yml").unlink()
        left = steady_tree(tree(here), str(here), port)
        for opaque in case.get("opaque", []):
            left.pop(opaque, None)
        recorded.append({**case, "runs": steps, "tree": left})
    shutil.rmtree(root)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")
    print(name, len(recorded))


for name in sys.argv[1:] or sorted(p.stem for p in CASES.glob("*.py") if p.stem != "common"):
    record(name)
