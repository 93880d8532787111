// `npm run build`: everything that is missing or stale.
import { build, setUp } from "./project.mjs";

await setUp();
await build("dist", "build");
