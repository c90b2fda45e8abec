#!/usr/bin/env python3
"""Makes Tests/Interoperability/sealed-cards.json: tokens of jwcrypto and joserfc (PyPI) and of node's own crypto, with the keys
that they are for. The tests open them with our code. To make them anew:

    python3 -m venv /tmp/v && /tmp/v/bin/pip install jwcrypto joserfc
    /tmp/v/bin/python Tests/Interoperability/seal.py > Tests/Interoperability/sealed-cards.json
"""

import json
import os
import subprocess

from joserfc import jwe as joserfc_jwe
from joserfc.jwk import ECKey, OKPKey, RSAKey
from jwcrypto import jwe, jwk

HERE = os.path.dirname(os.path.abspath(__file__))
PAYMENT = "123e4567-e89b-12d3-a456-426614174000"
CARD = {"number": "4111111111111111", "cvv": "123", "expiry_month": 12, "expiry_year": 2030}
CONTENT = json.dumps({"card": CARD, "payment_id": PAYMENT})


def main():
    keys = {
        "P-256": jwk.JWK.generate(kty="EC", crv="P-256", kid="p256"),
        "X25519": jwk.JWK.generate(kty="OKP", crv="X25519", kid="x25519"),
        "RSA": jwk.JWK.generate(kty="RSA", size=2048, kid="rsa"),
    }
    curves = [(kind, alg) for kind in ("P-256", "X25519") for alg in ("ECDH-ES", "ECDH-ES+A256KW")]
    tokens = []
    for kind, alg in curves + [("RSA", "RSA-OAEP-256")]:
        key = keys[kind]
        header = {"alg": alg, "enc": "A256GCM", "kid": json.loads(key.export_public())["kid"]}
        token = jwe.JWE(CONTENT.encode(), protected=json.dumps(header), recipient=key)
        tokens.append(("jwcrypto", kind, alg, token.serialize(compact=True)))
        if alg.startswith("ECDH"):
            extended = dict(header, apu="QWxpY2U", apv="Qm9i")
            token = jwe.JWE(CONTENT.encode(), protected=json.dumps(extended), recipient=key)
            tokens.append(("jwcrypto, with apu and apv", kind, alg, token.serialize(compact=True)))
        public = json.loads(key.export_public())
        imported = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}[public["kty"]].import_key(public)
        registry = joserfc_jwe.JWERegistry(algorithms=[alg, "A256GCM"])
        tokens.append(
            ("joserfc", kind, alg, joserfc_jwe.encrypt_compact(header, CONTENT, imported, registry=registry))
        )
        made = subprocess.run(
            ["node", os.path.join(HERE, "jwe.mjs"), "seal", "/dev/stdin", alg, CONTENT],
            input=json.dumps(public), capture_output=True, text=True, check=True,
        )
        tokens.append(("node", kind, alg, made.stdout.strip()))
    document = {
        "keys": [json.loads(key.export_private()) for key in keys.values()],
        "payment_id": PAYMENT,
        "tokens": [dict(zip(("maker", "key", "alg", "token"), token)) for token in tokens],
    }
    print(json.dumps(document, indent=1, sort_keys=True))


main()
