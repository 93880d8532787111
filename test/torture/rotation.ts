// F14: certificates, CAs and lists are renewed while clients are connected over TLS and messages flow. None loses its connection or a
// message; who connects afterwards is judged by, and is shown, what is in force then; files that are broken change nothing and are told of.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { Certificates } from "../transport/certificates.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { pause } from "./crowd.ts";
import { countText, type Progress, type Round, roundText, secondsText } from "./report.ts";
import { TlsDevice } from "./tls-device.ts";
import type { Version } from "./wire.ts";

export interface RotationOptions {
  readonly name: string;
  readonly rounds: number;
  readonly folder: string;
  readonly clients: number;
  readonly progress: Progress;
}

const TOPIC = "rotation";
const AT_ONCE = 20;
const BEAT_MS = 250;
/** How long anything may take. The times themselves are told and not judged. */
const LIMIT_MS = 60_000;
const LOOK_MS = 20;
const FAILED_RELOAD = /Check (certfile|keyfile|cafile|crlfile)[\s\S]*Nothing has been reloaded/;
/** How long the certificate lives that ends during its connection. */
const SHORT_LIFE_MS = 4000;

export async function rotations({ name, rounds, clients, folder, progress }: RotationOptions): Promise<Round[]> {
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const rotation = await Rotation.begin(join(folder, `${name}-${number}`), clients);
    try {
      const round = await rotation.run();
      found.push(round);
      progress(roundText(name, number + 1, rounds, round));
    } finally {
      await rotation.end();
    }
  }
  return found;
}

class Rotation {
  readonly #broker: BrokerProcess;
  readonly #files: Certificates;
  readonly #devices: TlsDevice[] = [];
  readonly #faults: string[] = [];
  readonly #beat: NodeJS.Timeout;
  #publisher: TlsDevice | undefined;
  #sent = 0;
  #visitors = 0;

  private constructor(broker: BrokerProcess, files: Certificates) {
    this.#broker = broker;
    this.#files = files;
    this.#beat = setInterval(() => this.#publisher?.publish(TOPIC, ++this.#sent), BEAT_MS);
  }

  static async begin(folder: string, clients: number): Promise<Rotation> {
    mkdirSync(folder, { recursive: true });
    const files = new Certificates(folder);
    for (const name of ["first", "second", "third"]) files.make(name, { usage: "serverAuth", names: "DNS:localhost" });
    for (const name of ["device", "revoked"]) files.make(name);
    files.make("stranger-device", { ca: "stranger" });
    files.revoke("crl.pem", []);
    files.revoke("stranger-crl.pem", [], "stranger");
    const rotation = new Rotation(await BrokerProcess.on(overTls(files), join(folder, "broker")), files);
    rotation.#serve("first");
    rotation.#trust("cas.pem", "crl.pem");
    await rotation.#broker.start();
    await rotation.#gather(clients);
    return rotation;
  }

  async end(): Promise<void> {
    clearInterval(this.#beat);
    for (const device of this.#devices) device.leave();
    this.#publisher?.leave();
    await this.#broker.stop();
  }

  async run(): Promise<Round> {
    const figures: Record<string, number | string> = { clients: this.#devices.length };
    figures["by SIGHUP after"] = secondsText(await this.#renew("second", true));
    figures["by itself after"] = secondsText(await this.#renew("third", false));
    await this.#breakFiles();
    figures["other CA after"] = secondsText(await this.#swapAuthorities());
    figures["revoked after"] = secondsText(await this.#revoke());
    await this.#outlive();
    await this.#settle();
    const ended = this.#devices.filter(({ end }) => end !== null);
    for (const reason of new Set(ended.map(({ end }) => end)))
      this.#faults.push(`${ended.filter(({ end }) => end === reason).length} connections ended: ${reason}`);
    const wrong = this.#devices.reduce((sum, device) => sum + device.wrong, 0);
    if (wrong > 0) this.#faults.push(`${countText(wrong)} messages lost, doubled or out of order`);
    const delivered = this.#devices.reduce((sum, { last }) => sum + last, 0);
    return { figures: { ...figures, sent: this.#sent, delivered, dropped: ended.length }, faults: this.#faults };
  }

  /** Connects all clients, in turn with both versions of TLS and of MQTT. */
  async #gather(clients: number): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < clients) {
        const number = next++;
        const device = await this.#visit("device", number % 4 < 2 ? "TLSv1.2" : "TLSv1.3", number % 2 === 0 ? 4 : 5);
        await device.subscribe(TOPIC);
        this.#devices.push(device);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.#publisher = await this.#visit("device");
  }

  /** Connects as the holder of `certificate`. */
  #visit(certificate: string, tls: "TLSv1.2" | "TLSv1.3" = "TLSv1.3", version: Version = 5): Promise<TlsDevice> {
    const own: ConnectionOptions = {
      cert: readFileSync(this.#files.path(`${certificate}.pem`)),
      key: readFileSync(this.#files.path(`${certificate}.key`)),
      minVersion: tls,
      maxVersion: tls,
    };
    const clientId = `visitor-${++this.#visitors}`;
    return TlsDevice.connect({ port: this.#broker.address.port, clientId, version, tls: own });
  }

  /** The certificate that one who connects now is shown; null when it is refused. */
  async #shownTo(certificate: string): Promise<string | null> {
    try {
      const visitor = await this.#visit(certificate);
      visitor.leave();
      return visitor.serverName;
    } catch {
      return null;
    }
  }

  /** Waits until who connects with `certificate` is shown `expected`, or is refused: null. Returns how long that took in milliseconds. */
  async #until(certificate: string, expected: string | null): Promise<number> {
    const startedMs = performance.now();
    for (;;) {
      const shown = await this.#shownTo(certificate);
      const tookMs = performance.now() - startedMs;
      if (shown === expected) return tookMs;
      if (tookMs > LIMIT_MS) {
        const words = (answer: string | null): string => (answer === null ? "refused" : `shown ${answer}`);
        this.#faults.push(`the holder of ${certificate} is ${words(shown)} and should be ${words(expected)}`);
        return tookMs;
      }
      await pause(LOOK_MS);
    }
  }

  #serve(name: string): void {
    copyFileSync(this.#files.path(`${name}.key`), this.#files.path("live.key"));
    copyFileSync(this.#files.path(`${name}-chain.pem`), this.#files.path("live.pem"));
  }

  #trust(authorities: string, list: string): void {
    copyFileSync(this.#files.path(authorities), this.#files.path("live-cas.pem"));
    copyFileSync(this.#files.path(list), this.#files.path("live-crl.pem"));
  }

  async #renew(name: string, isTold: boolean): Promise<number> {
    this.#serve(name);
    if (isTold) this.#broker.signal("SIGHUP");
    return this.#until("device", name);
  }

  /** Each file in turn is cut in half or is none at all. */
  async #breakFiles(): Promise<void> {
    for (const file of ["live.pem", "live.key", "live-cas.pem", "live-crl.pem"]) {
      const before = this.#files.read(file);
      for (const broken of [before.slice(0, before.length / 2), "", "no certificate"]) {
        writeFileSync(this.#files.path(file), broken);
        const told = this.#broker.errors.length;
        this.#broker.signal("SIGHUP");
        await this.#tells(told, `${file} is broken (${broken.length} bytes)`);
        if ((await this.#shownTo("device")) !== "third") this.#faults.push(`${file} was broken, and that took effect`);
      }
      writeFileSync(this.#files.path(file), before);
    }
  }

  /** Waits for a line of the log behind the first `from` characters that says that a reload failed. */
  async #tells(from: number, what: string): Promise<void> {
    const startedMs = performance.now();
    while (!FAILED_RELOAD.test(this.#broker.errors.slice(from))) {
      if (performance.now() - startedMs > LIMIT_MS) {
        this.#faults.push(`${what}, and the log does not say so: ${this.#broker.errors.slice(from).slice(0, 2000)}`);
        return;
      }
      await pause(LOOK_MS);
    }
  }

  /** The clients' CA is replaced by another and comes back. */
  async #swapAuthorities(): Promise<number> {
    await this.#until("stranger-device", null);
    this.#trust("stranger.pem", "stranger-crl.pem");
    this.#broker.signal("SIGHUP");
    const tookMs = await this.#until("stranger-device", "third");
    await this.#until("device", null);
    this.#trust("cas.pem", "crl.pem");
    this.#broker.signal("SIGHUP");
    await this.#until("device", "third");
    return tookMs;
  }

  /** A client's certificate is revoked while it is connected. */
  async #revoke(): Promise<number> {
    await this.#join("revoked");
    this.#files.revoke("crl.pem", ["revoked"]);
    this.#trust("cas.pem", "crl.pem");
    this.#broker.signal("SIGHUP");
    return this.#until("revoked", null);
  }

  /** A client's certificate ends while it is connected. */
  async #outlive(): Promise<void> {
    const end = new Date(Date.now() + SHORT_LIFE_MS);
    this.#files.make("short", { until: `${end.toISOString().replaceAll(/[-:T]|\.\d+/g, "")}` });
    await this.#join("short");
    await this.#until("short", null);
    if (Date.now() < end.getTime() - 1000) this.#faults.push("a certificate was refused before its end");
  }

  /** One more client that is to keep its connection; messages count for it from the first on. */
  async #join(certificate: string): Promise<void> {
    const device = await this.#visit(certificate);
    await device.subscribe(TOPIC, true);
    this.#devices.push(device);
  }

  /** One message more, and all messages have come. */
  async #settle(): Promise<void> {
    clearInterval(this.#beat);
    this.#publisher?.publish(TOPIC, ++this.#sent);
    const startedMs = performance.now();
    const isSettled = (): boolean =>
      this.#publisher?.acknowledged === this.#sent && this.#devices.every(({ last }) => last === this.#sent);
    while (!isSettled()) {
      if (performance.now() - startedMs > LIMIT_MS) {
        this.#faults.push(`${this.#devices.filter(({ last }) => last !== this.#sent).length} clients miss messages`);
        return;
      }
      await pause(LOOK_MS);
    }
  }
}

/** Our broker with one listener that asks for certificates. */
function overTls(files: Certificates): BrokerKind {
  return {
    name: "lacewing over TLS",
    start({ host, port }, folder, env) {
      const file = join(folder, "mosquitto.conf");
      const lines = [
        "log_dest stderr",
        "connection_messages false",
        "allow_anonymous true",
        `listener ${port} ${host}`,
        `certfile ${files.path("live.pem")}`,
        `keyfile ${files.path("live.key")}`,
        `cafile ${files.path("live-cas.pem")}`,
        `crlfile ${files.path("live-crl.pem")}`,
        "require_certificate true",
      ];
      writeFileSync(file, `${lines.join("\n")}\n`);
      return new Program(process.execPath, [join(ROOT, "dist/cli/main.js"), "-c", file], { env });
    },
  };
}
