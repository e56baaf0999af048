/** The manual page, in man(7)'s macros. */
import type { Command } from 'commander';
import { packageVersion } from '../package-version.js';

export function manualPage(program: Command): string {
  const lines = [
    `.TH LATENTD 1 "" "latentd ${packageVersion()}"`,
    '.SH NAME',
    `latentd \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    ...program.commands.map((command) => `.B latentd ${roff(`${command.name()} ${command.usage()}`)}\n.br`),
    '.SH COMMANDS',
  ];
  const help = program.createHelp();
  for (const command of program.commands) {
    lines.push(`.SS latentd ${roff(command.name())}`, roff(command.description()));
    for (const argument of command.registeredArguments) {
      lines.push('.TP', `.I ${roff(argument.name())}`, roff(help.argumentDescription(argument)));
    }
    for (const option of command.options.filter(({ hidden }) => !hidden)) {
      lines.push('.TP', `.B ${roff(option.flags)}`, roff(help.optionDescription(option)));
    }
  }
  lines.push(
    '.SH EXIT STATUS',
    '0 done; 1 the workflow failed; 2 the command line, the settings or the workflow is invalid; 128 + N ended by signal N.',
    '.SH ENVIRONMENT',
    'Every setting has a variable: LATENTD_MODELS of \\-\\-models, LATENTD_MEMORY_LIMIT of \\-\\-memory\\-limit.',
  );
  return lines.join('\n');
}

/** Text that is no macro and no escape; hyphens that can be copied. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('\n', ' ');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
