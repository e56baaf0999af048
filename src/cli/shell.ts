/** `latentd completion SHELL` and `latentd man`: both are written out of the commands themselves. */
import { Argument, Command } from 'commander';
import { EXIT } from './exit-codes.js';
import { printLines } from './terminal.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function completionCommand(exit: (status: number) => void, program: Command): Command {
  return new Command('completion')
    .description('print what completes latentd in a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      const { completion } = await import('./shell/completion.js');
      printLines(completion(shell, program));
      exit(EXIT.done);
    });
}

export function manCommand(exit: (status: number) => void, program: Command): Command {
  return new Command('man').description('print the manual page, as roff').action(async () => {
    const { manualPage } = await import('./shell/manual-page.js');
    printLines(manualPage(program));
    exit(EXIT.done);
  });
}
