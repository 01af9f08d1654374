#!/usr/bin/env python3
"""Record what ansible-core says about arguments that do not fit their specification.

    ANSIBLE=~/venv/bin tests/record/argument_specs.py

Reads tests/record/argument_specs_cases.json, pairs of a specification and arguments, runs the module
validate_argument_spec on each, and writes crates/lang/tests/recorded/argument_specs.json: each pair with the list
of errors.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("ANSIBLE", os.path.expanduser("~/.anchors/bin")))
OUT = HERE.parents[1] / "crates/lang/tests/recorded/argument_specs.json"


def main():
    cases = json.loads((HERE / "argument_specs_cases.json").read_text())
    tasks = []
    for spec, args in cases:
        args = {"argument_spec": spec, "provided_arguments": args}
        tasks.append({"validate_argument_spec": args, "ignore_errors": True, "register": "r"})
        tasks.append({"set_fact": {"all_results": "{{ all_results | default([]) + [r] }}"}})
    with tempfile.TemporaryDirectory() as tmp:
        out = f"{tmp}/out.json"
        tasks.append({"copy": {"dest": out, "content": "{{ all_results | to_json }}"}})
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
        pathlib.Path(tmp, "play.yml").write_text(json.dumps(play))
        command = [BIN / "ansible-playbook", "-i", "localhost,", "-e", f"ansible_python_interpreter={sys.executable}", "play.yml"]
        subprocess.run(command, cwd=tmp, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        results = json.loads(pathlib.Path(out).read_text())
    rows = []
    for (spec, args), result in zip(cases, results, strict=True):
        # Python's own failures, on what is no specification, are not recorded.
        if not result["failed"] or "argument_errors" in result:
            rows.append([spec, args, result.get("argument_errors", [])])
    lines = ",\n".join(" " + json.dumps(row) for row in rows)
    OUT.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
