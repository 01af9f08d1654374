from common import both, case

U = "http://127.0.0.1:@PORT@"
SHA = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

CASES = [
    *both("plain", "- get_url: {url: '%s/file', dest: '@D@/g'}" % U),
    *both("into a directory", "- get_url: {url: '%s/file', dest: '@D@/o'}" % U, "mkdir o"),
    case("into a directory with slash", "- get_url: {url: '%s/file', dest: '@D@/o/'}" % U, "mkdir o"),
    case("into a missing directory", "- get_url: {url: '%s/file', dest: '@D@/o/'}" % U),
    *both("checksum", "- get_url: {url: '%s/plain', dest: '@D@/g', checksum: 'sha256:%s'}" % (U, SHA)),
    *both("checksum, there already", "- get_url: {url: '%s/plain', dest: '@D@/g', checksum: 'sha256:%s'}" % (U, SHA), "echo hello > g"),
    case("checksum wrong", "- get_url: {url: '%s/plain', dest: '@D@/g', checksum: 'sha256:00%s'}" % (U, SHA[2:])),
    case("checksum by a url", "- get_url: {url: '%s/file', dest: '@D@/g', checksum: 'sha256:%s/sums'}" % (U, U)),
    *both("force", "- get_url: {url: '%s/plain', dest: '@D@/g', force: true}" % U, "echo hello > g"),
    *both("there already", "- get_url: {url: '%s/plain', dest: '@D@/g'}" % U, "echo old > g"),
    case("force, other", "- get_url: {url: '%s/plain', dest: '@D@/g', force: yes}" % U, "echo old > g"),
    case("mode", "- get_url: {url: '%s/plain', dest: '@D@/g', mode: '0600'}" % U),
    case("mode differs", "- get_url: {url: '%s/plain', dest: '@D@/g', mode: '0600'}" % U, "echo hello > g"),
    case("backup", "- get_url: {url: '%s/plain', dest: '@D@/g', force: true, backup: true}\n  register: it\n- shell: mv @D@/g.*~ @D@/kept\n  when: it is changed" % U, "echo old > g", opaque=["kept"]),
    case("not found", "- get_url: {url: '%s/nothing', dest: '@D@/g'}" % U),
    case("no connection", "- get_url: {url: 'http://127.0.0.1:1/', dest: '@D@/g'}"),
    case("basic auth", "- get_url: {url: '%s/basic', dest: '@D@/g', url_username: joe, url_password: secret}" % U),
    case("no url", "- get_url: {dest: '@D@/g'}"),
    case("unknown argument", "- get_url: {url: '%s/plain', dest: '@D@/g', foo: 1}" % U),
    case("file url", "- get_url: {url: 'file://@D@/f', dest: '@D@/g'}", "echo f > f"),
    case("file url missing", "- get_url: {url: 'file://@D@/no', dest: '@D@/g'}"),
    case("loop", "- get_url: {url: '%s/{{ item }}', dest: '@D@/{{ item }}'}\n  loop: [plain, file]" % U),
    case("become", "- get_url: {url: '%s/plain', dest: '@D@/o/'}\n  become: true\n  become_user: nobody" % U, "mkdir -m 777 o"),
]
