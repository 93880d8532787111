/** Where durable facts are kept: adapters of the core's Store. */
export { MemoryStore } from "./memory.ts";
