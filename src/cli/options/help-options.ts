/** The options of `lacewing help` and `lacewing completion`. */
import type { Command, OptionTable } from "../command-line.ts";

const HELP = {
  help: { group: "Help", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Help", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
HELP satisfies OptionTable;

const TOPICS = {
  command: {
    group: "Arguments",
    type: "operand",
    argument: "command",
    help: "The command to show; broker for what runs without one. Without it, all commands.",
  },
  part: {
    group: "Arguments",
    type: "operand",
    argument: "part",
    help: "A command of that command, as in store check.",
  },
} as const;
TOPICS satisfies OptionTable;

/** `lacewing help`. */
export const HELP_COMMAND: Command<typeof TOPICS & typeof HELP> = {
  name: "lacewing help",
  summary: "Shows all commands, or one of them.",
  usage: ["[COMMAND [PART]]"],
  options: { ...TOPICS, ...HELP },
};

/** Shells that there is completion for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

const SHELL = {
  shell: { group: "Arguments", type: "operand", argument: "shell", isRequired: true, help: "bash, zsh or fish." },
} as const;
SHELL satisfies OptionTable;

/** `lacewing completion`. */
export const COMPLETION_COMMAND: Command<typeof SHELL & typeof HELP> = {
  name: "lacewing completion",
  summary: "Prints a script by which a shell completes commands and options with the tabulator key.",
  usage: ["bash | zsh | fish"],
  options: { ...SHELL, ...HELP },
  notes: [
    "To have it in each new shell:",
    "  bash: lacewing completion bash >> ~/.bashrc",
    '  zsh:  lacewing completion zsh > "$HOME/.zfunc/_lacewing"    (with fpath=(~/.zfunc $fpath) before compinit)',
    "  fish: lacewing completion fish > ~/.config/fish/completions/lacewing.fish",
    "mosquitto_pub, mosquitto_sub, mosquitto_rr and mosquitto_passwd are completed alike.",
  ],
};
