/**
 * Conversations with a server that speaks ComfyUI's API. With ComfyUI's own server (`main.py` on the CPU, a base folder whose
 * models/checkpoints has sd15-tiny.safetensors), on a fresh base folder:
 *
 *   node tools/reference/comfyui-conversations.mjs http://127.0.0.1:8188 test/fixtures/comfyui/conversations.json
 *
 * keeps what it answers; test/fronts/comfyui/conversations.test.ts holds the same with latentd. What differs from run to run (ids
 * that servers choose, times) is made the same; so is what can't be equal: how an exception is worded, and where.
 */
import { writeFileSync } from 'node:fs';
import { conversations } from './comfyui/conversations.mjs';
import { Talk } from './comfyui/talk.mjs';

/** All conversations with the server at `base`, by name. */
export async function hold(base) {
  const held = {};
  for (const [name, converse] of Object.entries(conversations)) {
    const talk = new Talk(base);
    try {
      await converse(talk);
    } finally {
      held[name] = talk.close();
    }
  }
  return held;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [, , base, file] = process.argv;
  writeFileSync(file, `${JSON.stringify(await hold(base), undefined, 1)}\n`);
  process.exit(0);
}
