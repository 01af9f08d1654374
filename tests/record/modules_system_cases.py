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
                *thrice({"name": "bob", "password_expire_account_disable": 30}),
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
}
