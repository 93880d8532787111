// Joins modules, where few are what users need: the client library for pages is one, a command-line tool starts faster from few.
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The program that package.json names as the command `lacewing`. */
const PROGRAM = "bin/lacewing";
/** What the program becomes when it is to be a broker. */
const BROKER = "bin/broker";
/** The process beside a broker that has a store: it is started from the folder of the broker's own file. */
const STORE_CHILD = "bin/store-child";
/** The client library for pages. */
const PAGE_CLIENT = "client/lacewing-client.browser";
/** What its errors mean, which pages load when they ask. */
const PAGE_EXPLANATIONS = "client/lacewing-explanations.browser";

/** Files of dist/ that bundling makes, without their endings; what goes with them is in the folder `bin`. */
export const BUNDLES = [PROGRAM, BROKER, STORE_CHILD, PAGE_CLIENT, PAGE_EXPLANATIONS];

/** The commands that are bundled: those that scripts call often. The others stay the modules that they are. */
const BUNDLED_COMMANDS = ["completion", "explain", "help", "passwd", "pub", "rr", "sub"];

/**
 * Writes all bundles into dist/.
 * @param {string} root folder of the repository
 * @returns {Promise<boolean>} whether it worked; what did not is on standard error
 */
export async function writeBundles(root) {
  rmSync(join(root, "dist/bin"), { recursive: true, force: true });
  const written = [writePageModules(root), writeProgram(root), writeBroker(root)];
  const done = await Promise.all(written.map((made) => made.then(yes, no)));
  // Its process would stay beside the broker that `npm start` becomes.
  await (await import("esbuild")).stop();
  return done.every(Boolean);
}

const yes = () => true;
const no = () => false;

/**
 * What both programs are built with.
 * @param {string} root
 * @returns {import("esbuild").BuildOptions}
 */
const programOptions = (root) => ({
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  // Its lines are what somebody sees who reports a fault.
  minify: false,
  logLevel: "warning",
});

/**
 * The command, and beside it a file for each bundled command and for what several of them need.
 * @param {string} root
 */
async function writeProgram(root) {
  const { build } = await import("esbuild");
  await build({
    ...programOptions(root),
    entryPoints: { [PROGRAM]: "src/cli/main.ts" },
    chunkNames: "bin/[name]-[hash]",
    plugins: [otherCommands],
  });
  chmodSync(join(root, `dist/${PROGRAM}.js`), 0o755);
}

/**
 * The broker, in files of its own: with files in common the tools would load parts of it.
 * @param {string} root
 */
async function writeBroker(root) {
  const { build } = await import("esbuild");
  await build({
    ...programOptions(root),
    entryPoints: { [BROKER]: "src/cli/broker.ts", [STORE_CHILD]: "src/store/lmdb/store-child.ts" },
    chunkNames: "bin/broker-[name]-[hash]",
  });
}

/**
 * Leads to the broker's own file, and to the compiled modules of commands that are not bundled.
 * @type {import("esbuild").Plugin}
 */
const otherCommands = {
  name: "other commands",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path, kind, importer }) => {
      const name = path.slice("./".length, -".ts".length);
      if (kind !== "dynamic-import" || !/(main|commands)\.ts$/.test(importer) || BUNDLED_COMMANDS.includes(name))
        return undefined;
      return { path: name === "broker" ? "./broker.js" : `../cli/${name}.js`, external: true };
    }),
};

/**
 * One module, and one for what it loads when it is asked. What only Node has fails here, with the import that leads to it.
 * @param {string} root
 */
async function writePageModules(root) {
  // Loaded when it is needed: most commands find everything built.
  const { build } = await import("esbuild");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  await build({
    absWorkingDir: root,
    entryPoints: { [PAGE_CLIENT]: "src/client/browser.ts", [PAGE_EXPLANATIONS]: "src/client/error-explanation.ts" },
    outdir: "dist",
    bundle: true,
    format: "esm",
    platform: "browser",
    // Browsers of 2022 and newer.
    target: "es2022",
    minify: true,
    sourcemap: "linked",
    banner: { js: `/* Lacewing ${version}, the MQTT client for browsers. MIT licence. */` },
    logLevel: "warning",
    plugins: [explanationsApart],
  });
}

/** @type {import("esbuild").Plugin} */
const explanationsApart = {
  name: "explanations apart",
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/error-explanation\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import"
        ? { path: `./${PAGE_EXPLANATIONS.replace("client/", "")}.js`, external: true }
        : undefined,
    ),
};
