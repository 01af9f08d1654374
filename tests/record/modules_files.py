#!/usr/bin/env python3
"""Record what ansible-core does, for crates/modules/tests/recorded_files.rs.

    tests/record/modules_files.py [MODULE...]

Runs every case of tests/record/files_cases/MODULE.py against ansible-core on this machine, each in an empty
directory of its own, twice, and writes arguments, results and the files that were left into
crates/modules/tests/recorded/MODULE.json. Needs ansible-playbook (in PATH, or named by ANSIBLE_PLAYBOOK) and,
for the cases about owners, root. `@D@` stands for the directory of the case, `@PORT@` for the port of a small
HTTP server (files_cases/server.py) that runs while a module's cases do if it asks for one.
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
CASES = HERE / "files_cases"
OUT = HERE.parent.parent / "crates/modules/tests/recorded"
sys.path.insert(0, str(HERE))
from files_tree import tree  # noqa: E402

PLAYBOOK = os.environ.get("ANSIBLE_PLAYBOOK", "ansible-playbook")


def replace(value, old, new):
    """Replace text everywhere in a JSON value."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [replace(v, old, new) for v in value]
    if isinstance(value, dict):
        return {replace(k, old, new): replace(v, old, new) for k, v in value.items()}
    return value


def steady(value):
    """Names of temporary files are those of the moment."""
    if isinstance(value, str):
        return re.sub("/tmp/ansible-moduletmp-[-_.0-9a-z]+/[_0-9a-z]+(\\.[a-z0-9]+)*", "@TMP@", value)
    if isinstance(value, list):
        return [steady(v) for v in value]
    if isinstance(value, dict):
        return {k: steady(v) for k, v in value.items()}
    return value


def load(module):
    # Not by sys.path: the files of the cases have names of Python's own modules.
    if module != "common" and "common" not in sys.modules:
        sys.modules["common"] = load("common")
    spec = importlib.util.spec_from_file_location(module, CASES / f"{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def run_playbook(top, tasks):
    """Run tasks as a playbook; gives their results by name."""
    book = top / "book.yml"
    (top / "ansible.cfg").write_text("")
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    env = dict(
        os.environ,
        ANSIBLE_STDOUT_CALLBACK="ansible.posix.json",
        ANSIBLE_PYTHON_INTERPRETER=os.environ.get("RECORD_PYTHON", sys.executable),
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_HOME=str(top / ".ansible"),
        ANSIBLE_REMOTE_TMP=str(top / ".ansible/tmp"),
        ANSIBLE_PIPELINING="true",
        ANSIBLE_CONFIG=str(top / "ansible.cfg"),
        ANSIBLE_CALLBACK_RESULT_FORMAT="json",
        LANG="C.UTF-8",
        LC_ALL="C.UTF-8",
    )
    ran = subprocess.run(
        [PLAYBOOK, "-i", "localhost,", "-c", "local", "-vvv", str(book)],
        env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    start = ran.stdout.find("\n{\n")
    if start < 0:
        sys.exit(ran.stdout + ran.stderr)
    report = json.JSONDecoder().raw_decode(ran.stdout[start:].strip())[0]
    results = {}
    for task in report["plays"][0]["tasks"]:
        results[task["task"]["name"]] = task["hosts"]["localhost"]
    return results


def run_direct(tasks):
    """Run modules that have no part on the controller in forks of this Python, which has to have ansible-core:
    a hundred times faster than a playbook, with the same results."""
    from ansible.module_utils import basic  # noqa: loaded once, before forking

    results = {}
    for task in tasks:
        name, args = next((k, v) for k, v in task.items() if k.count(".") == 2)
        loaded = "ansible.modules." + name.split(".")[2] if name.startswith("ansible.builtin.") else (
            "ansible_collections." + name.rpartition(".")[0] + ".plugins.modules." + name.rpartition(".")[2])
        args = dict(
            args, _ansible_check_mode=bool(task.get("check_mode")), _ansible_diff=bool(task.get("diff")),
            _ansible_tmpdir=None, _ansible_remote_tmp="/tmp", _ansible_keep_remote_files=False,
            _ansible_version="2.19.14", _ansible_module_name=name.split(".")[2], _ansible_syslog_facility="LOG_USER",
        )
        code = (
            "import sys, os, runpy, importlib, ansible.module_utils.basic as b\n"
            "b._ANSIBLE_ARGS = sys.stdin.buffer.read()\n"
            "b._ANSIBLE_PROFILE = 'legacy'\n"
            "runpy.run_module(%r, run_name='__main__', alter_sys=True)\n" % loaded
        )
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            os.dup2(write, 1)
            os.umask(0o022)
            os.environ.update(task.get("environment", {}), LANG="C.UTF-8", LC_ALL="C.UTF-8")
            feed = tempfile.TemporaryFile()
            feed.write(json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode())
            feed.seek(0)
            os.dup2(feed.fileno(), 0)
            sys.stdin = open(0)
            try:
                exec(code, {})
            except SystemExit:
                pass
            except BaseException as error:  # what the controller would call a crash
                print(json.dumps({"failed": True, "msg": "Task failed: Module failed: %s" % error}))
            sys.stdout.flush()
            os._exit(0)
        os.close(write)
        with open(read) as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        result = json.loads([line for line in said.splitlines() if line.startswith("{")][-1])
        result.setdefault("changed", False)
        for key in ("stdout", "stderr"):
            if key in result:
                result.setdefault(key + "_lines", result[key].splitlines())
        results[task["name"]] = result
    return results


def record(module):
    table = load(module)
    server = None
    port = "0"
    if getattr(table, "SERVER", False):
        server = subprocess.Popen([sys.executable, "-I", str(CASES / "server.py")], stdout=subprocess.PIPE, text=True)
        port = server.stdout.readline().strip()
    # The same name for every directory, so that sorting and lengths do not vary.
    top = pathlib.Path(tempfile.mkdtemp(prefix="rec-"))
    tasks = []
    for number, case in enumerate(table.CASES):
        root = top / f"c{number:03}"
        root.mkdir()
        if case.get("setup"):
            setup = case["setup"].replace("@D@", str(root)).replace("@PORT@", port)
            subprocess.run(["sh", "-ec", "umask 022\n" + setup], cwd=root, check=True)
        name = case.get("module", module)
        if "." not in name:
            name = "ansible.builtin." + name
        args = replace(replace(case["args"], "@D@", str(root)), "@PORT@", port)
        for again in (False, True):
            if again and case.get("once"):
                continue
            task = {"name": f"{number} {again}", name: args, "ignore_errors": True}
            if case.get("check"):
                task["check_mode"] = True
            if case.get("diff"):
                task["diff"] = True
            if case.get("environment"):
                task["environment"] = replace(case["environment"], "@PORT@", port)
            tasks.append(task)
    if getattr(table, "DIRECT", False):
        results = run_direct(tasks)
    else:
        results = run_playbook(top, tasks)
    if server:
        server.terminate()
    recorded = []
    for number, case in enumerate(table.CASES):
        root = top / f"c{number:03}"
        entry = {"name": case["name"], "module": case.get("module", module)}
        for key in ("setup", "args", "environment", "check", "diff", "once", "root", "opaque", "better", "ours", "idempotent", "own_words"):
            if key in case:
                entry[key] = case[key]
        for again in (False, True):
            result = results.get(f"{number} {again}")
            if result is None:
                continue
            for key in [k for k in result if k.startswith("_ansible") or k in (
                    "invocation", "warnings", "deprecations", "action", "exception", "ansible_facts"
                    if module != "getent" else "action")]:
                del result[key]
            result = replace(replace(result, str(root), "@D@"), port, "@PORT@") if port != "0" else replace(result, str(root), "@D@")
            # `t` is where a case wants them.
            result = steady(replace(result, "@D@/t/tmp", "/tmp/ansible-moduletmp-0/"))
            if again:
                entry["again"] = {k: result.get(k) for k in ("changed", "failed", "skipped") if k in result}
            else:
                entry["result"] = result
        entry["tree"] = tree(root)
        # Files whose content has the time in it.
        for name in case.get("opaque", []):
            entry["tree"][name] = {"opaque": True}
        if port != "0":
            entry["tree"] = replace(entry["tree"], port, "@PORT@")
        recorded.append(entry)
    shutil.rmtree(top, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recorded, indent=1, ensure_ascii=False) + "\n"
    # Bytes that are not UTF-8, as Python carries them through strings.
    (OUT / f"{module}.json").write_text(re.sub("[\ud800-\udfff]", "\ufffd", text))
    print(module, len(recorded))


for name in sys.argv[1:] or sorted(p.stem for p in CASES.glob("*.py") if p.stem not in ("server", "common")):
    record(name)
