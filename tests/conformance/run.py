#!/usr/bin/env python3
"""Run ansible-core's own integration targets with provision, and say which of them pass.

    tests/conformance/run.py                     # every target of the language list
    tests/conformance/run.py blocks handlers     # only these
    tests/conformance/run.py --write             # all, and write docs/compatibility.md

The targets come from ansible-core's source distribution on PyPI; the harness that runs each of them in a throw-away root
is the folder `compat`, in $COMPAT or in `../shared` beside this checkout. Needs root, overlayfs, and what
`../shared/setup.sh` installs (called here when it is missing). $PROVISION is the executable, by default
target/release/provision.

The exit code is 0 if every target passed that is not in known_failures.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ('ansible', 'ansible-config', 'ansible-doc', 'ansible-inventory', 'ansible-pull', 'ansible-vault')


def known_failures() -> dict[str, str]:
    """Targets that do not pass, each with its reason: lines of `target  # reason`."""
    found = {}
    for line in (HERE / 'known_failures.txt').read_text().splitlines():
        name, _, reason = line.partition('#')
        if name.strip():
            found[name.strip()] = reason.strip()
    return found


def harness() -> Path:
    for path in (os.environ.get('COMPAT'), ROOT.parent / 'shared/compat'):
        if path and (Path(path) / 'run.py').exists():
            return Path(path)
    sys.exit('conformance: the harness is not there: set COMPAT to the folder `compat` with run.py in it')


def prepare(compat: Path) -> None:
    anchors = Path(os.environ.get('ANCHORS', Path.home() / '.anchors'))
    if not (anchors / 'bin/python').exists():
        print('conformance: installing what the targets need', flush=True)
        subprocess.run(['bash', compat.parent / 'setup.sh'], check=True)


def command(compat: Path, out: Path, work: Path, targets: list[str]) -> list[str]:
    engine = Path(os.environ.get('PROVISION', ROOT / 'target/release/provision')).resolve()
    if not engine.exists():
        sys.exit(f'conformance: {engine} is not there: cargo build --release')
    tools = work / 'tools'
    tools.mkdir(parents=True, exist_ok=True)
    call = [str(compat / 'run.py'), '--engine', str(engine), '--json', str(out), '--workdir', str(work)]
    for tool in TOOLS:
        # The program takes the part of Ansible's program by whose name it is called.
        link = tools / tool
        link.unlink(missing_ok=True)
        link.symlink_to(engine)
        call += ['--map', f'{tool}={link}']
    call += ['--list', str(compat / 'language.txt')]
    return call + (['--only', *targets] if targets else [])


def table(data: dict, known: dict[str, str]) -> str:
    rows = [
        '| target | result | tasks | |',
        '|---|---|--:|---|',
    ]
    for target in data['targets']:
        why = '' if target['result'] == 'PASS' else known.get(target['name'], target['last'])
        why = why.replace('|', '\\|').replace('\n', ' ')[:160]
        rows.append(f'| `{target["name"]}` | {target["result"].lower()} | {target["tasks"]} | {why} |')
    return '\n'.join(rows)


def write(data: dict, known: dict[str, str]) -> None:
    page = ROOT / 'docs/compatibility.md'
    head = page.read_text().split('<!-- table -->')[0]
    passed = data['summary']['PASS']
    page.write_text(f'{head}<!-- table -->\n\n{passed} of {len(data["targets"])} targets pass.\n\n{table(data, known)}\n')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('targets', nargs='*')
    parser.add_argument('--write', action='store_true', help='write docs/compatibility.md')
    parser.add_argument('--workdir', type=Path, default=ROOT / 'target/conformance')
    options = parser.parse_args()
    compat = harness()
    prepare(compat)
    options.workdir.mkdir(parents=True, exist_ok=True)
    out = options.workdir / 'results.json'
    if not options.targets:
        out.unlink(missing_ok=True)
    known = known_failures()

    def run(targets: list[str]) -> tuple[dict, set[str], set[str]]:
        subprocess.run(command(compat, out, options.workdir, targets), check=True)
        data = json.loads(out.read_text())
        asked = set(options.targets) or {t['name'] for t in data['targets']}
        return data, asked, {t['name'] for t in data['targets'] if t['name'] in asked and t['result'] != 'PASS'}

    data, asked, failed = run(options.targets)
    if again := sorted(failed - set(known)):
        # Many targets measure time: on a machine that does other things as well, once more decides.
        print('conformance: once more:', ', '.join(again), flush=True)
        data, asked, failed = run(again)
    for name in sorted((asked & set(known)) - failed):
        print(f'conformance: {name} passes now: take it out of known_failures.txt')
    if options.write:
        write(data, known)
    unexpected = sorted(failed - set(known))
    if unexpected:
        print('conformance: these should pass:', ', '.join(unexpected))
    return 1 if unexpected else 0


if __name__ == '__main__':
    sys.exit(main())
