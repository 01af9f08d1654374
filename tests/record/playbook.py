#!/usr/bin/env python3
"""Record what ansible-core says about playbooks, for the tests of crates/lang.

    ANSIBLE=~/venv/bin tests/record/playbook.py [syntax|lists|variables]...

Each case is a few files and the options to run ansible-playbook with; what is recorded is its exit code and
what it printed, with the directory of the case replaced by $DIR. Writes crates/lang/tests/recorded/playbook_*.json.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from playbook_cases import CASES  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ANSIBLE", os.path.expanduser("~/.anchors/bin")))


def run(case):
    with tempfile.TemporaryDirectory() as tmp:
        # A short, stable name: messages wrap or cut nothing, but be sure.
        base = pathlib.Path(tmp) / "case"
        base.mkdir()
        for name, text in case["files"].items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        env = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": tmp,
            "LANG": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
            **case.get("env", {}),
        }
        out = subprocess.run(
            [str(BIN / "ansible-playbook"), *case["options"]],
            cwd=base, env=env, capture_output=True, text=True, timeout=120,
        )

        def clean(text):
            text = text.replace(str(base), "$DIR").replace(tmp, "$TMP")
            return re.sub(r"\d+\.\d{6}", "0.0", text)

        return {**case, "code": out.returncode, "stdout": clean(out.stdout), "stderr": clean(out.stderr)}


def main():
    which = sys.argv[1:] or list(CASES)
    for table in which:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = dict(zip(CASES[table], pool.map(run, CASES[table].values())))
        path = ROOT / f"crates/lang/tests/recorded/playbook_{table}.json"
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        print(f"{path}: {len(results)} cases")


if __name__ == "__main__":
    main()
