/** Writes the tables of docs/cli.md out of the commands themselves: `npx vitest run test/cli/docs.test.ts --update`. */
import type { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { createProgram } from '../src/cli/program.js';
import { flagOf, SETTING_NAMES } from '../src/config/settings.js';

const BLOCK = /<!-- latentd (\w+) -->\n[^]*?<!-- end -->/g;
const SETTING_FLAGS: ReadonlySet<string | undefined> = new Set([...SETTING_NAMES.map(flagOf), '--config']);
/** Every command has them, and the page says so once. */
const COMMON: ReadonlySet<string | undefined> = new Set(['--quiet', '--verbose', '--help']);

/** The page with what stands between its marks made anew. Throws where a command has no marks, or marks have no command. */
export async function cliDocs(page: string, path: string): Promise<string> {
  const { commands } = createProgram(() => undefined);
  const left = new Map(commands.map((command) => [command.name(), command]));
  const made = page.replaceAll(BLOCK, (_, name: string) => {
    const command = left.get(name);
    if (command === undefined)
      throw new Error(`docs/cli.md: there is no command ${name}, or it stands twice`);
    left.delete(name);
    return `<!-- latentd ${name} -->\n\n${describe(command)}\n\n<!-- end -->`;
  });
  if (left.size > 0) throw new Error(`docs/cli.md lacks <!-- latentd ${[...left.keys()].join(', ')} -->`);
  return format(made, { ...(await resolveConfig(path)), parser: 'markdown' });
}

function describe(command: Command): string {
  const help = command.createHelp();
  const own = command.options.filter(
    ({ hidden, long }) => !hidden && !SETTING_FLAGS.has(long ?? undefined) && !COMMON.has(long ?? undefined),
  );
  const settings = command.options.filter(({ long }) => SETTING_FLAGS.has(long ?? undefined));
  const rows = [
    ...help
      .visibleArguments(command)
      .map((argument) => [argument.name(), help.argumentDescription(argument)]),
    ...own.map((option) => [option.flags, help.optionDescription(option)]),
  ].map(([flags, text]) => `| \`${flags!}\` | ${text!.replaceAll('|', '\\|')} |`);
  return [
    `    latentd ${command.name()} ${command.usage()}`,
    ...(rows.length === 0 ? [] : ['', '| | what it does |', '| --- | --- |', ...rows]),
    ...(settings.length === 0
      ? []
      : [
          '',
          `Settings: ${settings.map(({ long }) => `\`${long!}\``).join(', ')} ([settings.md](settings.md)).`,
        ]),
  ].join('\n');
}
