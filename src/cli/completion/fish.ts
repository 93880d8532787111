/** Completion for fish: a line for each option. */
import { LINKS } from "../commands.ts";
import type { Completable, CompletableOption, Value } from "./completable.ts";

/** The script. */
export function fishScript(commands: readonly Completable[]): string {
  const top = commands.filter(({ name }) => !name.includes(" "));
  const lines = [
    "# Completion of lacewing and of links by mosquitto's names to it, for fish. Made by: lacewing completion fish",
    "complete -c lacewing -f",
    ...top.map(({ name, summary }) => {
      return `complete -c lacewing -n __fish_use_subcommand -a ${quoted(name)} -d ${quoted(summary)}`;
    }),
    ...commands.flatMap((command) => linesOf(`-c lacewing -n ${quoted(conditionOf(command.name))}`, command)),
    ...Object.entries(LINKS).flatMap(([link, name]) => {
      const command = commands.find((each) => each.name === name)!;
      return [`complete -c ${link} -f`, ...linesOf(`-c ${link}`, command)];
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function conditionOf(name: string): string {
  return name
    .split(" ")
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join("; and ");
}

function linesOf(where: string, { options, operand }: Completable): string[] {
  const operandLine = operand === "nothing" || operand === "any" ? [] : [`complete ${where} ${argumentsOf(operand)}`];
  return [...options.map((option) => `complete ${where} ${optionWords(option)}`), ...operandLine];
}

function optionWords({ names, count, value, help }: CompletableOption): string {
  const words = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [...words, ...(count === 0 ? [] : ["-r", argumentsOf(value)]), `-d ${quoted(help)}`].join(" ");
}

function argumentsOf(value: Value): string {
  switch (value) {
    case "nothing":
    case "any":
      return "-f";
    case "file":
      return "-F";
    case "folder":
      return "-f -a '(__fish_complete_directories)'";
    case "host":
      return "-f -a '(__fish_print_hostnames)'";
    default:
      return `-f -a ${quoted(value.join(" "))}`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
