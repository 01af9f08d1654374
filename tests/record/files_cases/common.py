D = "@D@/"
FLAGS = ("check", "diff", "once", "root", "environment", "module", "opaque", "better", "ours", "idempotent", "own_words")


def case(name, setup="", **args):
    """One call; the names in FLAGS are about the task. `better` says where we differ on purpose (then only success
    and message are compared; `ours` has what we say instead), `idempotent` where only ansible-core changes something the second time."""
    made = {"name": name, "setup": setup, "args": {}}
    for key, value in args.items():
        if key in FLAGS:
            made[key] = value
        else:
            made["args"][key] = value
    return made


def both(name, setup="", **args):
    """The real thing, and the same in check mode; both with diff."""
    return [
        case(name, setup, **{"diff": True, **args}),
        case(name + " (check)", setup, **{"diff": True, "check": True, **args}),
    ]
