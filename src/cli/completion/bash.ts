/** Completion for bash: one function that looks at the command and at the word before the one that is typed. */
import { LINKS } from "../commands.ts";
import { type Completable, type CompletableOption, type Value, withParts } from "./completable.ts";

/** The script. */
export function bashScript(commands: readonly Completable[]): string {
  const top = commands.filter(({ name }) => !name.includes(" ")).map(({ name }) => name);
  const links = Object.entries(LINKS).map(([link, name]) => `    ${link}) command=${name} ;;`);
  return `# Completion of lacewing and of links by mosquitto's names to it, for bash. Made by: lacewing completion bash
_lacewing() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  case \${COMP_WORDS[0]##*/} in
${links.join("\n")}
    *)
      if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "${top.join(" ")} --help --version" -- "$current"))
        return
      fi
      [[ $command == @(${withParts(commands).join("|")}) && COMP_CWORD -gt 2 ]] && command="$command \${COMP_WORDS[2]}"
      ;;
  esac
  case "$command $previous" in
${commands.flatMap(valueCases).join("\n")}
  esac
  case $command in
${commands.map(optionCase).join("\n")}
  esac
}
complete -F _lacewing lacewing ${Object.keys(LINKS).join(" ")}
`;
}

function valueCases({ name, options }: Completable): string[] {
  return options
    .filter(({ count }) => count > 0)
    .map((option) => `    ${patternOf(name, option)}) ${offer(option.value)}; return ;;`);
}

function patternOf(command: string, { names }: CompletableOption): string {
  return names.map((name) => `"${command} ${name}"`).join(" | ");
}

function optionCase({ name, options, operand }: Completable): string {
  const names = options.flatMap((option) => option.names).join(" ");
  return `    "${name}")
      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "${names}" -- "$current"))
      else ${offer(operand)}; fi
      ;;`;
}

function offer(value: Value): string {
  switch (value) {
    case "nothing":
    case "any":
      return ":";
    case "file":
      return 'compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current")';
    case "folder":
      return 'compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current")';
    case "host":
      return 'COMPREPLY=($(compgen -A hostname -- "$current"))';
    default:
      return `COMPREPLY=($(compgen -W "${value.join(" ")}" -- "$current"))`;
  }
}
