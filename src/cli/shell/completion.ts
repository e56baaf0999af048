/** Scripts that complete commands, flags, words that a flag or an argument can be, and the names of models. */
import type { Command, Option } from 'commander';

/** Flags whose values are files of a kind, as `latentd models KIND` lists them. */
const MODEL_FLAGS: Readonly<Record<string, string>> = {
  '--checkpoint': 'checkpoints',
  '--lora': 'loras',
  '--faces': 'facerestore_models',
};

export function completion(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  return { bash, zsh, fish }[shell](program);
}

const visible = (command: Command): readonly Option[] => [
  ...command.options.filter(({ hidden }) => !hidden),
  ...command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long === '--help'),
];
const flags = (command: Command): string =>
  visible(command)
    .flatMap(({ short, long }) => [short, long])
    .filter((flag) => flag !== undefined)
    .join(' ');
const words = (command: Command): string =>
  command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []).join(' ');

/** Names are the second column of the list. */
const models = (kind: string): string => `$(latentd models ${kind} 2>/dev/null | awk '{print $2}')`;

function bash(program: Command): string {
  const lines = [
    '# latentd completion bash > /etc/bash_completion.d/latentd',
    '_latentd() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" candidates=',
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    candidates="${program.commands.map((command) => command.name()).join(' ')} ${flags(program)}"`,
    '  else',
    '    case "${COMP_WORDS[1]} $before" in',
  ];
  for (const command of program.commands) {
    for (const { long, argChoices } of command.options) {
      const kind = long === undefined ? undefined : MODEL_FLAGS[long];
      const values = argChoices?.join(' ') ?? (kind === undefined ? undefined : models(kind));
      if (values !== undefined) lines.push(`      "${command.name()} ${long!}") candidates="${values}" ;;`);
    }
  }
  for (const command of program.commands) {
    lines.push(`      "${command.name()} "*) candidates="${flags(command)} ${words(command)}" ;;`);
  }
  lines.push(
    '    esac',
    '  fi',
    '  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")',
    '}',
    '# Where nothing fits, files do.',
    'complete -o default -F _latentd latentd',
  );
  return lines.join('\n');
}

/** zsh runs bash's script as it is. */
function zsh(program: Command): string {
  return [
    '#compdef latentd',
    '# latentd completion zsh > "${fpath[1]}/_latentd"',
    'autoload -U +X bashcompinit && bashcompinit',
    bash(program).replace(/mapfile .*/, 'COMPREPLY=(${(f)"$(compgen -W "$candidates" -- "$word")"})'),
  ].join('\n');
}

function fish(program: Command): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = ['# latentd completion fish > ~/.config/fish/completions/latentd.fish'];
  for (const command of program.commands) {
    const name = command.name();
    lines.push(
      `complete -c latentd -n __fish_use_subcommand -f -a ${name} -d ${quote(command.description())}`,
    );
    const within = `complete -c latentd -n ${quote(`__fish_seen_subcommand_from ${name}`)}`;
    if (words(command) !== '') lines.push(`${within} -f -a ${quote(words(command))}`);
    for (const { long, short, description, required, argChoices } of visible(command)) {
      const kind = long === undefined ? undefined : MODEL_FLAGS[long];
      const values = argChoices?.join(' ') ?? (kind === undefined ? undefined : models(kind).slice(1));
      lines.push(
        [
          within,
          long === undefined ? '' : ` -l ${long.slice(2)}`,
          short === undefined ? '' : ` -s ${short.slice(1)}`,
          required ? ' -r' : '',
          values === undefined ? '' : ` -f -a ${quote(values)}`,
          ` -d ${quote(description)}`,
        ].join(''),
      );
    }
  }
  return lines.join('\n');
}
