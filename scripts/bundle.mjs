// Joins compiled modules to one, where one is what users need: the client library for pages.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Bundles of dist/: from the module that gives everything to the file that has it all. */
export const BUNDLES = {
  "client/lacewing-client.browser": { entry: "src/client/browser.ts" },
};

/**
 * Writes all bundles into dist/. What only Node has fails here, with the import that leads to it.
 * @param {string} root folder of the repository
 * @returns {Promise<boolean>} whether it worked; what did not is on standard error
 */
export async function writeBundles(root) {
  // Loaded when it is needed: most commands find everything built.
  const { build } = await import("esbuild");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const bundled = Object.entries(BUNDLES).map(([name, { entry }]) =>
    build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: `dist/${name}.js`,
      bundle: true,
      format: "esm",
      platform: "browser",
      // Browsers of 2022 and newer.
      target: "es2022",
      minify: true,
      sourcemap: "linked",
      banner: { js: `/* Lacewing ${version}, the MQTT client for browsers. MIT licence. */` },
      logLevel: "warning",
    }).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(bundled)).every(Boolean);
}
