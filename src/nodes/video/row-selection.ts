/** Rows of a batch by a text: `0, -1, 2:8, ::-1` (ComfyUI-VideoHelperSuite, utils.py, convert_str_to_indexes). */

/** Throws `RangeError` for what is no number, and with `strict` for numbers that the batch lacks; they are left out otherwise. */
export function selectedRows(text: string, count: number, strict: boolean): number[] {
  if (text === '') return [];
  return text
    .split(',')
    .map((group) => group.trim())
    .flatMap((group) => (group.includes(':') ? range(group, count) : single(group, count, strict)));
}

function single(text: string, count: number, strict: boolean): number[] {
  const index = wholeNumber(text);
  const row = index < 0 ? count + index : index;
  if (row >= 0 && row < count) return [row];
  if (strict) throw new RangeError(`there is no image ${index} in a batch of ${count}`);
  return [];
}

/** Python's `[start:end][::step]`. */
function range(group: string, count: number): number[] {
  const [start = '', end = '', ...rest] = group.split(':').map((part) => part.trim());
  const stepText = rest.join(':');
  const bound = (part: string, preset: number): number => {
    const value = part === '' ? preset : wholeNumber(part);
    return Math.min(Math.max(value < 0 ? count + value : value, 0), count);
  };
  const [from, to] = [bound(start, 0), bound(end, count)];
  const rows = Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
  const step = stepText === '' ? 1 : wholeNumber(stepText);
  if (step === 0) throw new RangeError(`${JSON.stringify(group)}: the step can't be 0`);
  if (step < 0) rows.reverse();
  return rows.filter((_, index) => index % Math.abs(step) === 0);
}

function wholeNumber(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new RangeError(`${JSON.stringify(text)} is no whole number: use numbers and ranges, as 0, -1, 2:8`);
}
