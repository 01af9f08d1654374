"""How cases are written down."""

import json

# Keywords of the play that a case may have.
PLAY = ("hosts", "check_mode", "diff", "become", "become_user", "vars", "serial")


def case(name, tasks, setup="", site=None, **more):
    """A play of the tasks, a list as text. Other words are keywords of the play, or go into the recording: `better` says
    where we differ on purpose: keys of the result or names of files, and why."""
    keywords = {"hosts": "h1", "gather_facts": False, "ignore_errors": True}
    keywords.update({k: more.pop(k) for k in PLAY if k in more})
    if site is None:
        lines = [f"- name: {json.dumps(name)}"] + [f"  {k}: {v}" for k, v in keywords.items()] + ["  tasks:"]
        lines += ["  " + line for line in tasks.strip("\n").splitlines()]
        site = "\n".join(lines) + "\n"
    return {"name": name, "setup": setup, "site": site, **more}


def both(name, tasks, setup="", **more):
    """The real thing and check mode, both with diff."""
    return [
        case(name, tasks, setup, **{"diff": True, **more}),
        case(name + " (check)", tasks, setup, **{"diff": True, "check_mode": True, **more}),
    ]
