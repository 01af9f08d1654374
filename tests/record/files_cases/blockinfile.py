from common import D, both, case

F = D + "f"
ABC = "printf 'a\\nb\\nc\\n' > f"
IN = "printf 'a\\n# BEGIN ANSIBLE MANAGED BLOCK\\nold\\n# END ANSIBLE MANAGED BLOCK\\nb\\n' > f"

# No part on the controller.
DIRECT = True

CASES = [
    *both("append", ABC, path=F, block="x\ny"),
    *both("append with newline at end", ABC, path=F, block="x\ny\n"),
    *both("there", "printf 'a\\n# BEGIN ANSIBLE MANAGED BLOCK\\nx\\n# END ANSIBLE MANAGED BLOCK\\n' > f", path=F, block="x"),
    *both("replace", IN, path=F, block="new"),
    *both("remove", IN, path=F, state="absent"),
    *both("remove by empty", IN, path=F, block=""),
    *both("remove nothing", ABC, path=F, state="absent"),
    *both("no newline at end", "printf 'a' > f", path=F, block="x"),
    *both("file missing", path=F, block="x"),
    *both("file missing absent", path=F, block="x", state="absent"),
    *both("create", path=F, block="x", create=True, mode="0600"),
    *both("create in a new directory", path=D + "d/e/f", block="x", create=True),
    *both("marker", ABC, path=F, block="x", marker="; {mark} my block"),
    *both("marker_begin", ABC, path=F, block="x", marker="<!-- {mark} -->", marker_begin="Start", marker_end="Stop"),
    *both("marker without mark", ABC, path=F, block="x", marker="# x"),
    *both("insertafter", ABC, path=F, block="x", insertafter="^a"),
    *both("insertafter no match", ABC, path=F, block="x", insertafter="^z"),
    *both("insertafter EOF", ABC, path=F, block="x", insertafter="EOF"),
    *both("insertafter last", "printf 'a1\\nb\\na2\\nc\\n' > f", path=F, block="x", insertafter="^a"),
    *both("insertbefore", ABC, path=F, block="x", insertbefore="^b"),
    *both("insertbefore BOF", ABC, path=F, block="x", insertbefore="BOF"),
    *both("insertbefore no match", ABC, path=F, block="x", insertbefore="^z"),
    case("both inserts", ABC, path=F, block="x", insertbefore="a", insertafter="b"),
    *both("in place, insertafter ignored", IN, path=F, block="new", insertafter="^b"),
    *both("append_newline", ABC, path=F, block="x", append_newline=True, insertafter="^a"),
    *both("prepend_newline", ABC, path=F, block="x", prepend_newline=True, insertafter="^a"),
    *both("both newlines at end", ABC, path=F, block="x", prepend_newline=True, append_newline=True),
    *both("backup", ABC, path=F, block="x", backup=True),
    *both("validate", ABC, path=F, block="x", validate="grep -q x %s"),
    *both("validate fails", ABC, path=F, block="x", validate="grep y %s"),
    *both("mode", ABC, path=F, block="x", mode="0600"),
    *both("only begin marker", "printf 'a\\n# BEGIN ANSIBLE MANAGED BLOCK\\nold\\nb\\n' > f", path=F, block="x"),
    *both("only end marker", "printf 'a\\nold\\n# END ANSIBLE MANAGED BLOCK\\nb\\n' > f", path=F, block="x"),
    *both("directory", "mkdir f", path=F, block="x"),
    *both("through a link", ABC + "; ln -s f l", path=D + "l", block="x"),
    *both("empty file", ": > f", path=F, block="x"),
    *both("blank lines", ABC, path=F, block="\nx\n\ny\n\n"),
    *both("unicode", ABC, path=F, block="ä ö\n😀"),
    *both("multi-line regexp", "printf 'a {\\n  b\\n}\\nc\\n' > f", path=F, block="x", insertafter="a \\{\\n  b"),
    *both("windows line ends", "printf 'a\\r\\nb\\r\\n' > f", path=F, block="x"),
    *both("no block", ABC, path=F),
    case("content alias", ABC, path=F, content="x"),
]
