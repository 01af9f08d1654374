"""What is below a directory, as the recordings write it."""

import base64
import os
import stat


def tree(root):
    """What is below a directory."""
    found = {}
    for folder, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(folder, name)
            rel = os.path.relpath(path, root)
            st = os.lstat(path)
            entry = {"mode": "%04o" % stat.S_IMODE(st.st_mode)}
            if st.st_uid or st.st_gid:
                entry["owner"] = [st.st_uid, st.st_gid]
            if stat.S_ISLNK(st.st_mode):
                entry = {"link": os.readlink(path).replace(str(root), "@D@")}
            elif stat.S_ISDIR(st.st_mode):
                entry["dir"] = True
            elif stat.S_ISREG(st.st_mode):
                content = open(path, "rb").read()
                try:
                    entry["text"] = content.decode().replace(str(root), "@D@")
                except UnicodeDecodeError:
                    entry["base64"] = base64.b64encode(content).decode()
            else:
                entry["special"] = True
            found[rel] = entry
    return dict(sorted(found.items()))
