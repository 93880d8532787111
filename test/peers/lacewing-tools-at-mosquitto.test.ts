// Our command-line clients at Eclipse mosquitto: they hear and say there what they do at our broker.
import { startMosquitto } from "./mosquitto-process.ts";
import { lacewingTools } from "./tools.ts";
import { declareToolsSuite } from "./tools-suite.ts";

declareToolsSuite(lacewingTools, ["mosquitto"], () => startMosquitto());
