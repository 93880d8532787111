/** The page of all options of mosquitto.conf, made from their table. */
import type { Option } from "./option.ts";
import { OPTION_GROUPS } from "./option-table.ts";

const HEAD = `# mosquitto.conf

\`lacewing -c FILE\` reads mosquitto's configuration file: every option of 2.0 and those that 2.1 added. Where versions differ it does as
2.1. \`lacewing config check FILE\` shows what it comes to for each listener and warns of dangers, see below; \`lacewing -c FILE --test-config\` only
says whether it can be used. What is wrong is told with file and line. \`--set NAME=VALUE\` changes
a setting after the file. A broker that is called by a link named \`mosquitto\` has mosquitto's defaults. This page is made by \`npm run docs\`.

SIGHUP reads the file again: what the column says "yes" for is then in force, and when anything is wrong nothing changes. SIGUSR1 waits until
the store has everything, SIGUSR2 prints the tree of subscriptions, SIGTERM and SIGINT end the broker. Log files are opened again on SIGHUP; SIGRTMIN,
which does that too in mosquitto 2.1, Node.js cannot hear: it would end the broker, without a word but with nothing lost that was acknowledged.

## Who the broker is

Started as root with a configuration file, or as \`mosquitto\`, the broker becomes \`user\` for good, before it opens its log, its store and its files:
what it cannot read on SIGHUP it cannot read at the start either, and all that it makes is that user's. So does mosquitto since 2.0. Only ports below
1024 are opened before. A user that is named and may not do what the configuration says is an error that names the file. Nobody has named
\`mosquitto\` when there is no line \`user\`: then the broker stays root, as it was started, and says at each start which file was in the way. It also
stays root with \`user root\`, and without a configuration file, as for \`npm start\` in a container, unless \`--set user=NAME\` says whom. PUID and PGID
in the environment are a user and a group by number, as in 2.1. A store that was root's is given over by \`chown -R mosquitto FOLDER\`.
What root does with \`lacewing store\` leaves the store's files to who owns their folder.

## lacewing config check

    lacewing config check /etc/mosquitto/mosquitto.conf [--all] [--json] [--strict]

prints for each bridge where it goes and what crosses, and for each listener what it speaks, who comes in, which limits hold, and what is in its files of certificates, users and rules; \`--all\` also
what has its default. It opens no port and changes nothing; in folders that the broker writes to,
root makes a file for a moment to see whether the broker's user may. Then it says what is dangerous or likely not meant: clients without a password
or passwords without TLS on an address of the network, listeners that nobody can connect to, files of keys and passwords that everybody on
the machine may read or change, certificates that have ended, end within 30 days, are not for the name or not of the key, files that are empty
or broken, keep-alive limits, settings without effect; of bridges, passwords that others can read, certificates whose name is not looked at, rings, and messages
that are lost while the link is down. The exit code is 0 when the broker would start, 1 when it would not, and with \`--strict\` 2
when there are warnings. Run it as the broker's user, as files are read with the rights of whoever asks.

What bridges do, and what of it outlives a crash: [bridges.md](bridges.md).
`;

/** The page as Markdown. */
export function optionsPage(): string {
  const groups = [...OPTION_GROUPS].map(([title, options]) => `## ${title}\n\n${tableOf(options)}\n`);
  return [HEAD, ...groups].join("\n");
}

function tableOf(options: readonly Option[]): string {
  const rows = options.map(({ name, aliases, form, default: otherwise, isReloaded, standing, note }) => [
    [name, ...aliases].map((each) => `\`${each}\``).join(", "),
    cell(form),
    cell(otherwise),
    isReloaded ? "yes" : "no",
    note === "" ? standing : `${standing}: ${cell(note)}`,
  ]);
  const lines = [
    ["Option", "Value", "Default", "SIGHUP", "Beside mosquitto 2.1"],
    Array<string>(5).fill("---"),
    ...rows,
  ];
  return lines.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
