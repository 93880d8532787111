// Where the repository is, seen from the compiled benchmark in build/bench/.
import { fileURLToPath } from "node:url";

/** The root folder, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
