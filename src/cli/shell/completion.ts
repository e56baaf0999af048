/** Scripts that complete commands, flags, words that a flag or an argument can be, and names, which `names.ts` finds. */
import type { Argument, Command, Option } from 'commander';

type Shell = 'bash' | 'zsh' | 'fish';

export function completion(shell: Shell, program: Command): string {
  return { bash, zsh, fish }[shell](program);
}

/** Where the names are from that a flag takes: what `latentd completion SHELL --names` is given. */
function namesOfFlag(command: Command, { long }: Option): string | undefined {
  switch (long) {
    case '--checkpoint':
    case '--warm':
      return 'models checkpoints';
    case '--model':
      return command.name() === 'upscale' ? 'models upscale_models' : 'models checkpoints';
    case '--lora':
      return 'models loras';
    case '--faces':
      return 'models facerestore_models';
    case '--workflow':
      return 'workflows';
    case '--set':
      return 'inputs';
    default:
      return undefined;
  }
}

function namesOfArguments({ registeredArguments }: Command): string | undefined {
  const names: Readonly<Record<string, string>> = {
    JOB: 'jobs',
    JOBS: 'jobs',
    PREFIX: 'jobs',
    WORKFLOW: 'workflows',
  };
  return registeredArguments
    .map((argument: Argument) => names[argument.name()])
    .find((kind) => kind !== undefined);
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

/** bash's script, which zsh runs as well. Names are compared here: `compgen -W` would run what a file's name says. */
function bashScript(shell: 'bash' | 'zsh', program: Command): readonly string[] {
  const names = (kind: string) =>
    `names="$(latentd completion ${shell} --names ${kind} -- "\${COMP_WORDS[@]:2}" 2>/dev/null)"`;
  const lines = [
    '_latentd() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" candidates= names= name',
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    candidates="${program.commands.map((command) => command.name()).join(' ')} ${flags(program)}"`,
    '  else',
    '    case "${COMP_WORDS[1]} $before" in',
  ];
  for (const command of program.commands) {
    for (const option of visible(command)) {
      const kind = namesOfFlag(command, option);
      const choices = option.argChoices;
      if (choices === undefined && kind === undefined) continue;
      const found = choices === undefined ? names(kind!) : `candidates="${choices.join(' ')}"`;
      lines.push(`      "${command.name()} ${option.long!}") ${found} ;;`);
    }
  }
  for (const command of program.commands) {
    const kind = namesOfArguments(command);
    const fixed = `candidates="${flags(command)} ${words(command)}"`;
    const found = kind === undefined ? fixed : `${fixed}; [[ $word == -* ]] || ${names(kind)}`;
    lines.push(`      "${command.name()} "*) ${found} ;;`);
  }
  const take =
    shell === 'bash'
      ? [
          '    case "$name" in *=) compopt -o nospace 2>/dev/null ;; esac',
          '    printf -v name %q "$name"',
          '    COMPREPLY+=("$name")',
        ]
      : ['    COMPREPLY+=("$name")'];
  lines.push(
    '    esac',
    '  fi',
    '  while IFS= read -r name; do',
    '    [ -n "$name" ] && COMPREPLY+=("$name")',
    '  done <<< "$(compgen -W "$candidates" -- "$word")"',
    '  while IFS= read -r name; do',
    '    if [ -z "$name" ] || [[ "$name" != "$word"* ]]; then continue; fi',
    ...take,
    '  done <<< "$names"',
    '}',
    '# Where nothing fits, files do.',
    'complete -o default -F _latentd latentd',
  );
  return lines;
}

function bash(program: Command): string {
  return ['# latentd completion bash > /etc/bash_completion.d/latentd', ...bashScript('bash', program)].join(
    '\n',
  );
}

function zsh(program: Command): string {
  return [
    '#compdef latentd',
    '# latentd completion zsh > "${fpath[1]}/_latentd"',
    'autoload -U +X bashcompinit && bashcompinit',
    ...bashScript('zsh', program),
  ].join('\n');
}

function fish(program: Command): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const names = (kind: string) =>
    quote(`(latentd completion fish --names ${kind} -- (commandline -opc)[3..] 2>/dev/null)`);
  const lines = ['# latentd completion fish > ~/.config/fish/completions/latentd.fish'];
  for (const command of program.commands) {
    const name = command.name();
    lines.push(
      `complete -c latentd -n __fish_use_subcommand -f -a ${name} -d ${quote(command.description())}`,
    );
    const within = `complete -c latentd -n ${quote(`__fish_seen_subcommand_from ${name}`)}`;
    if (words(command) !== '') lines.push(`${within} -f -a ${quote(words(command))}`);
    const kind = namesOfArguments(command);
    if (kind !== undefined) lines.push(`${within} -a ${names(kind)}`);
    for (const option of visible(command)) {
      const { long, short, description, required, argChoices } = option;
      const kind = namesOfFlag(command, option);
      const values =
        argChoices === undefined
          ? kind === undefined
            ? undefined
            : names(kind)
          : quote(argChoices.join(' '));
      lines.push(
        [
          within,
          long === undefined ? '' : ` -l ${long.slice(2)}`,
          short === undefined ? '' : ` -s ${short.slice(1)}`,
          required ? ' -r' : '',
          values === undefined ? '' : ` -f -a ${values}`,
          ` -d ${quote(description)}`,
        ].join(''),
      );
    }
  }
  return lines.join('\n');
}
