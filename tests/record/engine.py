#!/usr/bin/env python3
"""Record the order of things in runs of ansible-core, for the tests of crates/engine.

    ANSIBLE=~/venv/bin tests/record/engine.py [case]...

Cases are in engine_cases.py. Hosts h1 to h6 are this machine; those of the group `gone` cannot be reached. Writes
crates/engine/tests/recorded/sequences.json: for each case its files, its options, the exit code and what the reporter
engine/sequence.py wrote.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from engine_cases import CASES  # noqa: E402

BIN = pathlib.Path(os.environ.get("ANSIBLE", os.path.expanduser("~/.anchors/bin")))
OUT = HERE.parents[1] / "crates/engine/tests/recorded/sequences.json"

INVENTORY = """\
h1
h2
h3
h4
h5
h6
[gone]
u1 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1
u2 ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1
"""


def run(name, case):
    with tempfile.TemporaryDirectory() as tmp:
        base = pathlib.Path(tmp) / "case"
        for path, text in {**case["files"], "hosts": INVENTORY}.items():
            path = base / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        env = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": tmp,
            "LANG": "C.UTF-8",
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "engine"),
            "ANSIBLE_CALLBACKS_ENABLED": "sequence",
            "SEQUENCE": f"{tmp}/sequence",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
        }
        command = [BIN / "ansible-playbook", "-i", "hosts", "-c", "local", *case["options"], "site.yml"]
        command += ["-e", f"ansible_python_interpreter={BIN / 'python'}"]
        out = subprocess.run(command, cwd=base, env=env, capture_output=True, text=True, timeout=300)
        sequence = pathlib.Path(tmp, "sequence")
        lines = sequence.read_text().replace(str(base), "$DIR").splitlines() if sequence.exists() else []
        if not lines:
            print(name, out.stdout[-400:], out.stderr[-600:], file=sys.stderr)
        return name, {**case, "code": out.returncode, "lines": lines}


def main():
    wanted = sys.argv[1:] or list(CASES)
    rows = json.loads(OUT.read_text()) if OUT.exists() else {}
    rows = {name: row for name, row in rows.items() if name in CASES}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        rows.update(pool.map(lambda name: run(name, CASES[name]), wanted))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
