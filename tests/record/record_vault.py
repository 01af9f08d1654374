#!/usr/bin/env python
"""Record envelopes of ansible-vault with fixed salts, and its errors.

Run with the Python that has ansible-core 2.19; writes crates/lang/tests/recorded/vault.json.
"""

import json
import pathlib

from ansible.parsing.vault import VaultLib, VaultSecret

OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/lang/tests/recorded"
SECRETS = [("default", "secret one"), ("dev", "zwei ü"), ("prod", "three")]
TEXTS = ["", "exactly sixteen.", "ü: 1\nb: x\n" * 20]


def secrets(names):
    return [(name, VaultSecret(text.encode())) for name, text in SECRETS if name in names]


def main():
    everything = [name for name, _ in SECRETS]
    cases = []
    for name, _ in SECRETS:
        for index, text in enumerate(TEXTS):
            salt = f"salt {index} {name}".ljust(32, "x")
            vault = VaultLib(secrets([name]))
            id = None if name == "default" else name
            envelope = vault.encrypt(text, vault_id=id, salt=salt).decode()
            cases.append({"id": name, "salt": salt, "text": text, "envelope": envelope})
    good = cases[2]["envelope"]
    bad = {
        "not": "hello",
        "short": "$ANSIBLE_VAULT;1.1;AES256\n3030\n",
        "odd": "$ANSIBLE_VAULT;1.1;AES256\n303\n",
        "digits": "$ANSIBLE_VAULT;1.1;AES256\nzz\n",
        "cipher": "$ANSIBLE_VAULT;1.1;AES\n3030\n",
        "empty": "$ANSIBLE_VAULT;1.1;AES256\n",
        "changed": good[:-10] + ("00" if good[-10:-8] != "00" else "11") + good[-8:],
    }
    errors = []
    for what, text in bad.items():
        try:
            VaultLib(secrets(everything)).decrypt(text)
        except Exception as error:
            errors.append({"what": what, "text": text, "error": str(error)})
    for names in ([], ["dev"]):
        try:
            VaultLib(secrets(names)).decrypt(good)
        except Exception as error:
            errors.append({"what": "secrets", "secrets": names, "text": good, "error": str(error)})
    table = {"secrets": SECRETS, "cases": cases, "errors": errors}
    (OUT / "vault.json").write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
