/** A broker as a server: from a Config to listening sockets. */
export { SecurityError } from "../security/index.ts";
export { StoreError } from "../store/index.ts";
export { ListenError } from "./listen-error.ts";
export { type Server, startServer } from "./server.ts";
export { StartError } from "./start-error.ts";
export { subscriptionTree } from "./subscription-tree.ts";
