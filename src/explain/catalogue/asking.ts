/** What those hear who ask the broker about itself, by HTTP or below `$CONTROL/`. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type AskingKey = "control-request-refused" | "http-request-refused";

/** The meanings. */
export const ASKING: Meanings<AskingKey> = {
  "http-request-refused": {
    title: { en: "the broker's HTTP API did not answer a request", zh: "服务器的 HTTP API 拒绝了一个请求" },
    means: {
      en: "A listener with protocol http_api gives out figures and files, to read only. The line says what was asked for, the status and the reason.",
      zh: "protocol http_api 的 listener 只供读取统计数据和文件。该行写明了请求内容、状态码和原因。",
    },
    causes: [
      {
        why: {
          en: "401: no user, a wrong password, or no rule for the path",
          zh: "401：没有用户名、密码错误，或规则不允许该路径",
        },
        run: "curl -v -u USER http://BROKER:9883/api/v1/version",
        see: { en: "200 with the right user and password", zh: "用户名和密码正确时为 200" },
        fix: {
          en: 'correct the login; "topic read /api/#" below the user in the ACL file',
          zh: "改正登录信息；在 ACL 文件该用户下加 “topic read /api/#”",
        },
      },
      {
        why: { en: "404: no such path, or no such file in http_dir", zh: "404：没有该路径，或 http_dir 中没有该文件" },
        run: "grep -n http_dir /etc/mosquitto/mosquitto.conf",
        see: { en: "the folder of the page", zh: "网页所在目录" },
        fix: {
          en: "/api/v1/systree, /api/v1/lacewing, /api/v1/listeners or /api/v1/version",
          zh: "使用 /api/v1/systree、/api/v1/lacewing、/api/v1/listeners 或 /api/v1/version",
        },
      },
      {
        why: {
          en: "400: a client of MQTT came to this port, or a scanner",
          zh: "400：MQTT 客户端或扫描器连到了该端口",
        },
        run: "lacewing doctor mqtt://BROKER:PORT",
        see: { en: "what is spoken there", zh: "该端口使用什么协议" },
        fix: { en: "another port in the client; ignore a scanner", zh: "客户端改用其他端口；扫描器可忽略" },
      },
    ],
    read: ["docs/http-api.md"],
  },
  "control-request-refused": {
    title: {
      en: "a client may not ask the broker about itself",
      zh: "该客户端无权查询服务器自身的信息",
    },
    means: {
      en: "Below $CONTROL/ the broker answers whom a rule lets publish there; where there are no rules, only clients on its own machine.",
      zh: "$CONTROL/ 之下只回答规则允许发布的客户端；没有规则时只回答本机客户端。",
    },
    causes: [
      {
        why: { en: "no rules at all, and the client is elsewhere", zh: "没有任何规则，而客户端在另一台机器上" },
        run: "grep -n -E '^(acl_file|plugin)' /etc/mosquitto/mosquitto.conf",
        see: { en: "nothing: there are no rules", zh: "没有输出：没有规则" },
        fix: {
          en: 'ask on the broker\'s machine, or "topic readwrite $CONTROL/lacewing/#" below a user in an acl_file',
          zh: "在服务器本机查询，或在 acl_file 的某个用户下加 “topic readwrite $CONTROL/lacewing/#”",
        },
      },
    ],
    read: ["docs/why.md"],
  },
};
