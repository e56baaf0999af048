// Makes data/node-packs.jsonl.gz: which pack brings which node classes. Facts from ComfyUI-Manager's extension-node-map.json
// (classes and name patterns by repository) and github-stats.json (of several packs with one class, the best known counts).
//
// OBJECT_INFO, as ComfyUI's server answers without packs, says what ComfyUI itself has.
//
//   node tools/node-packs.mjs FOLDER_OF_COMFYUI_MANAGER OBJECT_INFO.json
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Packs that fewer people know are left out. */
const MIN_STARS = 10;

const CORE = 'comfyanonymous/ComfyUI';

const [folder, objectInfo] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const stars = read('github-stats.json');
const rows = Object.entries(read('extension-node-map.json'))
  .map(([url, [classes, { title_aux: title, nodename_pattern: pattern }]]) => {
    const [, repository = url] = /github\.com\/([^/]+\/[^/.]+)/.exec(url) ?? [];
    return {
      repository,
      title,
      pattern,
      classes: [...new Set(classes)].sort(),
      stars: stars[url]?.stars ?? 0,
    };
  })
  .filter(({ repository }) => repository !== CORE)
  .filter(({ repository, stars: count }) => count >= MIN_STARS && /^[\w.-]+\/[\w.-]+$/.test(repository))
  .sort((one, other) => other.stars - one.stars || (one.repository < other.repository ? -1 : 1));
rows.unshift({
  repository: CORE,
  title: 'ComfyUI',
  classes: Object.keys(JSON.parse(readFileSync(objectInfo, 'utf8'))).sort(),
});
const lines = rows.map(({ repository, title, pattern, classes }) =>
  JSON.stringify([repository, title, classes, ...(pattern ? [pattern] : [])]),
);
const bytes = gzipSync(lines.join('\n'), { level: 9 });
writeFileSync(join(import.meta.dirname, '../data/node-packs.jsonl.gz'), bytes);
console.log(
  `${rows.length} packs, ${rows.reduce((sum, row) => sum + row.classes.length, 0)} classes, ${bytes.length} bytes`,
);
