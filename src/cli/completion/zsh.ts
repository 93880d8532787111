/** Completion for zsh: a specification for `_arguments` for each command. */
import { LINKS } from "../commands.ts";
import { type Completable, type CompletableOption, type Value, withParts } from "./completable.ts";

/** The script. */
export function zshScript(commands: readonly Completable[]): string {
  const top = commands.filter(({ name }) => !name.includes(" "));
  const links = Object.entries(LINKS).map(([link, name]) => `    ${link}) command=${name} ;;`);
  return `#compdef lacewing ${Object.keys(LINKS).join(" ")}
# Completion of lacewing and of links by mosquitto's names to it, for zsh. Made by: lacewing completion zsh
_lacewing() {
  local command=$words[2]
  local -a commands
  case \${words[1]:t} in
${links.join("\n")}
    *)
      if ((CURRENT == 2)); then
        commands=(
${top.map(({ name, summary }) => `          ${quoted(`${name}:${summary}`)}`).join("\n")}
        )
        _describe command commands
        return
      fi
      shift words
      ((CURRENT--))
      if [[ $command == (${withParts(commands).join("|")}) ]] && ((CURRENT > 2)); then
        command="$command $words[2]"
        shift words
        ((CURRENT--))
      fi
      ;;
  esac
  case $command in
${commands.map(caseOf).join("\n")}
  esac
}
if [[ $funcstack[1] == _lacewing ]]; then _lacewing "$@"; else compdef _lacewing lacewing ${Object.keys(LINKS).join(" ")}; fi
`;
}

function caseOf({ name, options, operand }: Completable): string {
  const specs = [...options.flatMap(specsOf), ...operandSpec(operand)];
  return `    ${quoted(name)})\n      _arguments \\\n        ${specs.map(quoted).join(" \\\n        ")}\n      ;;`;
}

function operandSpec(operand: Value): string[] {
  return operand === "nothing" ? [] : [`*::${actionOf(operand, "argument")}`];
}

function specsOf({ names, count, value, help }: CompletableOption): string[] {
  const argument = count === 0 ? "" : `:${actionOf(value, "value")}`.repeat(count);
  return names.map((name) => `*${name}[${help.replaceAll(/[[\]:\\]/g, "\\$&")}]${argument}`);
}

function actionOf(value: Value, message: string): string {
  switch (value) {
    case "nothing":
    case "any":
      return `${message}: `;
    case "file":
      return "file:_files";
    case "folder":
      return "folder:_files -/";
    case "host":
      return "host:_hosts";
    default:
      return `${message}:(${value.join(" ")})`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
