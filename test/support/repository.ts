// Where the repository is, seen from the compiled tests in build/test/support/.
import { fileURLToPath } from "node:url";

/** The root folder, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));
