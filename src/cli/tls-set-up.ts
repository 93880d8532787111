/** What the options of TLS mean for Node's TLS: files are read, words understood, and what cannot be is said. */
import { appendFileSync } from "node:fs";
import { access, constants, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Text } from "../explain/index.ts";
import type { TlsOptions } from "../transport/index.ts";
import type { TlsArguments } from "./options/tls-options.ts";
import type { ToolIo } from "./output.ts";
import { askOnTerminal } from "./password-prompt.ts";
import { SetUpError } from "./set-up-error.ts";
import { systemCertificates } from "./system-certificates.ts";

/** mosquitto's line for what is wrong with files and ciphers. */
const TLS_FAILED = "Unable to connect (A TLS error occurred.).";

/** What TLS 1.3 is done with unless --ciphers names some of it: they are only for older versions otherwise, as in mosquitto. */
const TLS_1_3_CIPHERS = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";

/**
 * The options for a TlsDialer.
 * @throws SetUpError with mosquitto's line
 */
export async function tlsOptionsOf(args: TlsArguments, io: ToolIo): Promise<TlsOptions> {
  const { certFile, keyFile, ciphers, alpn, isInsecure, psk, keyLogFile } = args;
  for (const file of [args.caFile, certFile, keyFile]) if (file !== undefined) await checkReadable(file);
  checkKeyForm(args);
  const isThree = isTls13(args);
  const ca = psk === null ? await trusted(args, io) : undefined;
  const passphrase = keyFile === undefined ? undefined : await passphraseOf(keyFile);
  return {
    ...(ca !== undefined && { ca }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
    ...(passphrase !== undefined && { passphrase }),
    ...(ciphers !== undefined && {
      ciphers: psk !== null || ciphers.includes("TLS_") ? ciphers : `${ciphers}:${TLS_1_3_CIPHERS}`,
    }),
    ...(alpn !== undefined && { alpnProtocols: [alpn] }),
    ...(psk !== null && { psk: { identity: psk.identity, key: keyOf(psk.key, isThree) } }),
    ...(keyLogFile !== undefined && { onKeyLog: keyLogTo(keyLogFile) }),
    insecure: isInsecure,
    minimumVersion: isThree ? "TLSv1.3" : "TLSv1.2",
  };
}

async function checkReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw new SetUpError("Error: Problem setting TLS options: File not found.", {
      en: `${sentence(error)}.`,
      zh: `文件 ${file} 读不了（${codeOf(error)}）。`,
    });
  }
}

function checkKeyForm({ engine, keyForm = "pem" }: TlsArguments): void {
  const advice = (option: string): Text => ({
    en: `Node.js reads keys from PEM files only, and OpenSSL 3 gave engines up: leave out ${option}.`,
    zh: `Node.js 只能从 PEM 文件读取密钥，OpenSSL 3 也已放弃 engine：请去掉 ${option}。`,
  });
  if (engine !== undefined) {
    const line = `Error: Problem setting TLS engine, is ${engine} a valid engine?`;
    throw new SetUpError(line, advice("--tls-engine"));
  }
  if (keyForm === "pem") return;
  const line = "Error: Problem setting key form, it must be one of 'pem' or 'engine'.";
  throw new SetUpError(line, advice("--keyform"));
}

function isTls13({ version }: TlsArguments): boolean {
  if (version === "tlsv1.3") return true;
  if (version === "tlsv1.2") return false;
  const isOld = /^tlsv1(\.[01])?$/.test(version);
  throw new SetUpError("Error: Problem setting TLS options, check the options are valid.", {
    en: `--tls-version is '${version}'; allowed are tlsv1.2 and tlsv1.3${isOld ? ", as older ones are broken" : ""}.`,
    zh: `--tls-version 是 '${version}'；只能是 tlsv1.2 或 tlsv1.3${isOld ? "，更旧的版本已不安全" : ""}。`,
  });
}

function keyOf(text: string, isThree: boolean): Uint8Array {
  const fail = (advice: Text): never => {
    throw new SetUpError("Error: Problem setting TLS-PSK options.", advice);
  };
  if (isThree)
    fail({
      en: "Node.js does PSK with TLS 1.2 only: leave out --tls-version.",
      zh: "Node.js 的 PSK 只支持 TLS 1.2：请去掉 --tls-version。",
    });
  if (/^([0-9a-fA-F]{2})+$/.test(text)) return Buffer.from(text, "hex");
  return fail({
    en: "The key of --psk is an even number of hexadecimal digits, without 0x.",
    zh: "--psk 的密钥必须是偶数个十六进制数字，不带 0x。",
  });
}

/** All certificates that are trusted; undefined leaves it to Node. */
async function trusted(
  { caFile, caPath, usesOsCertificates }: TlsArguments,
  io: ToolIo,
): Promise<string[] | undefined> {
  const own = [
    ...(caFile === undefined ? [] : [await certificatesOf(caFile)]),
    ...(caPath === undefined ? [] : await certificatesBelow(caPath)),
  ];
  if (!usesOsCertificates) return own;
  const system = await systemCertificates(io.env ?? {});
  return system === null && own.length === 0 ? undefined : [...own, ...(system ?? [])];
}

async function certificatesOf(file: string): Promise<string> {
  const text = await readFile(file, "utf8");
  if (isCertificate(text)) return text;
  throw new SetUpError(TLS_FAILED, {
    en: `${file} has no certificate as PEM, which begins with -----BEGIN CERTIFICATE-----.`,
    zh: `${file} 中没有 PEM 证书（应以 -----BEGIN CERTIFICATE----- 开头）。`,
  });
}

/** Files that `openssl rehash` has made links to, and those that it would. */
const CERTIFICATE_FILE = /\.(crt|pem|cer|\d+)$/;

async function certificatesBelow(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => CERTIFICATE_FILE.test(name));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
    const certificates = [...new Set(texts.filter(isCertificate))];
    if (certificates.length > 0) return certificates;
  } catch (error) {
    throw new SetUpError(TLS_FAILED, {
      en: `The certificates of --capath cannot be read: ${sentence(error)}.`,
      zh: `--capath 的证书读不了（${codeOf(error)}）。`,
    });
  }
  throw new SetUpError(TLS_FAILED, {
    en: `${folder} has no files of certificates as PEM with names that end in .crt or .pem.`,
    zh: `${folder} 中没有以 .crt 或 .pem 结尾的 PEM 证书文件。`,
  });
}

function isCertificate(text: string): boolean {
  return /^-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/m.test(text);
}

async function passphraseOf(keyFile: string): Promise<string | undefined> {
  const text = await readFile(keyFile, "utf8");
  if (!/BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(text)) return undefined;
  const answer = await askOnTerminal(`Enter pass phrase for ${keyFile}: `);
  if (answer !== null) return answer;
  const unlock = `openssl pkey -in ${keyFile} -out NEW-FILE`;
  throw new SetUpError(TLS_FAILED, {
    en: `The key in ${keyFile} is locked, and there is no terminal to ask for its pass phrase. To unlock it: ${unlock}`,
    zh: `${keyFile} 中的密钥有口令保护，而当前没有终端可以输入口令。去掉口令：${unlock}`,
  });
}

function keyLogTo(file: string): (line: Uint8Array) => void {
  const append = (line: Uint8Array | string): void => {
    // Who has the secrets can read the connection.
    appendFileSync(file, line, { mode: 0o600 });
  };
  try {
    append("");
  } catch (error) {
    throw new SetUpError("Error: Problem setting TLS options, check the options are valid.", {
      en: `--tls-keylog: ${sentence(error)}.`,
      zh: `--tls-keylog 的文件写不了（${codeOf(error)}）。`,
    });
  }
  return append;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's name of an error, which needs no translation. */
function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? sentence(error);
}
