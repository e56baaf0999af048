/**
 * A warm text-to-image run with the tiny checkpoint and a new seed each time, as it is, and with inference's answers known beforehand:
 * what is then left is everything outside ONNX Runtime, samplers included.
 */
import type { Backend } from '../src/compute/backend.js';
import type { Tensor } from '../src/compute/tensor.js';
import { drawing, openTinyEngine, type TinyEngine } from '../test/engine/tiny-engine.js';
import { comparison } from './harness/comparison.js';
import { contest } from './harness/contest.js';

/** Computes once for each program and shape of inputs, then answers with that. */
function answering(backend: Backend): Backend {
  return {
    device: backend.device,
    async load(graph) {
      const program = await backend.load(graph);
      const answers = new Map<string, Record<string, Tensor>>();
      return {
        residentBytes: program.residentBytes,
        dispose: () => program.dispose(),
        async run(inputs) {
          const shapes = Object.values(inputs).map(({ shape }) => shape.join('x'));
          const known = answers.get(shapes.join());
          if (known !== undefined) return known;
          const outputs = await program.run(inputs);
          answers.set(shapes.join(), outputs);
          return outputs;
        },
      };
    },
  };
}

let seed = 0;

async function draw({ engine }: TinyEngine): Promise<void> {
  const result = await engine.run(drawing({ seed: seed++ }));
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
}

comparison(
  'warm-run',
  'Six steps of Euler at 128×64 with the tiny checkpoint, decoded and saved: how much of it is outside inference.',
  async (results) => {
    const whole = openTinyEngine((backend) => backend);
    const outside = openTinyEngine(answering);
    try {
      await contest(results, 'a warm run', [
        { name: 'all of it', run: () => draw(whole) },
        { name: 'outside inference', run: () => draw(outside) },
      ]);
    } finally {
      await whole.close();
      await outside.close();
    }
  },
);
