// Certificates for tests, made by openssl when they run: a root, a CA below it, a CA that nobody trusts, and what they sign.
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How a certificate differs from a good one of a client. */
export interface CertificateKind {
  readonly subject?: string;
  readonly ca?: "signing" | "root" | "stranger";
  /** As openssl takes them: YYYYMMDDhhmmssZ. */
  readonly from?: string;
  readonly until?: string;
  readonly names?: string;
  readonly usage?: "clientAuth" | "serverAuth";
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A folder of certificates. */
export class Certificates {
  readonly folder: string;

  /** Makes the CAs in `folder`. */
  constructor(folder: string) {
    this.folder = folder;
    for (const ca of ["root", "stranger", "signing"] as const) {
      mkdirSync(join(folder, ca));
      writeFileSync(this.path(`${ca}/index.txt`), "");
      writeFileSync(this.path(`${ca}/index.txt.attr`), "unique_subject = no\n");
      writeFileSync(this.path(`${ca}/serial`), "1000\n");
      writeFileSync(this.path(`${ca}/crlnumber`), "1000\n");
      writeFileSync(this.path(`${ca}/ca.cnf`), configuration(join(folder, ca)));
    }
    for (const ca of ["root", "stranger"] as const) {
      const paths = ["-keyout", this.path(`${ca}.key`), "-out", this.path(`${ca}.pem`)];
      const extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
      this.#openssl("req", "-x509", ...CURVE, ...paths, "-days", "100", "-subj", `/O=Tests/CN=${ca} CA`, ...extensions);
    }
    this.#sign("signing", { subject: "/O=Tests/CN=signing CA", ca: "root" }, "ca_extensions");
    writeFileSync(this.path("cas.pem"), this.read("root.pem") + this.read("signing.pem"));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** Makes NAME.pem and NAME.key; NAME-chain.pem has the CA's behind it. */
  make(name: string, kind: CertificateKind = {}): void {
    this.#sign(name, kind, "leaf_extensions");
    writeFileSync(this.path(`${name}-chain.pem`), this.read(`${name}.pem`) + this.read(`${kind.ca ?? "signing"}.pem`));
  }

  /** Signs itself. */
  makeSelfSigned(name: string): void {
    const paths = ["-keyout", this.path(`${name}.key`), "-out", this.path(`${name}.pem`)];
    this.#openssl("req", "-x509", ...CURVE, ...paths, "-days", "10", "-subj", `/CN=${name}`);
  }

  #sign(name: string, kind: CertificateKind, extensions: string): void {
    const { subject = `/O=Tests/CN=${name}`, ca = "signing", from, until, names, usage = "clientAuth" } = kind;
    const csr = this.path(`${name}.csr`);
    this.#openssl("req", "-new", "-utf8", ...CURVE, "-keyout", this.path(`${name}.key`), "-out", csr, "-subj", subject);
    const file = this.path(`${name}.cnf`);
    writeFileSync(file, configuration(join(this.folder, ca)));
    const san = names === undefined ? "" : `subjectAltName=${names}\n`;
    appendFileSync(file, `[leaf_extensions]\nextendedKeyUsage=${usage}\n${san}`);
    const dates = [
      ...(from === undefined ? [] : ["-startdate", from]),
      ...(until === undefined ? [] : ["-enddate", until]),
    ];
    const keys = ["-cert", this.path(`${ca}.pem`), "-keyfile", this.path(`${ca}.key`)];
    const out = ["-in", csr, "-out", this.path(`${name}.pem`)];
    this.#openssl(
      "ca",
      "-batch",
      "-notext",
      "-utf8",
      "-config",
      file,
      ...keys,
      ...out,
      ...dates,
      "-extensions",
      extensions,
    );
  }

  /** Takes certificates back and writes the CA's list to `file`; with `days` 0 it is in force no more. */
  revoke(
    file: string,
    names: readonly string[],
    ca: "signing" | "root" | "stranger" = "signing",
    days: number = 30,
  ): void {
    const config = [
      "-config",
      this.path(`${ca}/ca.cnf`),
      "-cert",
      this.path(`${ca}.pem`),
      "-keyfile",
      this.path(`${ca}.key`),
    ];
    for (const name of names) this.#openssl("ca", ...config, "-revoke", this.path(`${name}.pem`));
    const life =
      days > 0 ? ["-crldays", `${days}`] : ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z"];
    this.#openssl("ca", ...config, "-gencrl", ...life, "-out", this.path(file));
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  }
}

function configuration(folder: string): string {
  return `[ca]
default_ca=this
[this]
database="${folder}/index.txt"
serial="${folder}/serial"
crlnumber="${folder}/crlnumber"
new_certs_dir="${folder}"
default_md=sha256
default_days=100
policy=any
unique_subject=no
copy_extensions=none
[any]
countryName=optional
organizationName=optional
organizationalUnitName=optional
commonName=optional
[ca_extensions]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
`;
}
