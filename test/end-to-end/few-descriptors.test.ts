// Brokers with few file descriptors, mosquitto and ours: what they log when the last is taken is explained, and those who are in stay.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { LogReader } from "../../src/explain/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bytesOfHex } from "../support/hex.ts";
import { findPeer, testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { connectHex } from "./failing-brokers.ts";

/** Descriptors that the broker may have, all its own included. */
const DESCRIPTORS = { mosquitto: 30, lacewing: 250 } as const;
/** mosquitto needs a further one to ask TCP wrappers, and says that they refused when it has none. */
const MEANINGS = { mosquitto: "denied-by-tcpd", lacewing: "open-file-limit" } as const;
const PINGREQ = "c000";

for (const name of ["mosquitto", "lacewing"] as const)
  testWithPeers(
    `${name} without file descriptors: the log is explained`,
    name === "mosquitto" ? [name] : [],
    async (context) => {
      const file = join(temporaryFolder(context), "mosquitto.conf");
      const [port = 0] = await freePorts(1);
      const lines = [
        `listener ${port} 127.0.0.1`,
        "user root",
        "allow_anonymous true",
        "log_dest stderr",
        "log_type all",
      ];
      writeFileSync(file, `${lines.join("\n")}\n`);
      const command = name === "mosquitto" ? (findPeer("mosquitto")?.command ?? []) : [process.execPath, MAIN];
      const broker = new Program("prlimit", [`--nofile=${DESCRIPTORS[name]}`, ...command, "-c", file]);
      context.after(() => broker.stop());
      await broker.printed(/running(?:$|: )/m);
      const sockets: Socket[] = [];
      context.after(() => {
        for (const socket of sockets) socket.destroy();
      });
      const open = (): Socket => {
        const socket = connect(port, "127.0.0.1").on("error", () => {});
        sockets.push(socket);
        return socket;
      };
      const first = open();
      first.write(bytesOfHex(connectHex("a")));
      await once(first, "data");
      for (let i = 0; i < DESCRIPTORS[name]; i++) open();
      await broker.printed(/system socket count has been exceeded|denied access by tcpd/);
      const reader = new LogReader();
      for (const line of broker.errors.split("\n")) reader.add(line);
      const problem = reader.summary().problems.find(({ explanation }) => explanation.key === MEANINGS[name]);
      assert.match(problem?.explanation.causes.map(({ fix }) => fix).join("\n") ?? "", /LimitNOFILE/);
      first.write(bytesOfHex(PINGREQ));
      const [pingresp] = (await once(first, "data")) as [Buffer];
      assert.equal(pingresp.toString("hex"), "d000");
    },
  );
