#!/usr/bin/env python3
"""Record what ansible-core's templar makes of the templates in templates/*.yml.

    path/to/python-with-ansible tests/record/templates.py

The collections of the package `ansible` have to be there, and netaddr and jmespath for their filters.

Writes crates/lang/tests/recorded/templates.json, which the test `templates` of the crate `lang` reads. Each
file of cases is a list of sections:

    - vars: {name: value}          # as a user writes them: templates in them are rendered
      plain: {name: value}         # as they come from a host: never rendered
      templates: one per line, or a list
      expressions: ...             # bare, as after `loop:` or `var:`
      conditions: ...              # as after `when:`
      files: ...                   # the text of template files, through the lookup `template`

Values are recorded as Python's repr with the name of the type, errors by their text. Names of Ansible's internal
types are written as the names that users know. The folder crates/lang/tests/data/templates is the search path.
"""

import datetime
import json
import logging
import os
import pathlib
import re
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "crates/lang/tests/data/templates"
OUT = ROOT / "crates/lang/tests/recorded/templates.json"

os.environ["ANSIBLE_NOCOLOR"] = "1"
os.environ["ANSIBLE_LOCALHOST_WARNING"] = "0"
os.environ["ANSIBLE_DEPRECATION_WARNINGS"] = "0"
os.environ["RECORDED_VARIABLE"] = "from the environment"

from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader  # noqa: E402
from ansible.template import Templar, trust_as_template  # noqa: E402

logging.disable(logging.CRITICAL)
init_plugin_loader([])

INTERNAL = [
    (re.compile(r"_AnsibleTagged(Str|Int|Float|Dict|List|Tuple|Set|Bytes)"), lambda m: m.group(1).lower()),
    (re.compile(r"_AnsibleLazyTemplate(Dict|List|Tuple)"), lambda m: m.group(1).lower()),
    (re.compile(r"_AnsibleLazyAccessTuple"), lambda m: "tuple"),
]


def plain(value):
    """The value without tags, dates as text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.timedelta)):
        return str(value)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def trust(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {k: trust(v) for k, v in value.items()}
    if isinstance(value, list):
        return [trust(v) for v in value]
    return value


def clean(text):
    text = text.replace(str(DATA), "<data>")
    for pattern, replacement in INTERNAL:
        text = pattern.sub(replacement, text)
    return text


def shown(value):
    """The variables for the record: whole numbers beyond 64 bits are quoted."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return {"$int": str(value)}
    if isinstance(value, dict):
        return {k: shown(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shown(v) for v in value]
    return value


def cases(value):
    return value.split("\n")[:-1] if isinstance(value, str) else value


def one(kind, source, variables):
    loader = DataLoader()
    loader.set_basedir(str(DATA))
    variables = dict(variables)
    variables["ansible_search_path"] = [str(DATA)]
    variables["playbook_dir"] = str(DATA)
    templar = Templar(loader=loader, variables=variables)
    try:
        if kind == "templates":
            result = templar.template(trust(source))
        elif kind == "expressions":
            result = templar.evaluate_expression(trust_as_template(source))
        elif kind == "conditions":
            result = templar.evaluate_conditional(trust(source))
        else:
            with tempfile.NamedTemporaryFile("w", suffix=".j2", dir=DATA) as file:
                file.write(source)
                file.flush()
                result = templar.template(trust_as_template("{{ lookup('template', '%s') }}" % file.name))
    except Exception as error:  # noqa: BLE001: every failure is a result here
        text = str(error)
        if kind == "files":
            text = re.sub(r"^The lookup plugin 'template' failed: ", "", text)
            text = re.sub(r"/tmp\w+\.j2", "/case.j2", text)
        return {"error": clean(text)}
    result = plain(result)
    return {"type": type(result).__name__, "value": clean(repr(result))}


def main():
    out = []
    names = sys.argv[1:] or sorted(p.name for p in (ROOT / "tests/record/templates").glob("*.yml"))
    for name in names:
        sections = yaml.safe_load((ROOT / "tests/record/templates" / name).read_text())
        for section in sections:
            variables = trust(section.get("vars", {})) | section.get("plain", {})
            recorded = []
            for kind in ("templates", "expressions", "conditions", "files"):
                for source in cases(section.get(kind, [])):
                    recorded.append({"kind": kind, "source": source} | one(kind, source, variables))
            out.append({
                "file": name,
                "vars": shown(section.get("vars", {})),
                "plain": shown(section.get("plain", {})),
                "cases": recorded,
            })
    text = json.dumps(out, indent=1, ensure_ascii=False, sort_keys=False)
    if sys.argv[1:]:
        print(text)
    else:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(text + "\n")
        print(sum(len(s["cases"]) for s in out), "cases")


main()
