// Loaded into the process of every file of tests: one that does not end says what it waits for, and ends.
const limitMs = Number(new URL(import.meta.url).searchParams.get("ms"));

// Not a reason to go on by itself.
setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(", ") || "nothing";
  process.stderr.write(`Not done after ${limitMs / 1000} s, so it was ended. Still open: ${open}.\n`);
  process.exit(1);
}, limitMs).unref();
