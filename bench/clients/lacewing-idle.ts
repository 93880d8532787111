// One client of our own library.
import { connect } from "../../src/client/index.ts";

export function openIdle(url: string, from: string): Promise<unknown> {
  return connect<string>(url, { bindAddress: from });
}
