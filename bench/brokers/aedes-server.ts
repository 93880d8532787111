// A process that is an aedes broker: node aedes-server.js PORT fair|defaults.
import { createServer } from "node:net";
import { Aedes } from "aedes";

const [port, settings] = process.argv.slice(2);
const isFair = settings === "fair";
// As for mosquitto: no Nagle's delay, no bound of the messages in flight. Its queues have no bound to lift.
const broker = await Aedes.createBroker(isFair ? { maxInflightInbound: 0 } : {});
const server = createServer({ noDelay: isFair }, (socket) => broker.handle(socket));
server.listen(Number(port), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
