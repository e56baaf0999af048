/** `latentd completion SHELL` and `latentd man`: both are written out of the commands themselves. */
import { Argument, Command, Option } from 'commander';
import { EXIT } from './exit-codes.js';
import { NAME_KINDS, type NameKind } from './shell/name-kinds.js';
import { print, printLines } from './terminal.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function completionCommand(exit: (status: number) => void, program: Command): Command {
  return new Command('completion')
    .description('print what completes latentd in a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .addOption(
      new Option('--names <KIND>', 'print names, one a line, as the scripts ask').choices(NAME_KINDS),
    )
    .argument('[WORDS...]')
    .usage('[options] <SHELL>')
    .action(
      async (shell: Shell, words: readonly string[], { names: kind }: { readonly names?: NameKind }) => {
        if (kind !== undefined) {
          const { names } = await import('./shell/names.js');
          for (const name of await names(kind, words)) print(name);
          exit(EXIT.done);
          return;
        }
        const { completion } = await import('./shell/completion.js');
        printLines(completion(shell, program));
        exit(EXIT.done);
      },
    );
}

export function manCommand(exit: (status: number) => void, program: Command): Command {
  return new Command('man').description('print the manual page, as roff').action(async () => {
    const { manualPage } = await import('./shell/manual-page.js');
    printLines(manualPage(program));
    exit(EXIT.done);
  });
}
