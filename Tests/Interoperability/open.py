#!/usr/bin/env python3
"""Opens a sealed card with jwcrypto or joserfc: `open.py jwcrypto|joserfc PRIVATE.jwk TOKEN`."""

import json
import sys

library, key_file, token = sys.argv[1:]
with open(key_file) as file:
    key = json.load(file)
if library == "jwcrypto":
    from jwcrypto import jwe, jwk

    opened = jwe.JWE()
    opened.deserialize(token, jwk.JWK(**key))
    print(opened.payload.decode())
else:
    from joserfc import jwe
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kind = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}[key["kty"]]
    algorithms = ["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256", "A256GCM"]
    registry = jwe.JWERegistry(algorithms=algorithms)
    print(jwe.decrypt_compact(token, kind.import_key(key), registry=registry).plaintext.decode())
