/** The configuration, and the files and plugins that it names. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type ConfiguringKey =
  | "configuration-error"
  | "configuration-ignored"
  | "plugin-failed"
  | "rules-file-broken"
  | "websockets-missing";

/** The meanings. */
export const CONFIGURING: Meanings<ConfiguringKey> = {
  "configuration-error": {
    title: { en: "the configuration is not accepted", zh: "配置文件有误" },
    means: { en: "The broker names the line and ends.", zh: "服务器会指出行号然后退出。" },
    causes: [
      {
        why: { en: "a typing mistake, or an option of another version", zh: "拼写错误，或使用了其他版本的选项" },
        run: "mosquitto -c mosquitto.conf -v",
        see: { en: "the line that it names", zh: "它指出的行" },
        fix: {
          en: "correct it; man mosquitto.conf has the options of the installed version",
          zh: "改正；man mosquitto.conf 列出当前版本的选项",
        },
      },
      {
        why: { en: "an option before the listener it belongs to, or twice", zh: "选项写在所属 listener 之前，或重复" },
        run: "grep -n -v -E '^ *(#|$)' /etc/mosquitto/mosquitto.conf",
        see: { en: "the order", zh: "先后顺序" },
        fix: { en: "move it below its listener", zh: "移到对应的 listener 之后" },
      },
    ],
    read: ["mosquitto.conf(5)"],
  },
  "rules-file-broken": {
    title: { en: "a file of users or rules is not accepted", zh: "用户或规则文件有误" },
    means: {
      en: "A line of password_file or acl_file cannot be understood. A broker does not start with it; on a reload mosquitto 2.1 ends, and Lacewing goes on with what it had.",
      zh: "password_file 或 acl_file 中有一行无法理解。服务器不会启动；重新加载时，mosquitto 2.1 会退出，Lacewing 则沿用原来的内容。",
    },
    causes: [
      {
        why: {
          en: "a password that is not hashed, or a user who is there twice",
          zh: "密码没有做哈希，或同一个用户出现两次",
        },
        run: "lacewing config check /etc/mosquitto/mosquitto.conf",
        see: { en: "the file and the line", zh: "文件和行号" },
        fix: {
          en: "lacewing passwd -U FILE hashes a file of plain passwords; keep one line of each user",
          zh: "lacewing passwd -U FILE 把明文密码文件做哈希；每个用户只保留一行",
        },
      },
      {
        why: {
          en: "a rule with another word than read, write, readwrite or deny, or with # or + within a level",
          zh: "规则中用了 read、write、readwrite、deny 以外的词，或 #、+ 没有独占一层",
        },
        run: "lacewing config check /etc/mosquitto/mosquitto.conf",
        see: { en: "the file and the line", zh: "文件和行号" },
        fix: { en: 'write it as "topic readwrite a/#"', zh: "写成 “topic readwrite a/#” 的形式" },
      },
    ],
    read: ["mosquitto.conf(5), acl_file; mosquitto_passwd(1)"],
  },
  "configuration-ignored": {
    title: { en: "a setting has no effect", zh: "配置不生效" },
    means: {
      en: "The broker reads another file, or the setting belongs to another listener.",
      zh: "服务器读取的是另一个文件，或该设置属于另一个 listener。",
    },
    causes: [
      {
        why: {
          en: "another file is used, or one in conf.d comes later",
          zh: "使用了别的文件，或 conf.d 中的文件覆盖了它",
        },
        run: "ps -o args= -C mosquitto",
        see: { en: "the file after -c", zh: "-c 后面的文件" },
        fix: { en: "change that one", zh: "修改那个文件" },
      },
      {
        why: { en: "it stands above its listener", zh: "写在所属 listener 之前" },
        run: "grep -n -v -E '^ *(#|$)' /etc/mosquitto/mosquitto.conf",
        see: { en: "the order", zh: "先后顺序" },
        fix: { en: "move it below the listener", zh: "移到 listener 之后" },
      },
      {
        why: { en: "only reloaded: SIGHUP does not change listeners", zh: "只重新加载：SIGHUP 不会改变 listener" },
        run: "systemctl status mosquitto",
        see: { en: "since when it runs", zh: "运行了多久" },
        fix: { en: "restart it", zh: "重启" },
      },
    ],
    read: ["mosquitto.conf(5), per_listener_settings"],
  },
  "websockets-missing": {
    title: { en: "this build has no WebSockets", zh: "该版本不支持 WebSocket" },
    means: {
      en: '"protocol websockets" is not available in this build of mosquitto.',
      zh: "该 mosquitto 编译时没有启用 “protocol websockets”。",
    },
    causes: [
      {
        why: { en: "built without libwebsockets", zh: "编译时没有 libwebsockets" },
        run: "ldd /usr/sbin/mosquitto",
        see: { en: "libwebsockets in the list", zh: "列表中是否有 libwebsockets" },
        fix: { en: "install a build that has it, or run Lacewing", zh: "安装支持的版本，或使用 Lacewing" },
      },
    ],
    read: ["mosquitto.conf(5), protocol"],
  },
  "plugin-failed": {
    title: { en: "a plugin could not be loaded or failed", zh: "插件加载或运行失败" },
    means: { en: "The broker does not start, or denies everybody.", zh: "服务器无法启动，或拒绝所有人。" },
    causes: [
      {
        why: { en: "a wrong path, or built for another version or system", zh: "路径错误，或为其他版本/系统编译" },
        run: "ldd PLUGIN.so",
        see: { en: '"not found"', zh: "是否有 “not found”" },
        fix: { en: "install the one for this version", zh: "安装匹配的版本" },
      },
    ],
    read: ["mosquitto.conf(5), plugin"],
  },
};
