#!/usr/bin/env python3
"""Record what ansible-core answers for the modules that manage accounts, packages, services and the like.

    tests/record/modules_system.py [MODULE...]

PostgreSQL's modules need python3-psycopg2: RECORD_DEBS names .deb files that are installed in the sandbox.

Each module's cases run as tasks of one playbook in a throw-away copy of this machine (sandbox.sh; needs root).
The answers go to crates/modules/tests/recorded/MODULE.json, where crates/modules/tests/system.rs runs the same
steps with our modules and compares. Needs ansible-playbook (with the collections of the `ansible` package) in
PATH or in ANSIBLE_BIN.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
RECORDED = REPO / "crates/modules/tests/recorded"
SANDBOX = REPO / "crates/modules/tests/sandbox.sh"

sys.path.insert(0, str(HERE))
from modules_system_cases import CASES  # noqa: E402


def tasks(module, case):
    """The playbook's tasks; steps are numbered by their name."""
    full = case.get("module", module)
    if os.environ.get("RECORD_DEBS"):
        # What modules need of Python and the machine does not have.
        yield {"name": "prepare", "ansible.builtin.command": {"cmd": "dpkg -i " + os.environ["RECORD_DEBS"]}}
    if case.get("prepare"):
        yield {"name": "prepare", "ansible.builtin.shell": {"cmd": case["prepare"], "executable": "/bin/bash"}}
    for number, step in enumerate(case["steps"]):
        if "shell" in step:
            yield {"name": "prepare", "ansible.builtin.shell": {"cmd": step["shell"], "executable": "/bin/bash"}}
        if "args" in step:
            yield {
                "name": f"step {number}",
                full: step["args"],
                "check_mode": step.get("check", False),
                "diff": step.get("diff", False),
                "ignore_errors": True,
                "environment": step.get("environment", {}),
                **({"become": True, "become_user": step["user"]} if "user" in step else {}),
            }


def record(module, case):
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": case.get("facts", False),
             "vars": {"ansible_python_interpreter": "/usr/bin/python3"}, "tasks": list(tasks(module, case))}]
    program = shutil.which("ansible-playbook", path=os.environ.get("ANSIBLE_BIN", os.environ["PATH"]))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        playbook = pathlib.Path(tmp, "play.json")
        playbook.write_text(json.dumps(play))
        env = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_DEPRECATION_WARNINGS": "0",
               "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
               "ANSIBLE_NOCOWS": "1", "ANSIBLE_HOME": tmp + "/home", "ANSIBLE_JSON_INDENT": "1"}
        if case.get("systemd"):
            env["SANDBOX_SYSTEMD"] = "1"
        done = subprocess.run(["bash", str(SANDBOX), program, "-i", "localhost,", str(playbook)],
                              env=env, capture_output=True, text=True, cwd="/")
    try:
        answer = json.loads(done.stdout[done.stdout.index("{"):])
    except ValueError:
        sys.exit(f"{module}: {done.stdout}\n{done.stderr}")
    results = {}
    for task in answer["plays"][0]["tasks"]:
        result = task["hosts"]["localhost"]
        name = task["task"]["name"]
        if name.startswith("step "):
            results[int(name[5:])] = clean(result)
            if "services" in case:
                facts = result["ansible_facts"]
                facts["services"] = {k: v for k, v in facts["services"].items() if k.startswith(case["services"])}
        elif result.get("failed"):
            sys.exit(f"{module}: preparing failed: {result.get('stderr') or result}")
    steps = [{**step, "result": results.get(n)} for n, step in enumerate(case["steps"])]
    more = {key: case[key] for key in ("ignore", "systemd", "slow", "services") if key in case}
    return {"name": case["name"], "module": module, **more, "prepare": case.get("prepare", ""), "steps": steps}


def clean(result):
    """Without what only the controller adds."""
    drop = {"invocation", "_ansible_no_log", "_ansible_parsed", "action", "warnings", "deprecations", "ansible_facts"
            if "discovered_interpreter_python" in result.get("ansible_facts", {}) else "", "exception"}
    return {k: v for k, v in result.items() if k not in drop}


def main():
    wanted = sys.argv[1:] or sorted(CASES)
    RECORDED.mkdir(exist_ok=True)
    for module in wanted:
        recorded = [record(module, case) for case in CASES[module]]
        path = RECORDED / f"{module}.json"
        path.write_text(json.dumps(recorded, indent=1, sort_keys=False) + "\n")
        print(f"{path.relative_to(REPO)}: {sum(len(c['steps']) for c in recorded)} steps")


if __name__ == "__main__":
    main()
