/** `latentd keys`: makes CURVE keys for a daemon that others reach over a network. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { makeFolder } from '../make-folder.js';
import { EXIT, UsageError } from './exit-codes.js';
import { print } from './terminal.js';

export function keysCommand(exit: (status: number) => void): Command {
  return new Command('keys')
    .description('make keys for encrypted connections: one file for the daemon, one for its clients')
    .argument('<DIR>', 'where to write server.json and client.json')
    .action(async (folder: string) => {
      const { createKeys, writeKeys } = await import('../fronts/dgx-pixels/wire/curve-keys.js');
      const { server, client } = createKeys();
      makeFolder(folder);
      for (const [name, keys] of [
        ['server.json', server],
        ['client.json', client],
      ] as const) {
        const file = resolve(join(folder, name));
        try {
          writeKeys(file, keys);
        } catch (error) {
          throw new UsageError(
            `${file} was not written: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
        print(file);
      }
      exit(EXIT.done);
    });
}
