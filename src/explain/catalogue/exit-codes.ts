/** Exit codes of mosquitto's programs and of ours, where they mean something else than mosq_err_t. */
import type { Code } from "../code.ts";

/** The rows. */
export const EXIT_CODES: readonly Code[] = [
  {
    code: 0,
    name: "done",
    meaning: "publish-denied-silently",
    note: {
      en: "0 says that the work was handed over. Whether it was delivered, a broker of 3.1.1 cannot say.",
      zh: "0 表示任务已交出。是否送达，3.1.1 服务器无法告知。",
    },
  },
  { code: 1, name: "could not begin", meaning: "wrong-usage" },
  { code: 2, name: "identifier rejected (CONNACK 2), or a protocol error", meaning: "protocol-error" },
  {
    code: 3,
    name: "server unavailable, or the broker could not be configured",
    meaning: "server-unavailable",
    note: {
      en: "The broker itself ends with 3 when its configuration is not accepted.",
      zh: "服务器本身在配置有误时以 3 退出。",
    },
  },
  { code: 4, name: "bad user name or password", meaning: "bad-credentials" },
  { code: 5, name: "refused by CONNACK 5", meaning: "not-authorised" },
  { code: 7, name: "connection lost", meaning: "connection-lost" },
  { code: 8, name: "TLS failed", meaning: "tls-failed" },
  { code: 13, name: "the broker may not open a file", meaning: "permission-denied" },
  { code: 27, name: "the time of -W ran out", meaning: "timed-out" },
  {
    code: 70,
    name: "a fault of lacewing",
    meaning: "exact-reason-unknown",
    note: { en: "Please report it with the text on standard error.", zh: "请连同标准错误输出一起报告。" },
  },
  { code: 132, name: "refused by reason code 132", meaning: "protocol-version-refused" },
  { code: 133, name: "refused by reason code 133", meaning: "identifier-refused" },
  { code: 134, name: "refused by reason code 134, or aborted by a signal (SIGABRT)", meaning: "bad-credentials" },
  { code: 135, name: "refused by reason code 135", meaning: "not-authorised" },
  { code: 137, name: "killed (SIGKILL)", meaning: "killed" },
  { code: 139, name: "crashed (SIGSEGV)", meaning: "killed" },
  { code: 143, name: "stopped (SIGTERM)", meaning: "killed" },
];
