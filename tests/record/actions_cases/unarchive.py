from common import both, case

T = (
    "mkdir -p files w/t/sub d; echo one > w/t/one; echo two > w/t/sub/two; chmod 600 w/t/sub/two; ln -s one w/t/link; "
    "find w/t -exec touch -h -d @1577836800 {} +; "
)
GZ = T + "tar -C w -czf files/a.tar.gz t; rm -rf w; "
ZIP = T + "(cd w; zip -qry ../files/a.zip t); rm -rf w; "
A = {"opaque": ["files/a.tar.gz", "files/a.zip", "files/a.tar.bz2", "a.tar.gz"]}

CASES = [
    case("tar.gz", "- unarchive: {src: a.tar.gz, dest: '@D@/d'}", GZ, **A, diff=True),
    case("tar.gz (check)", "- unarchive: {src: a.tar.gz, dest: '@D@/d'}", GZ, **A, diff=True, check_mode=True, better={"h1.msg": "the name is the module's own"}),
    *both("zip", "- unarchive: {src: a.zip, dest: '@D@/d'}", ZIP, **A),
    case("remote", "- unarchive: {src: '@D@/files/a.tar.gz', dest: '@D@/d', remote_src: true}", GZ, **A),
    case("list_files", "- unarchive: {src: a.tar.gz, dest: '@D@/d', list_files: true}", GZ, **A),
    case("list_files of a zip", "- unarchive: {src: a.zip, dest: '@D@/d', list_files: true}", ZIP, **A),
    *both("creates there", "- unarchive: {src: a.tar.gz, dest: '@D@/d', creates: '@D@/d'}", GZ, **A),
    case("creates missing", "- unarchive: {src: a.tar.gz, dest: '@D@/d', creates: '@D@/d/t/one'}", GZ, **A, diff=True),
    case("creates missing (check)", "- unarchive: {src: a.tar.gz, dest: '@D@/d', creates: '@D@/d/t/one'}", GZ, **A, diff=True, check_mode=True, better={"h1.msg": "the name is the module's own"}),
    case("creates, nothing else is looked at", "- unarchive: {src: none.tar.gz, dest: '@D@/d', creates: '@D@/d'}", GZ, **A),
    case("extra_opts", "- unarchive: {src: a.tar.gz, dest: '@D@/d', extra_opts: [--strip-components=1]}", GZ, **A),
    case("exclude", "- unarchive: {src: a.tar.gz, dest: '@D@/d', exclude: [t/sub]}", GZ, **A),
    case("include", "- unarchive: {src: a.zip, dest: '@D@/d', include: [t/one]}", ZIP, **A),
    case("include and exclude", "- unarchive: {src: a.zip, dest: '@D@/d', include: [t/one], exclude: [t/sub]}", ZIP, **A),
    case("keep_newer", "- unarchive: {src: a.tar.gz, dest: '@D@/d', keep_newer: true}", GZ + "mkdir d/t; echo new > d/t/one", **A),
    case("mode", "- unarchive: {src: a.tar.gz, dest: '@D@/d', mode: 'u=rwX,go='}", GZ, **A),
    case("missing", "- unarchive: {src: none.tar.gz, dest: '@D@/d'}", GZ, **A),
    case("dest missing", "- unarchive: {src: a.tar.gz, dest: '@D@/no'}", GZ, **A),
    case("dest with slash", "- unarchive: {src: a.tar.gz, dest: '@D@/d/'}", GZ, **A),
    case("no dest", "- unarchive: {src: a.tar.gz}", GZ, **A),
    case("no src", "- unarchive: {dest: '@D@/d'}", GZ, **A),
    case("copy and remote_src", "- unarchive: {src: a.tar.gz, dest: '@D@/d', copy: true, remote_src: true}", GZ, **A),
    case("copy: no", "- unarchive: {src: '@D@/files/a.tar.gz', dest: '@D@/d', copy: no}", GZ, **A),
    case("unknown argument", "- unarchive: {src: a.tar.gz, dest: '@D@/d', foo: 1}", GZ, **A, better={"h1.msg": "the name is the module's own"}),
    case("no archive", "- unarchive: {src: x, dest: '@D@/d'}", "mkdir files d; echo x > files/x", better={"h1.msg": "one way of reading it is told about"}),
    case("vault", "- unarchive: {src: a.tar.gz, dest: '@D@/d'}", GZ + "echo secret > pw; ansible-vault encrypt --vault-password-file pw files/a.tar.gz 2> /dev/null; rm pw", **A),
    case("url", "- unarchive: {src: 'http://127.0.0.1:@PORT@/a.tar.gz', dest: '@D@/d', remote_src: true}", "mkdir d"),
    case("url without remote_src", "- unarchive: {src: 'http://127.0.0.1:@PORT@/a.tar.gz', dest: '@D@/d'}", "mkdir d"),
    case("key=value", "- unarchive: src=a.tar.gz dest=@D@/d", GZ, **A),
    case("bz2", "- unarchive: {src: a.tar.bz2, dest: '@D@/d'}", T + "tar -C w -cjf files/a.tar.bz2 t; rm -rf w; ", **A),
    case("become", "- unarchive: {src: a.tar.gz, dest: '@D@/d'}\n  become: true\n  become_user: nobody", GZ + "chmod 777 d", **A),
]
