/** The errors of requests about Subscriptions. */
import type { Properties } from "../protocol/index.ts";
import { RequestError } from "./errors.ts";
import { MOSQ_ERR } from "./rc.ts";

/** It was ended before the server had granted it. */
export function unsubscribedError(): RequestError {
  const message = "it was unsubscribed from before the server had granted it";
  return new RequestError({ code: "closed", rc: MOSQ_ERR.NO_CONN, message });
}

/** The server refused a Subscription. */
export function refusedSubscription(reasonCode: number, { reasonString }: Properties): RequestError {
  const message = `the server refused the subscription${said(reasonString)}`;
  return new RequestError({ code: "subscribe-refused", rc: reasonCode, reasonCode, message });
}

/** The server refused to remove a Subscription. */
export function refusedUnsubscription(reasonCode: number, { reasonString }: Properties): RequestError {
  const message = `the server refused to unsubscribe${said(reasonString)}`;
  return new RequestError({ code: "unsubscribe-refused", rc: reasonCode, reasonCode, message });
}

function said(reasonString: string | undefined): string {
  return reasonString === undefined ? "" : `: ${reasonString}`;
}
