/** Writes docs/settings.md out of the table of settings: `npx vitest run test/config/docs.test.ts --update`. */
import { flagOf, SETTING_NAMES, SETTINGS, variableOf, type Audience } from '../src/config/settings.js';

const SECTIONS: readonly (readonly [Audience, string])[] = [
  ['engine', 'Whatever runs workflows'],
  ['pull', 'Pulling models'],
  ['client', 'The daemon and its clients'],
  ['daemon', 'The daemon alone'],
];

/** The page: settings by whom they concern. */
export function settingsDocs(): string {
  return [
    '# Settings',
    '',
    'Which of flag, variable and file wins, and how values are written: [configuration.md](configuration.md). This page is made from the',
    'table itself (`src/config/settings.ts`); `npx vitest run test/config/docs.test.ts --update` makes it anew.',
    ...SECTIONS.flatMap(([audience, title]) => [
      '',
      `## ${title}`,
      '',
      '| in the file | flag | variable | what it is | default |',
      '| --- | --- | --- | --- | --- |',
      ...SETTING_NAMES.filter((name) => SETTINGS[name].audience === audience).map((name) => {
        const { kind, help, unset } = SETTINGS[name];
        const argument = kind.argument === undefined ? '' : ` ${kind.argument}`;
        return `| \`${name}\` | \`${flagOf(name)}${argument}\` | \`${variableOf(name)}\` | ${help} | ${unset} |`;
      }),
    ]),
    '',
  ].join('\n');
}
