#!/usr/bin/env python3
"""Compare what `--list-tasks`, `--list-hosts`, `--list-tags` and `--syntax-check` print with ansible-playbook's output.

    tests/conformance/listings.py                     # the playbooks of every target of the language list
    tests/conformance/listings.py blocks handlers     # only those
    tests/conformance/listings.py --together          # the three listings in one call: a third of the time

The playbooks are those of ansible-core's integration targets, in the tree that run.py's harness unpacks (--workdir).
Every playbook is given to both programs with the inventory of its target, if it has one, and one of a single host.
Standard output has to be the same to the byte, and the exit code, too; what goes to standard error need not be. Only the
order of a play's hosts is not compared, because ansible-playbook prints another one in every run.

$PROVISION is the executable, by default target/release/provision; $ANCHORS, by default ~/.anchors, has ansible-core.
The exit code is 0 if there was no difference but those in KNOWN.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import difflib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import run

OPTIONS = ('--list-tasks', '--list-hosts', '--list-tags', '--syntax-check')
# Playbooks that are not loaded, each with its reason.
KNOWN = {'lookup_env/vars_not_set.yml': 'uses ansible-core\'s internal action `ansible._protomatter.debug`'}
# Directories in which a YAML file is no playbook.
PARTS = {
    'tasks', 'handlers', 'vars', 'defaults', 'meta', 'templates', 'files', 'library', 'group_vars', 'host_vars',
    'inventory', 'inventories', 'action_plugins', 'collections', 'filter_plugins', 'lookup_plugins',
}


def playbooks(target: Path) -> list[Path]:
    found = [path for path in target.rglob('*') if path.suffix in ('.yml', '.yaml') and path.is_file()]
    return sorted(path for path in found if not PARTS & set(path.relative_to(target).parts[:-1]))


def inventory(target: Path, default: Path) -> Path:
    for name in ('inventory', 'inventory.yml', 'inventory.yaml', 'inventory.ini', 'inventory.hosts', 'hosts'):
        if (target / name).exists():
            return target / name
    return default


def steady(output: bytes) -> bytes:
    """The output with the hosts of a play sorted: Python prints a set of them, in an order of that run alone."""
    lines, hosts = [], None
    for line in output.splitlines(keepends=True):
        if hosts is not None and line.startswith(b'      '):
            hosts.append(line)
            continue
        lines += sorted(hosts or [])
        hosts = [] if re.fullmatch(rb'    hosts \(\d+\):\n', line) else None
        lines.append(line)
    return b''.join(lines + sorted(hosts or []))


def call(program: Path, name: str, options: list[str], playbook: Path, hosts: Path, config: Path) -> tuple[int, bytes]:
    target = next(parent for parent in playbook.parents if parent.parent.name == 'targets')
    env = {
        'HOME': str(config.parent), 'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'ANSIBLE_CONFIG': str(config),
        'ANSIBLE_ROLES_PATH': str(target.parent), 'ANSIBLE_NOCOLOR': '1', 'COLUMNS': '80', 'OUTPUT_DIR': str(config.parent),
    }
    # By that name, the program takes the part of ansible-playbook.
    ended = subprocess.run(
        [name, *options, '-i', str(hosts), str(playbook.relative_to(target))],
        executable=program, cwd=target, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return ended.returncode, steady(ended.stdout)


def load_harness(compat: Path) -> types.ModuleType:
    """The harness's own run.py as a module, for the list of targets and their tree."""
    spec = importlib.util.spec_from_file_location('compat_run', compat / 'run.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('targets', nargs='*')
    parser.add_argument('--together', action='store_true', help='the listings of a playbook in one call')
    parser.add_argument('--workdir', type=Path, default=run.ROOT / 'target/conformance')
    options = parser.parse_args()
    compat = run.harness()
    run.prepare(compat)
    harness = load_harness(compat)
    targets = harness.prepare_tree(options.workdir) / 'test/integration/targets'
    ours = Path(os.environ.get('PROVISION', run.ROOT / 'target/release/provision')).resolve()
    theirs = Path(os.environ.get('ANCHORS', Path.home() / '.anchors')) / 'bin/ansible-playbook'
    names = options.targets or list(harness.read_list(compat / 'language.txt'))
    calls = [list(OPTIONS[:3]), [OPTIONS[3]]] if options.together else [[option] for option in OPTIONS]

    with tempfile.TemporaryDirectory() as scratch:
        config, default = Path(scratch) / 'ansible.cfg', Path(scratch) / 'inventory'
        config.touch()
        default.write_text('[testgroup]\ntesthost ansible_connection=local\n')

        def compare(job: tuple[Path, list[str]]) -> list[str]:
            playbook, wanted = job
            target = next(parent for parent in playbook.parents if parent.parent == targets)
            hosts = inventory(target, default)
            expected = call(theirs, 'ansible-playbook', wanted, playbook, hosts, config)
            got = call(ours, 'ansible-playbook', wanted, playbook, hosts, config)
            if expected == got:
                return []
            lines = difflib.unified_diff(
                expected[1].decode(errors='replace').splitlines(), got[1].decode(errors='replace').splitlines(),
                f'ansible-playbook (exit code {expected[0]})', f'provision (exit code {got[0]})', lineterm='', n=1)
            return [f'{playbook.relative_to(targets)} {" ".join(wanted)}:'] + ([f'    {line}' for line in lines] or [
                f'    exit codes {expected[0]} and {got[0]}'])

        jobs = [(playbook, wanted) for name in names for playbook in playbooks(targets / name) for wanted in calls]
        different = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (playbook, _), found in zip(jobs, pool.map(compare, jobs)):
                if found and (reason := KNOWN.get(str(playbook.relative_to(targets)))):
                    found = [f'{playbook.relative_to(targets)} is known to differ: it {reason}']
                else:
                    different += bool(found)
                print('\n'.join(found), end='\n' if found else '', flush=True)
    print(f'{len(jobs)} outputs compared, {different} unexpectedly different')
    return 1 if different else 0


if __name__ == '__main__':
    sys.exit(main())
