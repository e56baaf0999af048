/** `latentd service install`: the daemon as a service of the machine. */
import { Argument, Command } from 'commander';
import { EXIT } from './exit-codes.js';
import { print, notice } from './terminal.js';

export function serviceCommand(exit: (status: number) => void): Command {
  return new Command('service')
    .description('install the daemon as a systemd service')
    .addArgument(new Argument('<ACTION>', 'what to do').choices(['install']))
    .option('--root <DIR>', 'the root of the file system that is written to', '/')
    .action(async (_: string, { root }: { readonly root: string }) => {
      const { installService } = await import('./service/install.js');
      for (const path of installService(root)) print(path);
      notice('then, as root:');
      notice('  id latentd || useradd --system --home-dir /var/lib/latentd latentd');
      notice('  systemctl daemon-reload && systemctl enable --now latentd');
      exit(EXIT.done);
    });
}
