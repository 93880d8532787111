/** The machine and its files: memory, ports, limits, permissions. */
import type { Meanings } from "../entry.ts";

/** Keys of these meanings. */
export type OperatingKey =
  | "address-in-use"
  | "address-not-available"
  | "broker-stalls"
  | "buffers-full"
  | "database-damaged"
  | "denied-by-tcpd"
  | "disk-full"
  | "file-missing"
  | "file-permissions-loose"
  | "killed"
  | "local-only"
  | "open-file-limit"
  | "out-of-memory"
  | "permission-denied"
  | "store-fails";

/** The meanings. */
export const OPERATING: Meanings<OperatingKey> = {
  "out-of-memory": {
    title: { en: "no memory, or as much waits as may", zh: "内存不足，或等待的数据已达上限" },
    means: {
      en: "An allocation failed, or a limit of the broker (memory_limit) or of the library's queue was reached.",
      zh: "内存分配失败，或达到服务器 memory_limit / 库队列的上限。",
    },
    causes: [
      {
        why: {
          en: "queues without a limit (max_queued_messages 0) for subscribers or bridges that are offline",
          zh: "队列不设上限（max_queued_messages 0），而订阅者或桥接离线",
        },
        run: "lacewing sub -h BROKER -t '$SYS/broker/heap/#' -v -W 12",
        see: { en: "memory that grows", zh: "内存是否持续增长" },
        fix: {
          en: "set max_queued_messages and max_queued_bytes; expire sessions",
          zh: "设置 max_queued_messages 和 max_queued_bytes；让会话过期",
        },
      },
      {
        why: { en: "memory_limit is reached", zh: "达到 memory_limit" },
        run: "grep -n memory_limit /etc/mosquitto/mosquitto.conf",
        see: { en: "the limit", zh: "限制值" },
        fix: { en: "raise it", zh: "增大" },
      },
      {
        why: { en: "the machine or container has no memory left", zh: "机器或容器内存耗尽" },
        run: "free -m",
        see: { en: "available memory", zh: "available 一列" },
        fix: { en: "more memory, smaller queues", zh: "增加内存，减小队列" },
      },
    ],
    read: ["mosquitto.conf(5), memory_limit"],
  },
  "buffers-full": {
    title: { en: "the kernel has no memory for the network", zh: "内核网络缓冲区不足" },
    means: { en: "Too many sockets, or too much data that waits in them.", zh: "套接字太多，或积压数据过多。" },
    causes: [
      {
        why: { en: "many slow clients with large queues", zh: "大量慢客户端积压数据" },
        run: "ss -s",
        see: { en: "number and memory of sockets", zh: "套接字数量和内存" },
        fix: { en: "limit queues; raise net.ipv4.tcp_mem", zh: "限制队列；增大 net.ipv4.tcp_mem" },
      },
    ],
    read: ["tcp(7)"],
  },
  "address-in-use": {
    title: { en: "another program listens on that port already", zh: "端口已被其他程序占用" },
    means: { en: "Two programs cannot listen on one address and port.", zh: "两个程序不能同时监听同一个地址和端口。" },
    causes: [
      {
        why: {
          en: "another broker runs: often the packaged one, started by the system",
          zh: "另一个服务器在运行：常常是系统自动启动的 mosquitto",
        },
        run: "ss -ltnp",
        see: { en: "the program that has the port", zh: "占用该端口的程序" },
        fix: {
          en: "systemctl stop mosquitto, or take another port (-p)",
          zh: "systemctl stop mosquitto，或换端口（-p）",
        },
      },
      {
        why: { en: "two listeners of one configuration with the same port", zh: "同一配置里两个 listener 端口相同" },
        run: "grep -n -E '^(listener|port)' /etc/mosquitto/mosquitto.conf",
        see: { en: "the same number twice", zh: "端口是否重复" },
        fix: { en: "give each its own", zh: "使用不同端口" },
      },
    ],
    read: ["bind(2)"],
  },
  "address-not-available": {
    title: { en: "this machine does not have that address", zh: "本机没有该地址" },
    means: {
      en: "The address to bind to is not on any interface now; or all local ports are in use.",
      zh: "要绑定的地址当前不在任何网卡上；或本地端口已用完。",
    },
    causes: [
      {
        why: {
          en: "the address is not there yet at boot, or belongs to another machine",
          zh: "开机时地址还没配置好，或属于其他机器",
        },
        run: "ip -brief address",
        see: { en: "the address", zh: "是否有该地址" },
        fix: {
          en: "listen on 0.0.0.0, or start after network-online.target",
          zh: "监听 0.0.0.0，或在 network-online.target 之后启动",
        },
      },
      {
        why: { en: "out of local ports: very many short connections", zh: "本地端口耗尽：大量短连接" },
        run: "ss -s",
        see: { en: "many in timewait", zh: "大量 timewait" },
        fix: { en: "keep connections open", zh: "保持长连接" },
      },
    ],
    read: ["bind(2)"],
  },
  "open-file-limit": {
    title: { en: "the process has as many files and sockets open as it may", zh: "打开的文件和套接字达到上限" },
    means: {
      en: "Each client is a socket, and each socket a file: 1024 by default means about 1015 clients.",
      zh: "每个客户端占一个文件描述符：默认 1024 意味着约 1015 个客户端。",
    },
    causes: [
      {
        why: { en: "the limit is too low for the number of clients", zh: "限制低于客户端数量" },
        run: "prlimit --nofile --pid PID",
        see: { en: "the soft limit", zh: "软限制" },
        fix: {
          en: "LimitNOFILE=65536 in the unit, or ulimit -n 65536 before the start",
          zh: "在 systemd 单元设 LimitNOFILE=65536，或启动前 ulimit -n 65536",
        },
      },
      {
        why: { en: "sockets that nobody closes", zh: "套接字没有关闭" },
        run: "ss -tnp",
        see: { en: "many in CLOSE-WAIT", zh: "大量 CLOSE-WAIT" },
        fix: { en: "close connections when they end", zh: "连接结束后关闭" },
      },
    ],
    read: ["getrlimit(2)", "systemd.exec(5), LimitNOFILE="],
  },
  "denied-by-tcpd": {
    title: {
      en: "the broker's machine turned the connection away before MQTT",
      zh: "服务器所在机器在 MQTT 之前就拒绝了连接",
    },
    means: {
      en: "mosquitto asks TCP wrappers (/etc/hosts.allow and /etc/hosts.deny) about each address, and the answer was no, or could not be had.",
      zh: "mosquitto 会用 TCP wrappers（/etc/hosts.allow 和 /etc/hosts.deny）检查每个地址，结果是拒绝，或者无法得到结果。",
    },
    causes: [
      {
        why: {
          en: "a rule for mosquitto, or for ALL, denies this address",
          zh: "有针对 mosquitto 或 ALL 的规则拒绝该地址",
        },
        run: "grep -v '^#' /etc/hosts.allow /etc/hosts.deny",
        see: { en: "lines with mosquitto or ALL", zh: "含 mosquitto 或 ALL 的行" },
        fix: {
          en: "allow the address in /etc/hosts.allow: mosquitto: 192.168.",
          zh: "在 /etc/hosts.allow 中放行该地址：mosquitto: 192.168.",
        },
      },
      {
        why: {
          en: "everybody is denied from one moment on: the broker has no file descriptor left to read those files with",
          zh: "从某一刻起所有连接都被拒绝：服务器已没有文件描述符可用来读取这些文件",
        },
        run: "prlimit --nofile --pid PID",
        see: {
          en: "a soft limit that is hardly above the number of clients",
          zh: "软限制是否只比客户端数量略高",
        },
        fix: {
          en: "LimitNOFILE=65536 in the unit, or ulimit -n 65536 before the start",
          zh: "在 systemd 单元设 LimitNOFILE=65536，或启动前 ulimit -n 65536",
        },
      },
    ],
    read: ["hosts_access(5)"],
  },
  "permission-denied": {
    title: { en: "the program may not open this file or port", zh: "没有权限打开该文件或端口" },
    means: {
      en: 'The rights of the user that the program runs as do not suffice. mosquitto gives up root and runs as "mosquitto"; in containers its user is 1883.',
      zh: "运行用户权限不足。mosquitto 会放弃 root 改用 mosquitto 用户；容器里的用户是 1883。",
    },
    causes: [
      {
        why: { en: "the file or folder belongs to another user", zh: "文件或目录属于其他用户" },
        run: "ls -ld FILE",
        see: { en: "owner and mode", zh: "属主和权限" },
        fix: {
          en: "chown mosquitto: FILE (in containers chown 1883:1883)",
          zh: "chown mosquitto: FILE（容器中 chown 1883:1883）",
        },
      },
      {
        why: { en: "a port below 1024 without the right to it", zh: "没有权限使用 1024 以下的端口" },
        run: "ss -ltn",
        see: { en: "which port was asked for", zh: "要使用的端口" },
        fix: {
          en: "a port above 1023, or CAP_NET_BIND_SERVICE",
          zh: "使用 1023 以上的端口，或赋予 CAP_NET_BIND_SERVICE",
        },
      },
      {
        why: {
          en: "dynamic security: the folder is not writable, as the file is replaced and not rewritten",
          zh: "dynsec：目录不可写（文件是替换而不是改写）",
        },
        run: "ls -ld FOLDER",
        see: { en: "whether the broker's user may write there", zh: "服务器用户能否写入" },
        fix: { en: "give the folder to the broker's user", zh: "把目录交给服务器用户" },
      },
    ],
    read: ["mosquitto.conf(5), user"],
  },
  "file-missing": {
    title: { en: "a file or socket is not there", zh: "文件或套接字不存在" },
    means: {
      en: 'mosquitto says "not readable - check permissions" also for a file that is simply missing.',
      zh: "mosquitto 对不存在的文件也会说 “not readable - check permissions”。",
    },
    causes: [
      {
        why: { en: "a wrong path, or a relative one from another folder", zh: "路径错误，或相对路径的起点不同" },
        run: "ls -l FILE",
        see: { en: "whether it is there", zh: "文件是否存在" },
        fix: { en: "give the whole path", zh: "使用绝对路径" },
      },
      {
        why: { en: "in a container: the folder is not mounted", zh: "容器中目录没有挂载" },
        run: "docker inspect CONTAINER",
        see: { en: "Mounts", zh: "Mounts 部分" },
        fix: { en: "mount it", zh: "挂载它" },
      },
    ],
    read: ["path_resolution(7)"],
  },
  "file-permissions-loose": {
    title: { en: "a secret file can be read by others", zh: "机密文件可被其他用户读取" },
    means: {
      en: "A warning: the file works, and a future version will refuse it.",
      zh: "警告：目前可用，但以后的版本会拒绝。",
    },
    causes: [
      {
        why: { en: "the file's mode or owner", zh: "文件权限或属主" },
        run: "ls -l FILE",
        see: { en: "owner mosquitto, mode 0600 or 0640", zh: "属主 mosquitto，权限 0600 或 0640" },
        fix: { en: "chown mosquitto: FILE and chmod 0600 FILE", zh: "chown mosquitto: FILE 并 chmod 0600 FILE" },
      },
    ],
    read: ["mosquitto.conf(5), password_file"],
  },
  "disk-full": {
    title: { en: "the disk is full or cannot be written", zh: "磁盘已满或不可写" },
    means: { en: "Persistence and logs cannot be kept.", zh: "无法保存持久化数据和日志。" },
    causes: [
      {
        why: { en: "no space, or no inodes", zh: "空间或 inode 用完" },
        run: "df -h",
        see: { en: "100 % (and df -i)", zh: "是否 100 %（并看 df -i）" },
        fix: { en: "free some: rotate logs, expire sessions", zh: "清理：轮转日志、让会话过期" },
      },
      {
        why: { en: "mounted read-only, also after a disk error", zh: "只读挂载，也可能是磁盘出错后" },
        run: "findmnt",
        see: { en: "ro among the options", zh: "选项中是否有 ro" },
        fix: { en: "mend the disk, mount it writable", zh: "修复磁盘并以可写方式挂载" },
      },
    ],
    read: ["mosquitto.conf(5), persistence_location"],
  },
  "database-damaged": {
    title: { en: "the broker's database cannot be read", zh: "持久化数据库损坏" },
    means: {
      en: "mosquitto.db is truncated or empty, often after a power cut, and the broker does not start.",
      zh: "mosquitto.db 被截断或清空（常见于断电），导致服务器无法启动。",
    },
    causes: [
      {
        why: { en: "power was lost while it was written", zh: "写入时断电" },
        run: "head -c 16 /var/lib/mosquitto/mosquitto.db",
        see: { en: '"mosquitto db"; zeros are a damaged file', zh: "应有 “mosquitto db”；全为零即损坏" },
        fix: {
          en: "move the file away and start: sessions and retained messages are lost. lacewing store import keeps what can be read",
          zh: "移走该文件再启动（会话和保留消息会丢失）。lacewing store import 可取回能读的部分",
        },
      },
    ],
    read: ["mosquitto.conf(5), persistence_file"],
  },
  "store-fails": {
    title: { en: "the store does not take changes", zh: "存储无法写入" },
    means: {
      en: "Lacewing acknowledges nothing that it cannot keep, so durable publishers wait.",
      zh: "Lacewing 不会确认无法保存的消息，因此需要持久化的发布会等待。",
    },
    causes: [
      {
        why: { en: "the disk is full or broken", zh: "磁盘已满或损坏" },
        run: "df -h",
        see: { en: "free space where the store is", zh: "存储所在磁盘的剩余空间" },
        fix: { en: "free some; it goes on by itself", zh: "腾出空间后会自动恢复" },
      },
      {
        why: { en: "a record is damaged", zh: "记录损坏" },
        run: "lacewing store check FOLDER",
        see: { en: "what it sets aside", zh: "隔离了哪些记录" },
        fix: { en: "restore a copy, if those are needed", zh: "需要时从备份恢复" },
      },
    ],
    read: ["lacewing store check --help"],
  },
  "local-only": {
    title: { en: "the broker takes connections from its own machine only", zh: "服务器只接受本机连接" },
    means: {
      en: 'No listener is configured, so mosquitto 2 listens on the loopback address only. Other machines get "connection refused".',
      zh: "没有配置 listener，mosquitto 2 只监听回环地址。其他机器会得到“连接被拒绝”。",
    },
    causes: [
      {
        why: {
          en: "started without a configuration file, or with one that has no listener",
          zh: "没有用配置文件启动，或配置中没有 listener",
        },
        run: "grep -n -E '^(listener|port)' /etc/mosquitto/mosquitto.conf",
        see: { en: "no line", zh: "没有结果" },
        fix: {
          en: '"listener 1883" and password_file, or allow_anonymous true; start with -c FILE',
          zh: "写上 “listener 1883” 和 password_file（或 allow_anonymous true），用 -c FILE 启动",
        },
      },
    ],
    read: ["mosquitto.conf(5), listener"],
  },
  "broker-stalls": {
    title: { en: "the broker answers nobody for seconds, at regular intervals", zh: "服务器每隔一段时间停顿数秒" },
    means: {
      en: "It writes its whole database at once while everybody waits.",
      zh: "它在一次性写出整个数据库，期间所有人都在等待。",
    },
    causes: [
      {
        why: { en: "a large mosquitto.db and autosave", zh: "mosquitto.db 很大且开启了自动保存" },
        run: "ls -l /var/lib/mosquitto/mosquitto.db",
        see: { en: "its size, and whether its time is that of the pause", zh: "文件大小，修改时间是否与停顿一致" },
        fix: {
          en: "expire sessions, fewer retained messages; Lacewing writes only changes",
          zh: "让会话过期、减少保留消息；Lacewing 只写增量",
        },
      },
    ],
    read: ["mosquitto.conf(5), autosave_interval"],
  },
  killed: {
    title: { en: "a signal ended the process", zh: "进程被信号结束" },
    means: {
      en: "Exit codes above 128 are 128 and the number of the signal: 137 is SIGKILL, 139 a crash, 143 SIGTERM.",
      zh: "大于 128 的退出码是 128 加信号编号：137 为 SIGKILL,139 为崩溃，143 为 SIGTERM。",
    },
    causes: [
      {
        why: { en: "137: the kernel or container ended it, as memory ran out", zh: "137：内存耗尽，被内核或容器杀掉" },
        run: "journalctl -k -n 50",
        see: { en: '"Out of memory: Killed process"', zh: "内核日志中有 “Out of memory: Killed process”" },
        fix: { en: "limit queues, give more memory", zh: "限制队列，增加内存" },
      },
      {
        why: { en: "139: a fault of the program; 143: somebody stopped it", zh: "139：程序崩溃；143：被人停止" },
        run: "journalctl -n 50",
        see: { en: "what was logged at that time", zh: "当时的日志" },
        fix: { en: "upgrade after a crash", zh: "崩溃则升级版本" },
      },
    ],
    read: ["signal(7)"],
  },
};
