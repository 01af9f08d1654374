from common import D, case

SERVER = True
DIRECT = True
U = "http://127.0.0.1:@PORT@"

# The tree that is packed, with fixed times.
T = (
    "mkdir -p w/t/sub d; echo one > w/t/one; echo two > w/t/sub/two; chmod 600 w/t/sub/two; ln -s one w/t/link; "
    "find w/t -exec touch -h -d @1577836800 {} +; "
)
TAR = T + "tar -C w -cf a.tar t; "
GZ = T + "tar -C w -czf a.tar.gz t; "
ZIP = T + "(cd w; zip -qry ../a.zip t); "
REST = "rm -rf w; "
DONE = "cp -a w/t d/t; rm -rf w; "
OUT = ("a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.zip", "a.bin")


def un(name, setup, src, **args):
    """Archives themselves are not compared: their bytes are those of the machine's tools."""
    return case(name, setup, opaque=[src], src=D + src, **{"remote_src": True, "dest": D + "d", **args})


CASES = [
    un("tar", TAR + REST, "a.tar"),
    un("tar.gz", GZ + REST, "a.tar.gz"),
    un("tar.bz2", T + "tar -C w -cjf a.tar.bz2 t; " + REST, "a.tar.bz2"),
    un("tar.xz", T + "tar -C w -cJf a.tar.xz t; " + REST, "a.tar.xz"),
    un("tar.zst", T + "tar -C w --zstd -cf a.tar.zst t; " + REST, "a.tar.zst"),
    un("gz by another name", GZ + REST + "mv a.tar.gz a.bin", "a.bin"),
    un("zip", ZIP + REST, "a.zip"),
    un("check", GZ + REST, "a.tar.gz", check=True),
    un("check of a zip", ZIP + REST, "a.zip", check=True),
    un("there already", GZ + DONE, "a.tar.gz"),
    un("there already, tar", TAR + DONE, "a.tar"),
    un("there already, check", GZ + DONE, "a.tar.gz", check=True),
    un("content differs", GZ + DONE + "echo 1 > d/t/one", "a.tar.gz", once=True),
    un("mode differs", GZ + DONE + "chmod 640 d/t/one", "a.tar.gz", once=True),
    un("time differs", GZ + DONE + "touch -d @1600000000 d/t/one", "a.tar.gz", once=True),
    un("a file is missing", GZ + DONE + "rm d/t/one", "a.tar.gz", once=True),
    un("more is there", GZ + DONE + "touch d/t/more", "a.tar.gz"),
    un("with diff", GZ + REST, "a.tar.gz", diff=True),
    un("zip with diff", ZIP + REST, "a.zip", diff=True),
    un("zip, there already", ZIP + DONE, "a.zip"),
    un("zip, content differs", ZIP + DONE + "echo 1 > d/t/one; touch -d @1577836800 d/t/one", "a.zip", diff=True, once=True),
    un("zip, content of the same size", ZIP + DONE + "echo 123 > d/t/sub/two; touch -d @1577836800 d/t/sub/two", "a.zip", diff=True, once=True),
    un("zip, mode differs", ZIP + DONE + "chmod 640 d/t/one", "a.zip", diff=True, once=True),
    un("zip, time differs", ZIP + DONE + "touch -d @1600000000 d/t/one", "a.zip", diff=True, once=True),
    un("list", GZ + REST, "a.tar.gz", list_files=True),
    un("list of a zip", ZIP + REST, "a.zip", list_files=True),
    un("mode", GZ + REST, "a.tar.gz", mode="0700"),
    un("mode of a zip", ZIP + REST, "a.zip", mode="u=rwX,go="),
    un("owner", GZ + REST, "a.tar.gz", owner="1234", group="1235", root=True),
    un("owner of a zip", idempotent=True, src="a.zip", setup=ZIP + REST, owner="1234", group="1235", root=True),
    un("exclude", GZ + REST, "a.tar.gz", exclude=["t/sub"]),
    un("exclude by pattern", GZ + REST, "a.tar.gz", exclude=["*/two", "t/l*"]),
    un("exclude from a zip", ZIP + REST, "a.zip", exclude=["t/sub/*"]),
    un("include", GZ + REST, "a.tar.gz", include=["t/one"]),
    un("include from a zip", ZIP + REST, "a.zip", include=["t/one"]),
    un("include and exclude", GZ + REST, "a.tar.gz", include=["t/one"], exclude=["t/sub"]),
    un("options", GZ + REST, "a.tar.gz", extra_opts=["--strip-components=1"]),
    un("options of several words", GZ + REST, "a.tar.gz", extra_opts=["--transform", "s/^t/u/"]),
    un("keep newer", GZ + DONE + "echo new > d/t/one", "a.tar.gz", keep_newer=True),
    un("creates, missing", GZ + REST, "a.tar.gz", creates=D + "d/t"),
    un("no destination", GZ + REST, "a.tar.gz", dest=D + "none", better="the words of the action, which looks before the module does", ours={"msg": "dest '@D@/none' must be an existing dir"}),
    un("destination is a file", GZ + REST + "touch f", "a.tar.gz", dest=D + "f", better="the words of the action, which looks before the module does", ours={"msg": "dest '@D@/f' must be an existing dir"}),
    un("no archive", "mkdir d; echo hello > a.bin", "a.bin", better="one way of reading it is told about", ours={"msg": "Failed to find handler for \"@D@/a.bin\". Make sure the required command to extract the file is installed.\nCommand \"/usr/bin/tar\" could not handle archive: Unable to list files in the archive: /usr/bin/tar: This does not look like a tar archive\n/usr/bin/tar: Exiting with failure status due to previous errors\n"}),
    un("an empty file", "mkdir d; touch a.bin", "a.bin"),
    case("source is missing", "mkdir d", src=D + "none.tar", dest=D + "d", remote_src=True),
    case("copy and remote_src", "mkdir d", src=D + "none.tar", dest=D + "d", remote_src=True, copy=False),
    case("old form", GZ + REST, opaque=["a.tar.gz"], src=D + "a.tar.gz", dest=D + "d", copy=False),
    case("from a server", "mkdir d", src=U + "/a.tar.gz", dest=D + "d", remote_src=True),
    case("from a server, not found", "mkdir d", src=U + "/nothing", dest=D + "d", remote_src=True),
]
