// Our command-line clients at our broker: one version, as all are tried with each of the two at mosquitto's.
import { startBrokerProcess } from "./broker-process.ts";
import { lacewingTools } from "./tools.ts";
import { declareToolsSuite } from "./tools-suite.ts";

declareToolsSuite(lacewingTools, [], () => startBrokerProcess(), ["5"]);
