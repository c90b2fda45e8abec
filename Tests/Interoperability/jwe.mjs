// Sealed cards with nothing but node's own crypto: `node jwe.mjs seal PUBLIC.jwk ALG CONTENT`,
// `node jwe.mjs open PRIVATE.jwk TOKEN`.
import crypto from "node:crypto";
import fs from "node:fs";

const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
const bytes = (text) => Buffer.from(text, "base64url");
const [action, keyFile, ...args] = process.argv.slice(2);
const jwk = JSON.parse(fs.readFileSync(keyFile, "utf8"));
const oaep = (key) => ({ key, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" });

const number = (value) => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};

function concatKDF(secret, algorithm, header) {
  const field = (data) => Buffer.concat([number(data.length), data]);
  const info = [Buffer.from(algorithm), bytes(header.apu ?? ""), bytes(header.apv ?? "")].map(field);
  return crypto.createHash("sha256").update(Buffer.concat([number(1), secret, ...info, number(256)])).digest();
}

const iv = Buffer.alloc(8, 0xa6);

function wrap(key, kek) {
  const cipher = crypto.createCipheriv("id-aes256-wrap", kek, iv);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

function unwrap(key, kek) {
  const cipher = crypto.createDecipheriv("id-aes256-wrap", kek, iv);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

function seal(alg, content) {
  const key = crypto.createPublicKey({ key: jwk, format: "jwk" });
  const header = { alg, enc: "A256GCM", kid: jwk.kid };
  let contentKey = crypto.randomBytes(32);
  let encryptedKey = Buffer.alloc(0);
  if (alg === "RSA-OAEP-256") {
    encryptedKey = crypto.publicEncrypt(oaep(key), contentKey);
  } else {
    const ephemeral =
      jwk.kty === "EC" ? crypto.generateKeyPairSync("ec", { namedCurve: "P-256" }) : crypto.generateKeyPairSync("x25519");
    header.epk = ephemeral.publicKey.export({ format: "jwk" });
    const secret = crypto.diffieHellman({ privateKey: ephemeral.privateKey, publicKey: key });
    if (alg === "ECDH-ES") contentKey = concatKDF(secret, "A256GCM", header);
    else encryptedKey = wrap(contentKey, concatKDF(secret, alg, header));
  }
  const protectedHeader = b64(JSON.stringify(header));
  const nonce = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv("aes-256-gcm", contentKey, nonce).setAAD(Buffer.from(protectedHeader));
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()]);
  return [protectedHeader, ...[encryptedKey, nonce, ciphertext, cipher.getAuthTag()].map(b64)].join(".");
}

function open(token) {
  const [protectedHeader, ...rest] = token.split(".");
  const [encryptedKey, nonce, ciphertext, tag] = rest.map(bytes);
  const header = JSON.parse(bytes(protectedHeader));
  const key = crypto.createPrivateKey({ key: jwk, format: "jwk" });
  let contentKey;
  if (header.alg === "RSA-OAEP-256") {
    contentKey = crypto.privateDecrypt(oaep(key), encryptedKey);
  } else {
    const publicKey = crypto.createPublicKey({ key: header.epk, format: "jwk" });
    const secret = crypto.diffieHellman({ privateKey: key, publicKey });
    contentKey =
      header.alg === "ECDH-ES"
        ? concatKDF(secret, "A256GCM", header)
        : unwrap(encryptedKey, concatKDF(secret, header.alg, header));
  }
  const cipher = crypto.createDecipheriv("aes-256-gcm", contentKey, nonce).setAAD(Buffer.from(protectedHeader)).setAuthTag(tag);
  return Buffer.concat([cipher.update(ciphertext), cipher.final()]).toString();
}

console.log(action === "seal" ? seal(...args) : open(...args));
