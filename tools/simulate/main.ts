/** `npm run simulate -- SCENARIO.json`: prints what comes of a scenario, as JSON; without one, the tables of docs/sizing.md. */
import { readFileSync } from 'node:fs';
import { scenarioSchema } from './scenario.js';
import { simulate } from './simulate.js';
import { sizingTables } from './tables.js';

const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(sizingTables());
else {
  const scenario = scenarioSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (scenario.success) process.stdout.write(`${JSON.stringify(simulate(scenario.data), null, 2)}\n`);
  else {
    for (const { path, message } of scenario.error.issues) {
      process.stderr.write(`${file}: ${path.map(String).join('.')}: ${message}\n`);
    }
    process.exitCode = 2;
  }
}
