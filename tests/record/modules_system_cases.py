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
                s({"name": "zalpha", "default_release": "nosuch", "state": "latest"}),
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
