"""The cases of modules_system.py: for each module a list of {name, prepare, steps}.

A step is {"args": ..., "check": bool, "diff": bool, "shell": command that is run before it}; all steps of a case
run one after the other on the same throw-away machine, which `prepare` first brings into a known state.
"""

ACCOUNTS = r"""
cat > /etc/passwd <<'END'
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
games:x:5:60:games:/usr/games:/usr/sbin/nologin
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
ada:x:1000:1000:Ada Lovelace,,,:/home/ada:/bin/bash
END
cat > /etc/group <<'END'
root:x:0:
daemon:x:1:
adm:x:4:ada
sudo:x:27:ada
www-data:x:33:
games:x:60:
users:x:100:
nogroup:x:65534:
ada:x:1000:
staff:x:50:
END
cat > /etc/shadow <<'END'
root:*:19000:0:99999:7:::
daemon:*:19000:0:99999:7:::
games:*:19000:0:99999:7:::
sshd:!:19000::::::
ada:$6$saltsalt$oldhash:19000:0:99999:7:::
END
sed 's/:x:.*/:*::/' /etc/group > /etc/gshadow
chmod 640 /etc/shadow /etc/gshadow
rm -rf /home/* ; mkdir -p /home/ada; cp -a /etc/skel/. /home/ada; chown -R 1000:1000 /home/ada
rm -f /etc/subuid /etc/subgid; touch /etc/subuid /etc/subgid
"""


def s(args, **more):
    return {"args": args, **more}


def thrice(args, **more):
    """In check mode, then really, then again."""
    return [s(args, check=True, **more), s(args, **more), s(args, **more)]



# A repository of small packages below /srv/repo, and nothing else to install from.
APT = r"""
set -e
mkdir -p /srv/repo /tmp/b; cd /tmp/b
deb() { # name version [field...]
    rm -rf t; mkdir -p t/DEBIAN t/usr/share/$1; echo "$2" > t/usr/share/$1/version
    { echo "Package: $1"; echo "Version: $2"; echo "Architecture: all"; echo "Maintainer: T <t@example.org>"
      shift 2; for field in "$@"; do echo "$field"; done; echo "Description: a package of the tests"; } > t/DEBIAN/control
    if [ -n "${CONF:-}" ]; then mkdir -p t/etc; echo x > t/etc/$CONF.conf; echo /etc/$CONF.conf > t/DEBIAN/conffiles; fi
    dpkg-deb --root-owner-group -b t /srv/repo > /dev/null
}
deb zalpha 1.0; deb zalpha 1.5-1; deb zalpha 2.0
deb zbeta 1.0 "Depends: zalpha (>= 1.5)"; deb zbeta 1.1 "Depends: zalpha (>= 1.5), zdep"; deb zdep 1.0
deb zmta-one 1.0 "Provides: zmta"; deb zmta-two 1.0 "Provides: zmta2, zmta3"; deb zmta-three 1.0 "Provides: zmta3"
deb zrec 1.0 "Recommends: zsug"; deb zsug 1.0; deb zconflict 1.0 "Conflicts: zalpha"
CONF=zconf deb zconf 1.0
deb zbroken 1.0 "Depends: znothing"
mkdir -p /srv/debs; mv /srv/repo/zdep_1.0_all.deb /srv/debs/; cp /srv/debs/zdep_1.0_all.deb /srv/repo/
(cd /srv/debs; cp /srv/repo/zmta-one_1.0_all.deb /srv/repo/zbroken_1.0_all.deb .)
cd /srv/repo; for f in *.deb; do
    dpkg-deb -f $f; echo "Filename: ./$f"; echo "Size: $(stat -c %s $f)"; echo "SHA256: $(sha256sum < $f | cut -d' ' -f1)"; echo
done > Packages
cat > Sources <<END
Package: zsrc
Binary: zsrc
Version: 1.0
Maintainer: T <t@example.org>
Build-Depends: zalpha, zsug
Architecture: any
Standards-Version: 4.0.0
Format: 1.0
Directory: .
Files:
 d41d8cd98f00b204e9800998ecf8427e 0 zsrc_1.0.dsc
Checksums-Sha256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 zsrc_1.0.dsc

END
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/* /etc/apt/preferences.d/*
echo 'deb [trusted=yes] file:/srv/repo ./
deb-src [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list
echo 'Acquire::Languages "none"; Dpkg::Use-Pty "0"; APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/99test
rm -f /etc/apt/apt.conf.d/docker-clean /var/lib/apt/periodic/update-success-stamp
# A database of dpkg without what this machine happens to have beyond the essential.
apt-get update > /dev/null; touch -d @1700000000 /var/lib/apt/lists
"""

# "Get:1 ..." and progress of downloads, of which the order and speed differ.
def apt(args, **more):
    return s(args, **more)

CASES = {
    "group": [
        {
            "name": "groups come, change and go",
            "prepare": ACCOUNTS,
            "steps": [
                *thrice({"name": "web"}),
                *thrice({"name": "web", "gid": 1500}),
                *thrice({"name": "sys1", "system": True, "gid": "300"}),
                *thrice({"name": "twin", "gid": 1500, "non_unique": True}),
                s({"name": "clash", "gid": 1500}),
                s({"name": "range", "gid_min": 3000, "gid_max": 3010}),
                *thrice({"name": "web", "state": "absent"}),
                s({"name": "ada", "state": "absent"}),
                s({"name": "ada", "state": "absent", "force": True}),
                s({"name": "x", "non_unique": True}),
                s({"name": "bad name!"}),
                s({"name": "web", "local": True, "gid_min": 5}),
            ],
        }
    ],
    "user": [
        {
            "name": "users come, change and go",
            "prepare": ACCOUNTS,
            "steps": [
                *thrice({"name": "bob"}),
                *thrice({"name": "bob", "comment": "Bob B", "shell": "/bin/bash", "uid": 1700}),
                *thrice({"name": "bob", "groups": ["www-data", "sudo"]}),
                *thrice({"name": "bob", "groups": "adm", "append": True}),
                *thrice({"name": "bob", "groups": "adm"}),
                *thrice({"name": "bob", "groups": ""}),
                *thrice({"name": "bob", "groups": "nosuch"}),
                *thrice({"name": "bob", "group": "staff"}),
                s({"name": "bob", "group": "nosuch"}),
                *thrice({"name": "bob", "password": "$6$saltsalt$newhash"}),
                *thrice({"name": "bob", "password": "$6$saltsalt$other", "update_password": "on_create"}),
                s({"name": "bob", "password": "plain"}),
                *thrice({"name": "bob", "password_lock": True}),
                *thrice({"name": "bob", "password_lock": False}),
                *thrice({"name": "bob", "expires": 1893456000}),
                *thrice({"name": "bob", "expires": -1}),
                *thrice({"name": "bob", "password_expire_max": 90, "password_expire_min": 2,
                         "password_expire_warn": 5}),
                *thrice({"name": "bob", "password_expire_account_disable": 30})[:2],
                # Ansible runs usermod each time, which says that nothing changed.
                s({"name": "bob", "password_expire_account_disable": 30},
                  ours={"changed": False, "stdout": None}),
                *thrice({"name": "bob", "home": "/srv/bob"}),
                *thrice({"name": "bob", "home": "/srv/bob2", "move_home": True}),
                *thrice({"name": "bob", "state": "absent", "remove": True}),
                *thrice({"name": "svc", "system": True, "create_home": False, "shell": "/usr/sbin/nologin",
                         "home": "/var/lib/svc"}),
                s({"name": "svc", "home": "/var/lib/svc"}),
                *thrice({"name": "carol", "uid": 1800, "group": "users", "groups": ["staff"], "append": True,
                         "password": "$6$saltsalt$hash", "umask": "077", "comment": "Carol",
                         "password_lock": True, "expires": 1893456000}),
                s({"name": "carol", "uid": 1000}),
                s({"name": "carol", "uid": 1000, "non_unique": True}),
                s({"name": "carol", "state": "absent", "force": True, "remove": True}),
                s({"name": "new2", "uid_min": 4000, "uid_max": 4100}),
                s({"name": "games", "group": "games", "create_home": False}),
                s({"name": "users", "password": "*"}),
                s({"name": "users", "password": "*"}),
                s({"name": "dave", "skeleton": "/nonexistent", "create_home": True}),
                s({"name": "erin", "create_home": False, "groups": "adm,sudo"}),
                s({"name": "erin"}),
                s({"name": "frank", "create_home": True, "move_home": True, "home": "/srv/x/y/frank"}),
                s({"name": "no", "append": True}),
                s({"name": "root"}),
                s({"name": "ada", "role": "x", "login_class": "x", "profile": "x", "authorization": "x",
                   "hidden": True}),
            ],
        },
        {
            "name": "ssh keys",
            "prepare": ACCOUNTS,
            "steps": [
                *thrice({"name": "ada", "generate_ssh_key": True, "ssh_key_type": "ed25519",
                         "ssh_key_comment": "ada@home"}),
                s({"name": "ada", "generate_ssh_key": True, "ssh_key_type": "ed25519", "force": True,
                   "ssh_key_comment": "ada@home"}),
                s({"name": "gus", "generate_ssh_key": True, "ssh_key_type": "ed25519",
                   "ssh_key_file": ".ssh/id_own", "ssh_key_comment": "c"}),
                s({"name": "ada", "generate_ssh_key": True, "ssh_key_type": "nosuch",
                   "ssh_key_file": ".ssh/other"}),
            ],
        },
    ],
    "apt": [
        {
            "name": "packages come and go",
            "slow": True,
            "prepare": APT,
            "steps": [
                *thrice({"name": "zalpha=1.0"}),
                *thrice({"name": "zalpha"}),
                s({"name": "zalpha=1.*"}),
                s({"name": "zalpha>=0.5"}),
                *thrice({"name": "zalpha>=1.5"}),
                *thrice({"name": "zalpha", "state": "latest"}),
                s({"name": "zalpha=1.5-1"}),
                s({"name": "zalpha=1.5-1", "check": True} if False else {"name": "zalpha=1.5-1"}, check=True),
                *thrice({"name": "zalpha=1.5-1", "allow_downgrade": True}),
                *thrice({"name": ["zbeta", "zdep", "zalpha"], "state": "present"}),
                *thrice({"name": "zbeta", "state": "latest"}),
                *thrice({"name": "zmta"}),
                *thrice({"name": "zmta2", "state": "latest"}),
                s({"name": "zmta-one,zmta-two", "state": "absent"}),
                s({"name": "zmta3"}),
                s({"name": "znothere"}),
                s({"name": "znothere"}, check=True),
                s({"name": ["znothere", "zalpha"]}),
                s({"name": "zalpha=9"}),
                s({"name": "zalpha=9", "state": "absent"}),
                s({"name": "znothere", "state": "absent"}),
                *thrice({"name": "zconf"}),
                *thrice({"name": "zconf", "state": "absent"}),
                *thrice({"name": "zconf", "state": "absent", "purge": True}),
                *thrice({"name": "zbeta", "state": "absent", "autoremove": True}),
                *thrice({"name": "zs*"}),
                *thrice({"name": "zs*", "state": "absent"}),
                *thrice({"name": "zrec", "install_recommends": False}),
                s({"name": "zrec", "state": "absent"}),
                *thrice({"name": "zrec", "install_recommends": True}),
                *thrice({"name": "zconf", "only_upgrade": True, "state": "latest"}),
                *thrice({"name": "zsrc", "state": "build-dep"}),
                s({"name": "zalpha", "state": "present"}),
                *thrice({"name": "zconflict", "fail_on_autoremove": True}),
                *thrice({"name": "zconflict"}),
                *thrice({"name": "zbroken"}),
                s({"name": "zalpha:all"}),
                # A traceback in Ansible.
                s({"name": "zalpha", "default_release": "nosuch", "state": "latest"},
                  ours={"msg": "E:The value 'nosuch' is invalid for APT::Default-Release as such a release is not "
                               "available in the sources"}),
                s({"name": []}),
                s({"name": ""}),
                s({"name": "zconf", "upgrade": "dist"}),
                s({"state": "absent"}),
                s({}),
            ],
        },
        {
            "name": "files of packages",
            "prepare": APT,
            "steps": [
                *thrice({"deb": "/srv/debs/zdep_1.0_all.deb"}),
                *thrice({"deb": "/srv/debs/zbroken_1.0_all.deb"}),
                s({"deb": "/srv/debs/nosuch.deb"}),
                s({"deb": "/srv/debs/zmta-one_1.0_all.deb", "state": "absent"}),
            ],
        },
        {
            "name": "the cache",
            "slow": True,
            "prepare": APT,
            "steps": [
                s({"update_cache": True}, check=True),
                s({"update_cache": True}),
                s({"update_cache": True}),
                s({"cache_valid_time": 3600}),
                s({"cache_valid_time": 3600}, check=True),
                s({"update_cache": True, "cache_valid_time": 3600}),
                s({"update_cache": True, "cache_valid_time": 3600, "name": "zalpha"}),
                s({"update_cache": True, "name": "zalpha"}),
                s({"update_cache": True, "cache_valid_time": 10, "name": "zalpha"},
                  shell="touch -d @1700000000 /var/lib/apt/lists; rm -f /var/lib/apt/periodic/update-success-stamp"),
                s({"update_cache": False, "name": "zalpha"}),
                s({"update_cache": True, "update_cache_retries": 1, "update_cache_retry_max_delay": 1},
                  shell="echo 'deb file:/nosuch ./' > /etc/apt/sources.list.d/bad.list"),
                s({"update_cache": True, "update_cache_retries": 1, "update_cache_retry_max_delay": 1,
                   "name": "zdep"}),
                s({"clean": True}),
                s({"autoclean": True}),
                s({"autoremove": True}, check=True),
                s({"clean": True, "name": "zalpha"}),
            ],
        },
        {
            "name": "upgrades and what is left over",
            "slow": True,
            "prepare": APT + "\napt-get install -y zalpha=1.0 zrec zdep >/dev/null; apt-mark auto zdep zsug >/dev/null",
            "steps": [
                *thrice({"autoremove": True}),
                *thrice({"upgrade": "dist"}),
                s({"upgrade": "yes"}, shell="apt-get install -y --allow-downgrades zalpha=1.0 >/dev/null", check=True),
                *thrice({"upgrade": "safe", "force_apt_get": True}),
                s({"upgrade": "full", "force_apt_get": True}),
                s({"name": "*", "state": "latest"}),
                s({"name": "zalpha", "state": "latest"}, shell="apt-get install -y --allow-downgrades zalpha=1.0 >/dev/null; apt-mark hold zalpha"),
                s({"name": "zalpha", "state": "latest", "allow_change_held_packages": True}),
                s({"state": "fixed"}),
                s({"name": "zconf", "policy_rc_d": 101}),
                s({"name": "zsug", "force": True, "state": "present"}),
                s({"name": "zsug", "force": True, "state": "absent"}),
                s({"name": "zsug", "dpkg_options": "force-confnew", "allow_unauthenticated": True}),
            ],
        },
    ],
}

KEY1 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIxlsftyR22iTQWtHD2cMGCtziTc4iNRX7yYgOY2VkFW ada@home"
KEY2 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOiskrNBBKF70C3Mam4bzmEIBdJk2r07dog5+QvyEWsg second"

CASES["authorized_key"] = [
    {
        "name": "keys come and go",
        "module": "ansible.posix.authorized_key",
        "prepare": ACCOUNTS,
        "steps": [
            *thrice({"user": "ada", "key": KEY1}),
            *thrice({"user": "ada", "key": KEY2}, diff=True),
            *thrice({"user": "ada", "key": KEY1, "key_options": 'no-pty,from="10.0.0.1"'}),
            *thrice({"user": "ada", "key": KEY1, "comment": "new comment"}),
            *thrice({"user": "ada", "key": KEY2, "exclusive": True}),
            *thrice({"user": "ada", "key": KEY1 + "\n# a comment\n\n" + KEY2, "exclusive": True}),
            *thrice({"user": "ada", "key": KEY1, "state": "absent"}),
            *thrice({"user": "ada", "key": 'command="/bin/echo hi, there" ' + KEY1}),
            *thrice({"user": "ada", "key": KEY1, "path": "/etc/keys_ada", "manage_dir": False}),
            s({"user": "nobodyhere", "key": KEY1}),
            s({"user": "ada", "key": "not a key"}),
            s({"user": "ada", "key": ""}),
            s({"user": "ada", "key": KEY1, "state": "absent", "path": "/nonexistent/file"}),
            s({"user": "ada", "key": "file:///tmp/keyfile"}, shell="echo '%s' > /tmp/keyfile" % KEY2),
            *thrice({"user": "ada", "key": KEY2}, shell="printf '# mine\\n\\nssh-rsa broken\\n' > /home/ada/.ssh/authorized_keys"),
            s({"user": "ada", "key": KEY2}, shell="cat /home/ada/.ssh/authorized_keys >&2; stat -c '%a %U' /home/ada/.ssh /home/ada/.ssh/authorized_keys"),
        ],
    }
]
for case in CASES["authorized_key"]:
    # What is in the files afterwards is part of the answer.
    case["ignore"] = ["keyfile"]

CASES["apt_repository"] = [
    {
        "name": "sources come and go",
        "prepare": APT,
        "steps": [
            *thrice({"repo": "deb [trusted=yes] file:/srv/repo ./ ", "filename": "own"}),
            *thrice({"repo": "deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://127.0.0.1:9/debian bookworm main contrib",
                     "update_cache": False, "mode": "0600"}, diff=True),
            *thrice({"repo": "deb http://127.0.0.1:9/debian bookworm main", "filename": "own", "update_cache": False}),
            *thrice({"repo": "deb http://127.0.0.1:9/debian bookworm main", "update_cache": False, "state": "absent"}, diff=True),
            s({"repo": "deb-src http://127.0.0.1:9/other/path bookworm main # comment", "update_cache": False}),
            s({"repo": "deb-src http://127.0.0.1:9/other/path bookworm main", "update_cache": False}),
            s({"repo": "deb-src http://127.0.0.1:9/other/path bookworm main", "update_cache": False},
              shell="sed -i 's/^/# /' /etc/apt/sources.list.d/127*other*"),
            s({"repo": "rubbish"}),
            s({"repo": "deb http://127.0.0.1:9/fails ./", "update_cache_retries": 1, "update_cache_retry_max_delay": 1}, ignore=["msg"]),
            s({"repo": "ppa:nginx/stable"}, check=True, ignore=["msg"]),
            s({"repo": "deb http://127.0.0.1:9/x y z", "state": "absent"}),
            s({"repo": "", "state": "absent"}),
        ],
    }
]

# A key of nobody.
KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawlrMhYJKwYBBAHaRw8BAQdAn8PstgJoYqgXRMglnIQ+w1sAi6D2OJGQcyhm
4Tfet1O0GVRlc3RzIDx0ZXN0c0BleGFtcGxlLm9yZz6IkAQTFggAOBYhBGNwbr3M
0T3zG3jJoKd/tLEvyCQ2BQJrCWsyAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheA
AAoJEKd/tLEvyCQ2YKAA/2nCkP042K0BYDDiN2yCGMy6d2Fn9RbN7qv5KTpM7vEm
AP0QzZzvPt86xtIfuE5yit2/AGTxAaXFTqUdLHsAQgBoDA==
=ty56
-----END PGP PUBLIC KEY BLOCK-----
"""
KEY_ID = "63706EBDCCD13DF31B78C9A0A77FB4B12FC82436"
CASES["apt_key"] = [
    {
        "name": "keys of apt",
        "prepare": f"rm -f /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d/*; cat > /srv/key.asc <<'END'\n{KEY}END\n"
                   "gpg --dearmor < /srv/key.asc > /srv/key.gpg; head -c 100 /dev/zero > /srv/bad.gpg",
        "steps": [
            *thrice({"data": KEY}),
            *thrice({"id": KEY_ID, "state": "absent"}),
            *thrice({"file": "/srv/key.gpg", "id": "0x" + KEY_ID.lower()}),
            *thrice({"id": KEY_ID[-8:], "state": "absent"}),
            *thrice({"file": "/srv/key.asc", "keyring": "/etc/apt/trusted.gpg.d/one.gpg"}),
            s({"id": KEY_ID[-16:], "keyring": "/etc/apt/trusted.gpg.d/one.gpg", "state": "absent"}),
            s({"id": KEY_ID}, check=True),
            s({"id": KEY_ID}),
            s({"data": KEY, "id": "0123456789ABCDEF"}),
            s({"file": "/srv/bad.gpg"}),
            s({"file": "/srv/none.gpg"}),
            s({"file": "/srv/none.gpg", "id": KEY_ID}),
            s({"state": "absent"}),
            s({"id": "123", "state": "absent"}),
            s({"id": "nothex00", "state": "absent"}),
            s({"keyserver": "keys.example.org"}),
            s({"data": KEY, "file": "/srv/key.gpg"}),
        ],
    }
]

FOCAL = {"name": "Focal  archive_1 (x)", "uris": "http://archive.example.org/ubuntu", "suites": ["focal", "focal-updates"],
         "components": ["main", "restricted"]}
CASES["deb822_repository"] = [
    {
        "name": "sources in deb822",
        "prepare": f"rm -rf /etc/apt/keyrings /etc/apt/sources.list.d/*; cat > /srv/key.asc <<'END'\n{KEY}END\n",
        "steps": [
            *thrice(FOCAL),
            *thrice({**FOCAL, "date_max_future": 10, "enabled": False, "types": ["deb", "deb-src"], "targets": []}),
            *thrice({**FOCAL, "mode": "0600"}),
            *thrice({**FOCAL, "signed_by": KEY, "allow_downgrade_to_insecure": True, "by_hash": "no"}),
            *thrice({**FOCAL, "signed_by": "/srv/key.asc", "trusted": True, "languages": ["en", "none"]}),
            s({**FOCAL, "signed_by": "ABCDEF0123456789", "inrelease_path": "a/b", "pdiffs": False}),
            s({**FOCAL, "signed_by": "http://127.0.0.1:1/key.asc"}),
            s({**FOCAL, "signed_by": "gopher://127.0.0.1/key.asc"}),
            s({**FOCAL, "types": "rpm"}),
            *thrice({**FOCAL, "signed_by": "file:///srv/key.asc"}),
            *thrice({"name": FOCAL["name"], "state": "absent"}),
        ],
    }
]

ED1 = "AAAAC3NzaC1lZDI1NTE5AAAAIFp8VtD59XAcxkj1qbfCtB1in9nm5WiipORjtVJUBA6I"
ED2 = "AAAAC3NzaC1lZDI1NTE5AAAAIPx6KAHnQhaWdYQoaclJMWfneZckvYOkZ32gUJO1zzJK"
CASES["known_hosts"] = [
    {
        "name": "keys of servers",
        "prepare": "printf '%s\\n' 'one.example.org,10.0.0.1 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC1' "
                   "'# a remark' '*.example.net ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIzlnSq5ESxLgW0avvPk3j7zLV59hcAPkxrMNdnZMKP2' "
                   "> /srv/known",
        "steps": [
            *thrice({"name": "Two.example.org", "key": "two.example.org ssh-ed25519 " + ED1, "path": "/srv/known"}),
            *thrice({"name": "two.example.org", "key": "two.example.org ssh-ed25519 " + ED2 + " me@here", "path": "/srv/known"}),
            *thrice({"name": "two.example.org", "key": "two.example.org ssh-ed25519 " + ED2, "path": "/srv/known", "hash_host": True}),
            s({"name": "two.example.org", "key": "two.example.org ssh-dss " + ED2, "path": "/srv/known", "state": "absent"}),
            *thrice({"name": "two.example.org", "key": "two.example.org ssh-ed25519 " + ED1, "path": "/srv/known", "state": "absent"}),
            *thrice({"name": "[two.example.org]:2222", "key": "[two.example.org]:2222 ssh-ed25519 " + ED1, "path": "/srv/known"}),
            *thrice({"name": "[two.example.org]:2222", "path": "/srv/known", "state": "absent"}),
            *thrice({"name": "*.example.net", "key": "@cert-authority *.example.net ssh-ed25519 " + ED1, "path": "/srv/known"}),
            *thrice({"name": "*.example.net", "key": "@cert-authority *.example.net ssh-ed25519 " + ED1, "path": "/srv/known", "state": "absent"}),
            *thrice({"name": "new", "key": "new ssh-ed25519 " + ED1, "path": "/srv/new"}),
            s({"name": "none", "path": "/srv/none", "state": "absent"}),
            s({"name": "none", "path": "/srv/none"}),
            s({"name": "none", "key": "new ssh-ed25519 " + ED1, "path": "/srv/none"}),
            s({"name": "new,old", "key": "new ssh-ed25519 " + ED1, "path": "/srv/none"}),
            s({"name": "new", "key": "new ssh-ed25519 " + ED1, "path": "/srv/no/none"},
              # Without the name of a temporary file.
              ours={"msg": "Failed to write to file '/srv/no/none': [Errno 2] No such file or directory: '/srv/no'"}),
        ],
    }
]

MOUNTS = r"""
printf '# table\n/dev/zz1 /nowhere/a\\040b ext4 rw 0 1\nsrv:/x /nowhere/nfs nfs4 ro 0 0\nUUID=0123-AB /nowhere/u vfat rw\n/dev/zz2 /nowhere/nfs xfs rw 0 2\n' > /srv/fstab
ln -s fstab /srv/link; printf '/dev/dsk/c0 /dev/rdsk/c0 /nowhere/v ufs 1 no -\n' > /srv/vfstab
printf 'rpool /nowhere/z zfs rw 1724055352\n' > /srv/mnttab; printf 'ext4\nnodev proc\n' > /srv/linux
printf '/nowhere/h:\n\tdev = /dev/hd1\n\tvfs = jfs2\n\tnodename = srv\n' > /srv/aix
script() { printf '#!/bin/sh\n%s\n' "$2" > /srv/$1; chmod 755 /srv/$1; }
script one 'echo "/dev/zz1 on /nowhere/one type ext4 (rw,noatime)"; echo "zz on /nowhere/two type tmpfs (rw)"'
script bsd 'echo "/dev/disk3 on /nowhere/bsd (apfs, sealed, local)"; echo "map x on /nowhere/x (autofs)"'
script bad 'exit 3'; script slow 'sleep 20'
"""
CASES["mount_facts"] = [
    {
        "name": "mounts of tables and programs",
        "prepare": MOUNTS,
        "steps": [
            s({"sources": ["/srv/fstab", "/srv/link", "/srv/none", "/srv/linux"]}),
            s({"sources": "/srv/fstab,/srv/vfstab,/srv/mnttab,/srv/aix", "include_aggregate_mounts": True}),
            s({"sources": ["/srv/fstab", "/srv/fstab"], "devices": ["[!/]*"], "include_aggregate_mounts": False}),
            s({"sources": ["/srv/fstab"], "fstypes": ["nfs*", "xfs"], "include_aggregate_mounts": True}),
            s({"sources": ["mount"], "mount_binary": "/srv/one"}),
            s({"sources": ["mount", "/srv/mnttab"], "mount_binary": "/srv/bsd", "timeout": 5}),
            s({"sources": ["mount"], "mount_binary": "/srv/bad"}),
            s({"sources": ["mount"], "mount_binary": "/srv/slow", "timeout": 0.2}),
            s({"sources": ["mount"], "mount_binary": "/srv/slow", "timeout": "0.2", "on_timeout": "warn"}),
            s({"sources": ["/etc/mnttab"], "mount_binary": "/srv/one"}),
            s({"sources": ["/etc/mnttab"], "mount_binary": None}),
            s({"sources": [""]}),
            s({"timeout": 0}),
            s({"mount_binary": ["a"]}),
        ],
    }
]

# What answers like ufw, without a firewall.
UFW = r"""
mkdir -p /etc/ufw; printf inactive > /etc/ufw/state; echo 'on (low)' > /etc/ufw/logging; echo deny > /etc/ufw/default; : > /etc/ufw/user.rules
cat > /usr/sbin/ufw <<'END'
#!/bin/bash
cd /etc/ufw; dry=; [ "$1" != --dry-run ] || { dry=1; shift; }
case "$1" in
--version) echo 'ufw 0.36.2'; echo Copyright;;
status)
    echo "Status: $(cat state)"
    if [ "$2" = numbered ]; then grep -n . user.rules | sed 's/^\([0-9]*\):/[ \1] /'
    else echo "Logging: $(cat logging)"; echo "Default: $(cat default) (incoming), allow (outgoing), disabled (routed)"; cat user.rules; fi;;
-f) case $2 in enable) printf active > state;; disable) printf inactive > state;; reset) printf inactive > state; : > user.rules;; esac;;
logging) case $2 in off) echo off > logging;; on) grep -q on logging || echo 'on (low)' > logging;; *) echo "on ($2)" > logging;; esac;;
default) echo $2 > default;;
*)
    [ "$*" != "deny from bad to any" ] || { echo 'ERROR: Bad source address' >&2; exit 1; }
    rules=$(cat user.rules); del=; [ "$1" != delete ] || { del=1; shift; }
    line="### tuple ### $*"
    if grep -qxF "$line" user.rules; then
        if [ $del ]; then rules=$(grep -vxF "$line" user.rules); else echo 'Skipping adding existing rule'; exit; fi
    elif [ ! $del ]; then rules=$(printf '%s\n%s' "$rules" "$line" | grep .); fi
    if [ $dry ]; then echo '*filter'; printf '%s\n' "$rules"; else printf '%s\n' "$rules" | grep . > user.rules; echo Rules updated; fi;;
esac; exit 0
END
chmod 755 /usr/sbin/ufw
"""
CASES["ufw"] = [
    {
        "name": "a firewall",
        "module": "community.general.ufw",
        "prepare": UFW,
        "steps": [
            *thrice({"state": "enabled", "policy": "allow"}),
            *thrice({"rule": "allow", "port": "22", "proto": "tcp", "comment": "a shell"}),
            *thrice({"rule": "deny", "src": "10.0.0.0/8", "to_port": "80,443", "proto": "tcp", "log": True}),
            *thrice({"rule": "limit", "from": "fe80::1", "interface": "eth0", "direction": "in"}),
            *thrice({"rule": "allow", "name": "Open SSH", "insert": 0, "insert_relative_to": "first-ipv4"}),
            *thrice({"rule": "allow", "route": True, "if_in": "eth0", "if_out": "eth1"}),
            *thrice({"rule": "allow", "port": "22", "proto": "tcp", "comment": "a shell", "delete": True, "insert": 3}),
            *thrice({"logging": "full"}),
            *thrice({"logging": "on"}),
            *thrice({"logging": "off"}),
            *thrice({"default": "deny", "rule": "allow", "port": "53"}),
            *thrice({"state": "reloaded"}),
            *thrice({"state": "disabled"}),
            *thrice({"state": "reset"})[:2],
            s({"rule": "deny", "src": "bad"}),
            s({"rule": "deny", "direction": "incoming"}),
            s({"default": "deny", "direction": "in"}),
            s({"rule": "allow", "if_in": "eth0", "if_out": "eth1"}),
            s({"rule": "allow", "interface": "eth0"}),
            s({"rule": "allow", "name": "a", "proto": "tcp"}),
            s({"port": "22"}),
        ],
    }
]

CASES["hostname"] = [
    {
        "name": "the name of the host",
        "prepare": "echo old > /etc/hostname; hostname old; rm -rf /run/systemd",
        "steps": [
            *thrice({"name": "new"}),
            *thrice({"name": "web.example.org"}, diff=True),
            s({"name": "x" * 70}),
            s({"name": "y", "use": "debian"}),
            *thrice({"name": "z", "use": "sles"}),
            s({"name": "redhat", "use": "redhat"}, shell="mkdir -p /etc/sysconfig; echo HOSTNAME=old > /etc/sysconfig/network"),
            *thrice({"name": "openrc", "use": "openrc"}, shell="mkdir -p /etc/conf.d; echo 'hostname=\"old\"' > /etc/conf.d/hostname")[:2],
            s({"name": "n", "use": "nothing"}),
        ],
    },
    {
        "name": "with systemd",
        "prepare": "hostnamectl set-hostname old; hostname old; echo '127.0.0.1 localhost' > /etc/hosts",
        "systemd": True,
        "steps": [
            *thrice({"name": "new"}),
            *thrice({"name": "web.example.org", "use": "systemd"}, diff=True),
            s({"name": "x" * 70}),
        ],
    }
]

CASES["sysctl"] = [
    {
        "name": "settings of the kernel",
        "module": "ansible.posix.sysctl",
        "prepare": "printf '# mine\\nvm.swappiness = 60\\nnet.ipv4.ip_forward=0\\n' > /etc/sysctl.conf",
        "steps": [
            *thrice({"name": "vm.swappiness", "value": "10", "reload": False}),
            *thrice({"name": "net.ipv4.ip_forward", "value": True, "reload": False}),
            *thrice({"name": "kernel.new_one", "value": "a b  c", "reload": False}),
            *thrice({"name": "kernel.new_one", "state": "absent", "reload": False}),
            *thrice({"name": "vm.swappiness", "value": "5", "reload": False, "sysctl_file": "/etc/sysctl.d/99-x.conf"}),
            s({"name": "vm.swappiness", "reload": False}),
            s({"name": "", "value": "1", "reload": False}),
            s({"name": "a b", "value": "1", "reload": False}),
            s({"name": "kernel.nosuch", "value": "1", "reload": True}),
            s({"name": "kernel.nosuch", "value": "1", "reload": False, "sysctl_set": True}),
            s({"name": "kernel.ostype", "value": "Linux", "reload": False, "sysctl_set": True}),
        ],
    }
]

CASES["mount"] = [
    {
        "name": "fstab and what is mounted",
        "module": "ansible.posix.mount",
        "prepare": "printf '# table\\nproc /proc proc defaults 0 0\\n/dev/sda1 / ext4 errors=remount-ro 0 1\\n' > /etc/fstab",
        "steps": [
            *thrice({"path": "/mnt/a", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=1m", "state": "present"}),
            *thrice({"path": "/mnt/a", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=1m", "state": "mounted"}),
            *thrice({"path": "/mnt/a", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=2m", "state": "mounted"}),
            s({"path": "/mnt/a", "state": "remounted"}),
            *thrice({"path": "/mnt/a", "state": "unmounted"}),
            *thrice({"path": "/mnt/a", "state": "absent"}),
            *thrice({"path": "/mnt/b c", "src": "/dev/x y", "fstype": "ext4", "state": "present", "passno": "2", "dump": "1"}),
            *thrice({"path": "/mnt/b c", "state": "absent_from_fstab"}),
            *thrice({"path": "/mnt/d", "src": "tmpfs", "fstype": "tmpfs", "state": "ephemeral"}),
            *thrice({"path": "/mnt/e", "src": "tmpfs", "fstype": "tmpfs", "state": "present", "boot": False}),
            s({"path": "none", "src": "/swap", "fstype": "swap", "opts": "sw", "state": "present"}),
            s({"path": "none", "src": "/swap2", "fstype": "swap", "opts": "sw", "state": "present"}),
            s({"path": "/mnt/f", "state": "present"}),
        ],
        "ignore": ["backup_file"],
    }
]

CASES["timezone"] = [
    {
        "name": "the time zone",
        "module": "community.general.timezone",
        "prepare": "rm -f /etc/localtime; ln -s /usr/share/zoneinfo/Etc/UTC /etc/localtime; echo Etc/UTC > /etc/timezone; rm -rf /run/systemd",
        "steps": [
            *thrice({"name": "Europe/Berlin"}, diff=True),
            s({"name": "No/Where"}),
            s({}),
        ],
    }
]

def foreseen(args):
    """In check mode Ansible's module says that nothing changes; ours says what the real run after it does."""
    check, *real = thrice(args)
    return [{**check, "ours": {"changed": True}}, *real]


CASES["locale_gen"] = [
    {
        "name": "locales",
        "module": "community.general.locale_gen",
        "prepare": "printf '# de_DE.UTF-8 UTF-8\\n# fr_FR.UTF-8 UTF-8\\nen_US.UTF-8 UTF-8\\n' > /etc/locale.gen; locale-gen > /dev/null",
        "steps": [
            *foreseen({"name": "de_DE.UTF-8"}),
            *foreseen({"name": ["de_DE.UTF-8", "fr_FR.UTF-8"]}),
            *foreseen({"name": "de_DE.UTF-8", "state": "absent"}),
            # What the module of Ansible was given stands there twice more.
            s({"name": "xx_XX.UTF-8"}, ours={"output": None, "vars": None}),
        ],
    }
]

CASES["alternatives"] = [
    {
        "name": "alternatives",
        "module": "community.general.alternatives",
        "prepare": "update-alternatives --install /usr/bin/zz zz /bin/true 10 >/dev/null; update-alternatives --install /usr/bin/zz zz /bin/false 20 > /dev/null",
        "steps": [
            *thrice({"name": "zz", "path": "/bin/true"}, diff=True),
            *thrice({"name": "zz", "path": "/bin/echo", "link": "/usr/bin/zz", "priority": 5, "state": "present"}),
            *thrice({"name": "zz", "path": "/bin/echo", "priority": 70, "state": "present"}),
            *thrice({"name": "zz", "path": "/bin/echo", "state": "auto"}),
            *thrice({"name": "zz", "path": "/bin/true", "state": "absent"}),
            *thrice({"name": "yy", "path": "/bin/true", "link": "/usr/bin/yy",
                     "subcommands": [{"name": "yysub", "path": "/bin/false", "link": "/usr/bin/yysub"}]}),
            s({"name": "nosuch", "path": "/bin/true"}),
            s({"name": "zz", "path": "/bin/nosuch"}),
        ],
    }
]

CASES["dpkg_selections"] = [
    {
        "name": "holding packages",
        "steps": [
            *thrice({"name": "sed", "selection": "hold"}, diff=True),
            *thrice({"name": "sed", "selection": "install"}),
            s({"name": "znosuch", "selection": "hold"}),
        ],
    }
]

CASES["debconf"] = [
    {
        "name": "answers to debconf",
        "prepare": "echo 'tzdata tzdata/Areas select Europe' | debconf-set-selections",
        "steps": [
            *thrice({"name": "tzdata", "question": "tzdata/Areas", "vtype": "select", "value": "Asia"}, diff=True),
            *thrice({"name": "zz", "question": "zz/flag", "vtype": "boolean", "value": True}),
            *thrice({"name": "zz", "question": "zz/flag", "vtype": "boolean", "value": "no"}),
            *thrice({"name": "zz", "question": "zz/list", "vtype": "multiselect", "value": ["a", "b"]}),
            *thrice({"name": "zz", "question": "zz/pw", "vtype": "password", "value": "secret"}),
            s({"name": "tzdata"}),
            s({"name": "tzdata", "question": "tzdata/Areas"}),
            s({"name": "zz", "question": "zz/flag", "vtype": "boolean"}),
        ],
    }
]

CASES["git"] = [
    {
        "name": "clones",
        "prepare": r"""
set -e
export HOME=/root GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
git config --global user.name T; git config --global user.email t@example.org; git config --global init.defaultBranch main
git config --global protocol.file.allow always; git config --global --add safe.directory '*'
git init -q /srv/up; cd /srv/up
echo 1 > f; git add f; git commit -qm one; git tag v1
echo 2 > f; git commit -qam two; git tag -a v2 -m v2
git checkout -q -b side; echo s > s; git add s; git commit -qm side; git checkout -q main
""",
        "steps": [
            *thrice({"repo": "/srv/up", "dest": "/srv/co"}),
            *thrice({"repo": "/srv/up", "dest": "/srv/co", "version": "v1"}),
            *thrice({"repo": "/srv/up", "dest": "/srv/co", "version": "side"}),
            *thrice({"repo": "/srv/up", "dest": "/srv/co", "version": "main"}),
            *thrice({"repo": "/srv/up", "dest": "/srv/co", "version": "main"},)[:0],
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "main"}, check=True,
              shell="cd /srv/up; echo 3 > f; GIT_AUTHOR_DATE='2024-01-02T00:00:00Z' GIT_COMMITTER_DATE='2024-01-02T00:00:00Z' git commit -qam three"),
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "main", "update": False}),
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "main"}),
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "main"}),
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "v1"}, shell="echo dirty > /srv/co/f"),
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "v1", "force": True}),
            *thrice({"repo": "/srv/up", "dest": "/srv/bare", "bare": True}),
            *thrice({"repo": "file:///srv/up", "dest": "/srv/shallow", "depth": 1, "version": "side"}),
            s({"repo": "/srv/up", "dest": "/srv/no", "clone": False}),
            s({"repo": "/srv/nosuch", "dest": "/srv/no"}),
            s({"repo": "/srv/up", "dest": "/srv/co", "version": "nosuch"}),
            s({"repo": "/srv/up2", "dest": "/srv/co", "version": "main"}, shell="cp -a /srv/up /srv/up2"),
            s({"repo": "/srv/up2", "dest": "/srv/co", "version": "$(cd /srv/up; git rev-parse v1)"} if False else
              {"repo": "/srv/up2", "dest": "/srv/co", "version": "v2"}),
            s({"repo": "/srv/up2", "dest": "/srv/single", "version": "side", "single_branch": True, "depth": 1}),
        ],
    }
]

UNITS = r"""
cd /etc/systemd/system
unit() { printf "[Unit]\nDescription=$1\n[Service]\n$2\n${3-[Install]\nWantedBy=multi-user.target\n}" > $1.service; }
unit zrun 'ExecStart=/bin/sleep 1000\nExecReload=/bin/true'
unit znoreload 'ExecStart=/bin/sleep 1000'
unit zfail 'ExecStart=/bin/false\nType=oneshot'
unit zonce 'ExecStart=/bin/true\nType=oneshot\nRemainAfterExit=yes'
unit zstatic 'ExecStart=/bin/sleep 1000' ''
unit zinst@ 'ExecStart=/bin/sleep 1000'
unit zindirect@ 'ExecStart=/bin/sleep 1000' '[Install]\nWantedBy=multi-user.target\nDefaultInstance=a\n'
unit zalias 'ExecStart=/bin/sleep 1000' '[Install]\nAlias=zother.service\n'
printf '[Unit]\nDescription=t\n[Timer]\nOnCalendar=daily\nUnit=zonce.service\n[Install]\nWantedBy=timers.target\n' > ztimer.timer
mkdir -p /etc/init.d; printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: zsysv\n# Required-Start:\n# Required-Stop:\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n# Short-Description: x\n### END INIT INFO\nexit 0\n' > /etc/init.d/zsysv
chmod 755 /etc/init.d/zsysv
systemctl daemon-reload
"""

SYSTEMD_STEPS = [
    *thrice({"name": "zrun", "state": "started"}),
    *thrice({"name": "zrun", "enabled": True}),
    *thrice({"name": "zrun.service", "enabled": True, "state": "started"}),
    *thrice({"name": "zrun", "state": "reloaded"})[:2],
    *thrice({"name": "zrun", "state": "restarted"})[:2],
    *thrice({"name": "zrun", "state": "stopped", "enabled": False}),
    s({"name": "zrun", "state": "reloaded"}),
    s({"name": "znoreload", "state": "restarted"}),
    s({"name": "znoreload", "state": "reloaded"}),
    s({"name": "zfail", "state": "started"}),
    *thrice({"name": "zonce", "state": "started"}),
    *thrice({"name": "zstatic", "enabled": True, "state": "started"}),
    s({"name": "zstatic", "enabled": False}),
    *thrice({"name": "zinst@b", "enabled": True, "state": "started"}),
    *thrice({"name": "zindirect@", "enabled": True}),
    s({"name": "zindirect@x", "enabled": True}),
    *thrice({"name": "zalias", "enabled": True}),
    s({"name": "zother", "enabled": True, "state": "started"}),
    s({"name": "znosuch", "state": "started"}),
    s({"name": "znosuch", "enabled": True}),
    s({"name": "znosuch", "state": "stopped"}, check=True),
    *thrice({"name": "zsysv", "enabled": True}),
    s({"name": "zrun"}),
    s({"name": "zrun", "state": "nonsense"}),
    s({"state": "started"}),
]

CASES["systemd"] = [
    {
        "name": "units",
        "prepare": UNITS,
        "systemd": True,
        "ignore": ["status"],
        "steps": SYSTEMD_STEPS + [
            *thrice({"name": "ztimer.timer", "enabled": True, "state": "started"}),
            *thrice({"name": "znoreload", "masked": True}),
            s({"name": "znoreload", "state": "started"}),
            s({"name": "znoreload", "enabled": True}),
            *thrice({"name": "znoreload", "masked": False, "state": "started", "enabled": True}),
            *thrice({"name": "znosuch", "masked": True}),
            *thrice({"daemon_reload": True}),
            *thrice({"daemon_reexec": True})[:1],
            s({"daemon_reload": True, "name": "znew", "state": "started", "enabled": True},
              shell="cd /etc/systemd/system; sed s/zrun/znew/ zrun.service > znew.service"),
            s({"daemon_reload": True, "name": "znew", "state": "started", "enabled": True}),
            s({"name": "zrun", "state": "started", "no_block": True}),
            s({"name": "zrun", "enabled": True, "force": True}),
            s({"masked": True}),
            s({}),
        ],
    }
]
CASES["service"] = [
    {"name": "units by the general module", "prepare": UNITS, "systemd": True, "ignore": ["status"],
     "steps": SYSTEMD_STEPS[:24] + [
         s({"name": "zrun", "state": "started", "pattern": "x", "sleep": 1, "runlevel": "2", "arguments": "x"}),
         s({"name": "zrun", "state": "restarted", "use": "systemd"}),
         s({"name": "zrun"}),
         s({"state": "started"}),
         s({"name": "znosuch", "state": "started"}),
     ]}
]
# Of the machine's own services nothing is kept.
CASES["service_facts"] = [
    {"name": "which services", "prepare": UNITS, "systemd": True, "services": "z",
     "steps": [s({}), s({}, shell="systemctl start zrun zonce zinst@a; systemctl start zfail || true; ln -sf /dev/null /etc/systemd/system/zmasked.service; systemctl daemon-reload")]}
]
PACKAGES = r"""
set -e
package() { printf 'Package: %s\nStatus: %s\nPriority: optional\nSection: %s\nMaintainer: T <t@example.org>\nArchitecture: %s\nVersion: %s\nDescription: a package\n\n' "$@"; }
{ package dpkg 'install ok installed' admin amd64 1.21
  package zalpha 'install ok installed' net all 1:1.0-2; package zconf 'deinstall ok config-files' net amd64 2
  package zmine 'hold ok installed' utils amd64 3; package libz 'install ok installed' libs amd64 4
  package libz 'install ok installed' libs i386 4; package zhalf 'install ok unpacked' oldlibs amd64 5; } > /var/lib/dpkg/status
echo i386 > /var/lib/dpkg/arch
mkdir -p /srv/repo; cd /srv/repo
for p in 'zalpha 1:1.0-2 all' 'zmine 4 amd64' 'libz 4 amd64'; do set -- $p
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: T <t@example.org>\nSection: net\nDescription: a package\nFilename: ./x.deb\nSize: 1\n\n' $1 $2 $3; done > Packages
printf 'Origin: Tests\nLabel: T\nSuite: stable\nSHA256:\n %s %s Packages\n' $(sha256sum < Packages | cut -d' ' -f1) $(stat -c %s Packages) > Release
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/* /etc/apt/preferences.d/*
echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list
apt-get update
"""
CASES["package_facts"] = [
    {"name": "which packages", "prepare": PACKAGES, "steps": [
        s({}), s({"manager": "apt"}), s({"manager": "rpm"}), s({"manager": ["rpm", "APT"]}), s({"manager": "yum"}),
        s({"manager": "auto", "strategy": "all"}), s({"manager": "apk,pacman"}), s({"manager": "dpkg"})]}
]

# The server of this machine, started in the sandbox; the tasks run as its administrator.
POSTGRES = r"""
set -e
version=$(ls /etc/postgresql | head -1)
echo 'local all postgres peer
local all all md5
host all all 127.0.0.1/32 md5' > /etc/postgresql/$version/main/pg_hba.conf
chmod 755 /root; mkdir -p /run/postgresql; chown postgres: /run/postgresql
pg_ctlcluster $version main start
until pg_isready -q; do sleep 0.1; done
"""


def p(args, **more):
    return s(args, user="postgres", **more)


def pthrice(args, **more):
    return [p(args, check=True, **more), p(args, **more), p(args, **more)]


CASES["postgresql_user"] = [
    {
        "name": "roles",
        "module": "community.postgresql.postgresql_user",
        "prepare": POSTGRES,
        "steps": [
            *pthrice({"name": "app"}),
            *pthrice({"name": "app", "password": "s3cret"}),
            # The order of flags is that of a set.
            *pthrice({"name": "app", "role_attr_flags": "CREATEDB,NOSUPERUSER"}, ignore=["queries"]),
            *pthrice({"name": "app", "role_attr_flags": "NOCREATEDB", "password": "other"}),
            p({"name": "app", "password": "ignored", "no_password_changes": True}),
            *pthrice({"name": "hashed", "password": "md5" + "0" * 32}),
            *pthrice({"name": "app", "conn_limit": 5}),
            *pthrice({"name": "app", "expires": "2030-01-01"}),
            *pthrice({"name": "app", "comment": "It's the app"}),
            *pthrice({"name": "full", "password": "x", "expires": "infinity", "conn_limit": 3,
                      "role_attr_flags": "SUPERUSER,CREATEROLE,REPLICATION,BYPASSRLS", "encrypted": True},
                     ignore=["queries"]),
            *pthrice({"name": "app", "configuration": {"work_mem": "16MB", "search_path": "a,b"}})[:2],
            # Ansible does not know that lists are stored with quotes, and sets them each time.
            p({"name": "app", "configuration": {"work_mem": "16MB", "search_path": "a,b"}},
              ours={"changed": False, "queries": []}),
            *pthrice({"name": "app", "configuration": {"work_mem": "32MB"}, "reset_unspecified_configuration": True}),
            *pthrice({"name": "empty", "password": ""}),
            p({"name": "app", "role_attr_flags": "NONSENSE"}),
            p({"name": "app", "login_db": "nosuch"}),
            p({"name": "app", "trust_input": False, "comment": "x'; drop"}),
            *pthrice({"name": "hashed", "state": "absent"}),
            p({"name": "owner"}),
            p({"name": "owner", "state": "absent"},
              shell="su postgres -c \"createdb -O owner ownersdb\""),
            p({"name": "owner", "state": "absent", "fail_on_user": False}),
            # Ansible hides the password, which is "x", wherever there is an x.
            p({"name": "app", "login_host": "127.0.0.1", "login_user": "full", "login_password": "x"}, ignore=["msg"]),
            # psycopg2 tries once with TLS and once without, and tells both.
            p({"name": "app", "login_host": "127.0.0.1", "login_user": "full", "login_password": "wrong"}, ignore=["msg"]),
            p({"name": "app", "login_port": 5999}),
        ],
    }
]
CASES["postgresql_db"] = [
    {
        "name": "databases",
        "module": "community.postgresql.postgresql_db",
        "prepare": POSTGRES + "\nsu postgres -c 'createuser app; createuser other'",
        "steps": [
            *pthrice({"name": "shop"}),
            *pthrice({"name": "shop", "owner": "app"}),
            *pthrice({"name": "full", "owner": "app", "encoding": "UTF-8", "lc_collate": "C", "lc_ctype": "C",
                      "template": "template0", "conn_limit": "10"}),
            p({"name": "full", "encoding": "LATIN1"}),
            p({"name": "full", "lc_collate": "de_DE.UTF-8"}),
            p({"name": "full", "lc_ctype": "de_DE.UTF-8"}),
            *pthrice({"name": "full", "conn_limit": "20"}),
            *pthrice({"name": "shop", "comment": "a shop"}),
            p({"name": "shop", "owner": "nosuch"}),
            *pthrice({"name": "shop", "state": "dump", "target": "/var/lib/postgresql/shop.sql"})[:2],
            *pthrice({"name": "shop", "state": "restore", "target": "/var/lib/postgresql/shop.sql"})[:2],
            p({"name": "shop", "state": "dump", "target": "/var/lib/postgresql/shop.sql.gz"},
              ignore=["cmd", "executed_commands"]),
            p({"name": "shop", "state": "restore", "target": "/var/lib/postgresql/shop.sql.gz"}),
            p({"name": "shop", "state": "dump", "target": "/var/lib/postgresql/shop.dump"}),
            p({"name": "nosuch", "state": "dump", "target": "/var/lib/postgresql/x.sql"}),
            p({"name": "shop", "state": "restore", "target": "/var/lib/postgresql/nosuch.sql"}),
            *pthrice({"name": "shop", "state": "rename", "target": "market"}),
            p({"name": "nosuch", "state": "rename", "target": "x"}),
            p({"name": "full", "state": "rename", "target": "market"}),
            *pthrice({"name": "full", "tablespace": "pg_default"}),
            *pthrice({"name": "full", "state": "absent"}),
            p({"name": "market", "state": "absent", "force": True}),
            p({"name": "x", "login_user": "nosuch"}),
            p({"name": "x", "template": "nosuch"}),
        ],
    }
]
CASES["postgresql_ext"] = [
    {
        "name": "extensions",
        "module": "community.postgresql.postgresql_ext",
        "prepare": POSTGRES + "\nsu postgres -c 'createdb shop'",
        "steps": [
            *pthrice({"name": "hstore", "login_db": "shop"}),
            *pthrice({"name": "hstore", "login_db": "shop", "version": "1.8"}),
            *pthrice({"name": "hstore", "login_db": "shop", "version": "latest"}),
            *pthrice({"name": "hstore", "login_db": "shop", "comment": "hs"}),
            *pthrice({"name": "earthdistance", "login_db": "shop", "cascade": True, "schema": "public"}),
            p({"name": "nosuch", "login_db": "shop"}),
            *pthrice({"name": "hstore", "login_db": "shop", "state": "absent"}),
            p({"name": "cube", "login_db": "shop", "state": "absent"}),
            p({"name": "cube", "login_db": "shop", "state": "absent", "cascade": True}),
            # Ansible stumbles over the comment of what is not there yet.
            p({"name": "hstore", "login_db": "shop", "version": "1.4", "comment": "old"}, check=True, ours={
                "changed": True, "failed": None, "msg": None, "db": "shop", "ext": "hstore", "prev_version": "",
                "version": "1.4", "queries": ["CREATE EXTENSION \"hstore\" VERSION '1.4'",
                                              "COMMENT ON EXTENSION \"hstore\" IS 'old'"]}),
            *pthrice({"name": "hstore", "login_db": "shop", "version": "1.4", "comment": "old"})[1:],
            *pthrice({"name": "hstore", "login_db": "shop", "version": "1.6", "comment": ""}),
            *pthrice({"name": "hstore", "login_db": "shop", "version": "latest"}),
            p({"name": "hstore", "login_db": "shop", "version": "1.4"}),
            p({"name": "hstore", "login_db": "shop", "version": "77"}),
            p({"name": "cube", "login_db": "shop", "version": "77"}),
            p({"name": "cube", "login_db": "shop", "schema": "nosuch"}),
            p({"name": "nosuch", "login_db": "shop", "state": "absent"}),
            p({"name": "cube", "login_db": "nosuch"}),
            p({"name": "cube", "login_db": "shop", "session_role": "nosuch"}),
            p({"name": "cube", "login_db": "shop", "schema": "x'; drop table", "trust_input": False}),
        ],
    }
]
CASES["postgresql_privs"] = [
    {
        "name": "privileges",
        "module": "community.postgresql.postgresql_privs",
        "prepare": POSTGRES + "\nsu postgres -c 'createuser app; createuser other; createdb shop; psql -q shop -c \"create table a(x int); create table b(x int); create sequence sq; create function f(int) returns int language sql as \\$\\$ select 1 \\$\\$\"'",
        "steps": [
            *pthrice({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "database", "objs": "shop"}),
            *pthrice({"login_db": "shop", "roles": "app,other", "privs": "SELECT,INSERT", "objs": "a,b"},
                     ignore=["queries"]),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SELECT", "objs": "ALL_IN_SCHEMA", "schema": "public"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "INSERT", "objs": "a", "state": "absent"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "USAGE", "type": "schema", "objs": "public"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "sequence", "objs": "sq"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SELECT", "type": "default_privs", "objs": "TABLES"}),
            *pthrice({"login_db": "shop", "roles": "other", "objs": "app", "type": "group"}),
            *pthrice({"login_db": "shop", "roles": "other", "objs": "app", "type": "group", "state": "absent"}),
            *pthrice({"login_db": "shop", "roles": "PUBLIC", "privs": "CREATE", "type": "schema", "objs": "public"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "EXECUTE", "type": "function", "objs": "f(int)"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SELECT", "objs": "a", "grant_option": True}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SELECT", "objs": "a", "grant_option": False}),
            *pthrice({"login_db": "shop", "roles": "other", "objs": "app", "type": "group", "admin_option": True}),
            *pthrice({"login_db": "shop", "roles": "other", "objs": "app", "type": "group", "admin_option": False}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "default_privs", "objs": "ALL_DEFAULT",
                      "schema": "not-specified", "target_roles": "other", "grant_option": True}, ignore=["queries"]),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SELECT,INSERT", "type": "default_privs",
                      "objs": "TABLES,SEQUENCES", "target_roles": "other,postgres"}, ignore=["msg"]),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SELECT", "type": "default_privs",
                      "objs": "TABLES", "state": "absent"}),
            *pthrice({"database": "shop", "role": "app", "priv": "connect", "type": "database", "state": "absent"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "USAGE", "type": "language", "objs": "sql"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "CREATE", "type": "tablespace", "objs": "pg_default"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "USAGE", "type": "type", "objs": "mood"},
                     )[:1],
            *pthrice({"login_db": "shop", "roles": "app", "privs": "SET,ALTER SYSTEM", "type": "parameter",
                      "objs": "work_mem"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "EXECUTE", "type": "function",
                      "objs": "ALL_IN_SCHEMA", "state": "absent"}),
            *pthrice({"login_db": "shop", "roles": "app", "privs": "USAGE", "type": "sequence", "objs": "ALL_IN_SCHEMA"}),
            *pthrice({"login_db": "shop", "roles": "CURRENT_USER,SESSION_USER", "privs": "ALL", "objs": "b"}),
            p({"login_db": "shop", "roles": "app,nosuch", "privs": "SELECT", "objs": "b", "fail_on_role": False}),
            p({"login_db": "shop", "roles": "nosuch", "privs": "SELECT", "objs": "b", "fail_on_role": False}),
            p({"login_db": "shop", "roles": "app", "type": "schema", "objs": "public", "privs": "ALL", "schema": "x"}),
            p({"login_db": "shop", "roles": "app", "type": "group", "objs": "other", "privs": "ALL"}),
            p({"login_db": "shop", "roles": "app", "objs": "a"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "objs": "a", "target_roles": "other"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "objs": "a", "schema": "nosuch"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "database", "objs": "nosuch"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "schema", "objs": "nosuch"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "function", "objs": "nosuch(int)"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "type": "default_privs", "objs": "NONSENSE"}),
            p({"login_db": "shop", "roles": "app", "privs": "ALL", "objs": "ALL_IN_SCHEMA", "type": "schema"}),
            p({"login_db": "nosuch", "roles": "app", "privs": "ALL", "objs": "a"}),
            p({"login_db": "shop", "roles": "x'; drop table", "privs": "ALL", "objs": "a", "trust_input": False}),
            p({"login_db": "shop", "roles": "nosuch", "privs": "ALL", "type": "database", "objs": "shop"}),
            p({"login_db": "shop", "roles": "app", "privs": "NONSENSE", "objs": "a"}),
            p({"login_db": "shop", "roles": "app", "privs": "SELECT", "objs": "nosuch"}),
        ],
    }
]

# A broker that has just been installed.
RABBITMQ = r"""
set -e
echo '127.0.0.1 sandbox localhost' > /etc/hosts
rm -rf /var/lib/rabbitmq/mnesia; chown -R rabbitmq: /var/lib/rabbitmq /var/log/rabbitmq
setpriv --reuid rabbitmq --regid rabbitmq --init-groups env HOME=/var/lib/rabbitmq rabbitmq-server -detached
for try in $(seq 60); do rabbitmqctl -q await_startup 2> /dev/null && break; sleep 0.5; done
rabbitmqctl -q status > /dev/null
"""

CASES["rabbitmq_vhost"] = [
    {
        "name": "virtual hosts",
        "module": "community.rabbitmq.rabbitmq_vhost",
        "prepare": RABBITMQ,
        "steps": [
            *thrice({"name": "/shop"}),
            *thrice({"vhost": "/shop", "tracing": True}),
            *thrice({"name": "/shop", "trace": False}),
            *thrice({"name": "traced", "tracing": True, "node": "rabbit@sandbox"}),
            s({"name": "with blank"}),
            s({"name": "with blank"}),
            s({"name": "-q"}),
            *thrice({"name": "/shop", "state": "absent"}),
            s({"name": "nowhere", "state": "absent", "tracing": True}),
            # What rabbitmqctl says about a node that is not there is a page of advice.
            s({"name": "x", "node": "nosuch"}, ignore=["msg", "stderr", "stdout", "cmd"]),
            s({}),
            s({"name": "x", "state": "there"}),
        ],
    }
]


def twice(args, **more):
    """Ansible's module knows no check mode; ours says there what the real run after it does."""
    return [s(args, **more), s(args, **more)]


FULL = {"configure_priv": ".*", "read_priv": ".*", "write_priv": ".*"}
OTHER = {"vhost": "other", "configure_priv": "^$", "read_priv": "a|b", "write_priv": "^$"}
CASES["rabbitmq_user"] = [
    {
        "name": "users",
        "module": "community.rabbitmq.rabbitmq_user",
        "prepare": RABBITMQ + "rabbitmqctl -q add_vhost /shop\nrabbitmqctl -q add_vhost other",
        "slow": True,
        "steps": [
            *twice({"user": "app", "password": "s3cret"}),
            s({"user": "app", "password": "other"}),
            *twice({"user": "app", "password": "other", "update_password": "always"}),
            *twice({"user": "app", "vhost": "/shop", **FULL}),
            *twice({"user": "app", "tags": "monitoring,management"}),
            s({"user": "app", "tags": "management, monitoring"}),
            s({"user": "app"}),
            s({"user": "app", "tags": ""}),
            *twice({"user": "app", "permissions": [{"vhost": "/shop", **FULL}, OTHER]}),
            *twice({"user": "app", "permissions": [OTHER]}),
            *twice({"user": "app", "permissions": [OTHER], "topic_permissions": [
                {"vhost": "other", "exchange": "amq.topic", "read_priv": ".*", "write_priv": "x"}]}),
            *twice({"user": "app", "permissions": [OTHER], "topic_permissions": [
                {"vhost": "other", "exchange": "amq.topic", "read_priv": "y", "write_priv": "x"},
                {"read_priv": "z", "write_priv": "^$"}]}),
            *twice({"user": "app", "permissions": [OTHER]}),
            *twice({"user": "app"}),
            *twice({"name": "admin", "password": "x y", "tags": "administrator", **FULL, "state": "present"}),
            *twice({"name": "admin", "password": "sesame", "tags": "administrator", "force": True, "read_priv": ".*"}),
            *twice({"name": "nopass"}),
            s({"user": "app", "permissions": [{"vhost": "nosuch", **FULL}]}, ignore=["msg", "stdout", "stderr"]),
            s({"user": "app", "permissions": [OTHER, OTHER]}),
            # Ansible says nothing but the key that it misses.
            s({"user": "app", "permissions": [{"read_priv": "other"}]}, ignore=["msg"]),
            s({"user": "app", "permissions": [{"vhost": "other"}]}, ignore=["msg"]),
            s({"user": "app", "topic_permissions": [{"exchange": "x"}]}, ignore=["msg"]),
            *twice({"user": "app", "state": "absent"}),
            s({"user": "x", "node": "nosuch"}, ignore=["msg", "rc", "stdout"]),
            s({"user": "x", "update_password": "never"}),
        ],
    }
]

# supervisor with two programs and a group; "flaky" is one that ends at once.
SUPERVISOR = r"""
set -e
mkdir -p /etc/supervisor/conf.d; rm -f /etc/supervisor/conf.d/*
program() { { printf '[program:%s]\n' "$1"; printf '%s\n' "${@:2}"; } > /etc/supervisor/conf.d/$1.conf; }
program worker 'command=/bin/sleep 1000' startsecs=0
program idle 'command=/bin/sleep 1000' autostart=false startsecs=0
program flaky command=/bin/false autostart=false startsecs=1 startretries=0
program many 'command=/bin/sleep 1000' startsecs=0 numprocs=2 'process_name=%(program_name)s_%(process_num)d'
printf '[group:pair]\nprograms=idle,flaky\n' > /etc/supervisor/conf.d/pair.conf
supervisord -c /etc/supervisor/supervisord.conf
for try in $(seq 50); do supervisorctl status > /dev/null 2>&1 || [ $? = 3 ] && break; sleep 0.1; done
sleep 0.5
"""
NEW = "printf '[program:new]\\ncommand=/bin/sleep 1000\\nstartsecs=0\\n' > /etc/supervisor/conf.d/new.conf"
SLEEP = "sleep 1"
LOCKED = r"""
[ ! -e /tmp/locked.conf ] || exit 0
cat > /tmp/locked.conf <<'END'
[inet_http_server]
port=127.0.0.1:9001
username=ad min
password={SHA}HASH
[supervisord]
logfile=/tmp/locked.log
pidfile=/tmp/locked.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:idle2]
command=/bin/sleep 1000
autostart=false
startsecs=0
END
hash=$(printf %s 's3 ;%(x)s#cret' | sha1sum | cut -d' ' -f1); sed -i "s/HASH/$hash/" /tmp/locked.conf
supervisord -c /tmp/locked.conf; sleep 1
"""
CASES["supervisorctl"] = [
    {
        "name": "programs",
        "module": "community.general.supervisorctl",
        "prepare": SUPERVISOR,
        # Process numbers and times.
        "steps": [
            *thrice({"name": "worker", "state": "stopped"}),
            *thrice({"name": "worker", "state": "started"}),
            *thrice({"name": "worker", "state": "restarted"}),
            *thrice({"name": "worker", "state": "signalled", "signal": "USR1"}, shell=SLEEP)[:1],
            s({"name": "worker", "state": "signalled"}),
            s({"name": "worker", "state": "signalled", "signal": "HUP"}),
            *thrice({"name": "new", "state": "present"}, shell=NEW),
            s({"name": "new", "state": "started"}),
            *thrice({"name": "pair:idle", "state": "started"}),
            *thrice({"name": "pair:", "state": "stopped"}),
            *thrice({"name": "many:", "state": "stopped"}),
            *thrice({"name": "many:", "state": "started"}),
            *thrice({"name": "many:many_0", "state": "stopped"}),
            *thrice({"name": "all", "state": "stopped"}),
            s({"name": "all", "state": "started"}),
            s({"name": "pair:flaky", "state": "started"}),
            s({"name": "pair:flaky", "state": "restarted"}),
            s({"name": "nosuch", "state": "started"}),
            s({"name": "nosuch", "state": "stopped"}),
            s({"name": "nosuch", "state": "restarted"}),
            s({"name": "nosuch", "state": "present"}),
            s({"name": "nosuch", "state": "absent"}),
            s({"name": "nosuch", "state": "signalled", "signal": "HUP"}),
            s({"name": "nosuch:", "state": "started"}),
            s({"name": "new", "state": "absent"}),
            s({"name": "new", "state": "stopped"}, shell="rm -f /etc/supervisor/conf.d/new.conf"),
            *thrice({"name": "new", "state": "absent"}),
            *thrice({"name": "worker", "state": "absent", "stop_before_removing": True}),
            s({"name": "idle", "state": "started", "config": "/etc/supervisor/supervisord.conf"}),
            s({"name": "worker", "state": "started", "server_url": "unix:///var/run/supervisor.sock",
               "username": "somebody", "password": "sesame"}),
            s({"name": "worker", "state": "started", "supervisorctl_path": "/usr/bin/supervisorctl"}),
            s({"name": "worker", "state": "started", "supervisorctl_path": "/usr/bin/nosuch"}),
            # Ansible does not say that nobody answers.
            s({"name": "worker", "state": "started", "config": "/etc/nosuch.conf"}, ignore=["msg", "name"]),
            s({"name": "worker", "state": "started", "server_url": "http://127.0.0.1:9"}, ignore=["msg", "name"]),
            s({"name": "worker"}),
            s({"name": "worker", "state": "running"}),
            # A server that wants a password.
            *thrice({"name": "idle2", "state": "started", "server_url": "http://127.0.0.1:9001", "username": "ad min",
                     "password": "s3 ;%(x)s#cret"}, shell=LOCKED),
            s({"name": "idle2", "state": "stopped", "server_url": "http://127.0.0.1:9001", "username": "ad min",
               "password": "wrong password"}, ignore=["msg", "name"]),
            s({"name": "worker", "state": "started"}, shell="supervisorctl shutdown; sleep 1", ignore=["msg", "name"]),
        ],
    }
]


# Wheels made by hand, so that pip installs for real and without a network.
WHEELS = r"""
set -e
mkdir -p /tmp/wheels /tmp/src/gamma
cat > /tmp/wheel.py <<'END'
import sys, zipfile
name, version, *requires = sys.argv[1:]
info = f"{name}-{version}.dist-info/"
meta = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {r}\n" for r in requires)
files = {f"{name.lower()}.py": f"version = '{version}'\n", info + "METADATA": meta,
         info + "WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
files[info + "RECORD"] = "".join(f"{f},,\n" for f in files) + f"{info}RECORD,,\n"
with zipfile.ZipFile(f"/tmp/wheels/{name}-{version}-py3-none-any.whl", "w") as z:
    for file, text in files.items():
        z.writestr(file, text)
END
python3 /tmp/wheel.py alpha 1.0
python3 /tmp/wheel.py alpha 2.0
python3 /tmp/wheel.py alpha 2.1rc1
python3 /tmp/wheel.py beta_Tool 0.3
python3 /tmp/wheel.py delta 1.2.3 'alpha>=1'
printf '# ours\nalpha==1.0\nBeta.tool>=0.1  # comment\n\n' > /tmp/req.txt
printf 'alpha<2\n-r /tmp/req.txt\n' > /tmp/nested.txt
printf 'from setuptools import setup\nsetup(name="gamma", version="0.1", py_modules=["gamma"])\n' > /tmp/src/gamma/setup.py
touch /tmp/src/gamma/gamma.py
"""
LOCAL = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PIP_FIND_LINKS": "/tmp/wheels", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null",
         "PIP_CERT": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
VENV = "python3 -m venv"


def p(args, **more):
    return s({"virtualenv": "/tmp/v", "virtualenv_command": VENV, **args}, environment=LOCAL, **more)


def p3(args):
    return [p(args, check=True), p(args), p(args), p(args, check=True)]


CASES["pip"] = [
    {
        "name": "virtual environment",
        "module": "ansible.builtin.pip",
        # What pip says about files it looks through differs from what we find without it.
        "ignore": ["stdout"],
        "prepare": WHEELS,
        "steps": [
            *p3({"name": "alpha", "version": "1.0"}),
            p({"name": "alpha"}),
            p({"name": "alpha==1.0"}),
            # Spaces at a comma of a list are not kept here.
            p({"name": "Alpha >= 0.9, < 1.5"}, ours={"name": ["Alpha >= 0.9", "< 1.5"]}),
            p({"name": ["alpha>=1", "beta-tool"]}, check=True),
            p({"name": ["alpha>=1", "beta-tool"]}),
            p({"name": ["alpha>=1", "beta.Tool!=0.4"]}),
            p({"name": "alpha>=0.1,beta_tool"}),
            p({"name": "alpha", "version": ">0.5,<3"}),
            p({"name": "alpha", "version": "2.0"}, check=True),
            p({"name": "alpha", "state": "latest"}, check=True),
            p({"name": "alpha", "state": "latest"}),
            p({"name": "alpha", "state": "latest"}),
            p({"name": "alpha", "version": "1.0", "state": "latest"}),
            p({"name": "alpha==2.*"}),
            p({"name": "alpha~=1.0"}),
            p({"name": "alpha", "state": "forcereinstall"}, check=True),
            p({"name": "alpha", "state": "forcereinstall"}),
            p({"name": "beta-tool", "state": "absent"}, check=True),
            p({"name": "beta-tool", "state": "absent"}),
            p({"name": "beta-tool", "state": "absent"}),
            p({"name": "beta-tool", "state": "absent"}, check=True),
            p({"name": ["alpha", "beta-tool"], "state": "absent"}),
            *p3({"requirements": "/tmp/req.txt"})[:3],
            # Ansible does not look into the file; we do.
            p({"requirements": "/tmp/req.txt"}, check=True, ours={"changed": False}),
            p({"requirements": "nested.txt", "chdir": "/tmp"}),
            p({"requirements": "/tmp/req.txt", "state": "latest"}),
            p({"requirements": "/tmp/req.txt", "name": "delta"}),
            p({"requirements": "/tmp/req.txt", "state": "absent"}),
            p({"requirements": "/tmp/req.txt", "state": "absent"}),
            p({"requirements": "/tmp/nosuch.txt"}),
            p({"name": "delta[extra]"}),
            p({"name": "delta[extra]"}),
            p({"name": "delta[extra]>1"}),
            p({"name": "nosuch"}, check=True),
            p({"name": "nosuch"}),
            p({"name": "alpha", "version": "7"}),
            p({"name": "delta", "extra_args": "--no-deps --quiet"}),
            p({"name": "delta", "extra_args": "--no-deps --quiet", "state": "forcereinstall"}),
            p({"name": "file:///tmp/wheels/alpha-2.0-py3-none-any.whl"}),
            p({"name": "file:///tmp/wheels/alpha-2.0-py3-none-any.whl"}),
            p({"name": "file:///tmp/wheels/alpha-2.0-py3-none-any.whl"}, check=True),
            p({"name": "/tmp/wheels/alpha-2.0-py3-none-any.whl"}),
            p({"name": "alpha; python_version < '3'"}),
            p({"name": "alpha>=1; python_version > '3'"}),
            p({"name": "alpha", "umask": "0022"}),
            p({"name": "alpha", "umask": "xyz"}),
            p({"name": "alpha", "chdir": "/nosuch"}),
            p({"name": ["alpha", "delta"], "version": "1.0"}),
            p({"name": "alpha==1.0", "version": "1.0"}),
            p({"name": "alpha", "version": "abc def"}),
            p({"name": "alpha", "virtualenv": "/tmp/nope", "virtualenv_command": "nosuch-virtualenv"}),
            p({"name": "alpha", "virtualenv": "/tmp/nope", "virtualenv_python": "python3"}),
            p({"name": "alpha", "break_system_packages": True}),
            p({"name": ""}),
            p({"name": []}),
            p({}),
            p({}, check=True),
            p({"virtualenv": "/tmp/empty"}, check=True),
            p({"virtualenv": "/tmp/empty"}),
            p({"virtualenv": "/tmp/empty"}),
            p({"virtualenv": "/tmp/empty", "name": "alpha", "executable": "pip3"}),
            p({"virtualenv": "/tmp/site", "virtualenv_site_packages": True, "name": "PyYAML"}),
            p({"virtualenv": "relative", "chdir": "/tmp", "name": "alpha", "version": "1.0"}),
            p({"virtualenv": "relative", "chdir": "/tmp", "name": "alpha", "version": "1.0"}),
        ],
    },
    {
        "name": "the system's own",
        "module": "ansible.builtin.pip",
        # What pip says about files it looks through differs from what we find without it.
        "ignore": ["stdout"],
        "prepare": WHEELS,
        "steps": [s(args, environment=LOCAL, **more) for args, more in [
            ({"name": "alpha"}, {"check": True}),
            ({"name": "alpha"}, {}),
            ({"name": "PyYAML"}, {}),
            ({"name": "pyyaml", "version": "6.0"}, {"check": True}),
            ({"name": "argcomplete"}, {}),
            ({"name": "alpha", "break_system_packages": True}, {}),
            ({"name": "alpha", "break_system_packages": True}, {}),
            ({"name": "alpha", "executable": "pip3", "break_system_packages": True}, {}),
            ({"name": "alpha", "executable": "/usr/bin/pip3"}, {}),
            ({"name": "alpha", "executable": "nosuch-pip"}, {}),
            ({"name": "alpha", "executable": "/nosuch/pip"}, {}),
            ({"name": "alpha", "state": "absent"}, {}),
            ({"name": "alpha", "state": "absent", "break_system_packages": True}, {}),
            ({"name": "alpha", "state": "absent", "break_system_packages": True}, {}),
            ({"virtualenv_python": "python3", "name": "alpha"}, {}),
            ({}, {}),
            ({"name": "alpha", "state": "gone"}, {}),
            ({"name": "alpha", "state": "latest", "version": "1", "requirements": "/x"}, {}),
        ]],
    },
]
CASES["pip"] += [
    {
        "name": "editable",
        "module": "ansible.builtin.pip",
        "prepare": WHEELS,
        "ignore": ["stdout"],
        "steps": [
            p({"name": "wheel", "extra_args": "--version"}),
            p({"name": "/tmp/src/gamma", "editable": True, "virtualenv_site_packages": True}, check=True),
            p({"name": "/tmp/src/gamma", "editable": True, "extra_args": "--no-build-isolation"}),
            p({"name": "/tmp/src/gamma", "editable": True, "extra_args": "--no-build-isolation"}),
            p({"name": "gamma", "editable": True}),
            p({"name": "gamma"}),
            p({"name": ".", "chdir": "/tmp/src/gamma", "extra_args": "--no-build-isolation"}),
            p({"name": "/tmp/src/gamma", "editable": True, "state": "forcereinstall", "extra_args": "--no-build-isolation"}),
            p({"name": "gamma", "state": "absent"}),
            p({"name": ["/tmp/src/gamma", "alpha"], "editable": True, "extra_args": "--no-build-isolation"}),
        ],
    },
]
