// `--tls-keylog` of the broker: the secrets of each connection by TLS, as Wireshark reads them, in a file for its owner alone.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");

test("the secrets of a connection are those that its client has", async (context) => {
  const folder = temporaryFolder(context);
  const [port = 0] = await freePorts(1);
  const file = join(folder, "mosquitto.conf");
  const certificate = [`certfile ${join(FIXTURES, "server.pem")}`, `keyfile ${join(FIXTURES, "leaf.key")}`];
  writeFileSync(file, [`listener ${port} 127.0.0.1`, "allow_anonymous true", ...certificate].join("\n"));
  const keyLog = join(folder, "secrets");
  const broker = new Program(process.execPath, [MAIN, "-c", file, "--tls-keylog", keyLog]);
  context.after(() => broker.stop());
  await broker.printed(/running: /);
  assert.match(
    broker.errors,
    /Warning: the secrets of TLS are written to .*secrets: who has it can read all connections\./,
  );

  const secrets: string[] = [];
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.on("keylog", (line: Buffer) => secrets.push(line.toString()));
  await once(socket, "session");
  socket.destroy();
  const written = readFileSync(keyLog, "utf8");
  assert.match(written, /^(\w+ [0-9a-f]{64} [0-9a-f]+\n)+$/);
  for (const secret of secrets.filter((line) => /TRAFFIC_SECRET_0/.test(line))) assert.ok(written.includes(secret));
  assert.equal(statSync(keyLog).mode & 0o777, 0o600);

  const failing = new Program(process.execPath, [MAIN, "-c", file, "--tls-keylog", folder]);
  const { code, errors } = await failing.end();
  assert.equal(code, 1);
  assert.match(errors, /Error: --tls-keylog .* cannot be written: EISDIR/);
});
