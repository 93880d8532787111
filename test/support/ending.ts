import type { TestContext } from "node:test";

/** Who ends what a test began: a test, as far as what is begun needs one. */
export type Ending = Pick<TestContext, "after">;
