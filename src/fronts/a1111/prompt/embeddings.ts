/** Embeddings, which A1111 knows by their bare names (modules/textual_inversion/textual_inversion.py), as ComfyUI's `embedding:NAME`. */

export function nameEmbeddings(prompt: string, listed: readonly string[]): string {
  if (listed.length === 0) return prompt;
  const names = new Map(
    listed.map((file) => {
      const path = file.replace(/\.[^./]+$/, '');
      return [path.split('/').at(-1)!.toLowerCase(), path];
    }),
  );
  const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length).map(escapeForPattern);
  const pattern = new RegExp(String.raw`(?<![\w:-])(?:${longestFirst.join('|')})(?![\w-])`, 'gi');
  // A space before it, for ComfyUI finds them at the beginning of a word.
  return prompt.replaceAll(pattern, (found, at: number) => {
    const before = prompt[at - 1];
    const gap = before === undefined || /[\s(]/.test(before) ? '' : ' ';
    return `${gap}embedding:${names.get(found.toLowerCase())!}`;
  });
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
