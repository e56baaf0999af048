/** What is wrong with a workflow, as a reply tells it. */
import { safeLine, safeText, shorten } from '../../safe-text.js';
import type { Fault, FaultReport, NodeFaults } from '../../workflow/faults.js';
import type { Json } from '../../workflow/literal.js';

/** Of a report in a reply. */
const MAX_REPORT_BYTES = 24_000;

/**
 * A report in texts that a client can show as they are. Replies stay below 64 kB: of one that quotes much, the faults stay and what
 * ComfyUI adds to them goes.
 */
export function toldReport(report: FaultReport): FaultReport {
  const error = told(report.error);
  const faults = (change: (fault: Fault) => Fault) =>
    Object.fromEntries(
      Object.entries(report.node_errors).map(([id, node]): [string, NodeFaults] => [
        id,
        { ...node, class_type: safeLine(node.class_type), errors: node.errors.map(change) },
      ]),
    );
  const short = [faults(told), faults((fault) => ({ ...told(fault), extra_info: {} }))]
    .map((nodes): FaultReport => ({ error, node_errors: nodes }))
    .find((each) => Buffer.byteLength(JSON.stringify(each)) <= MAX_REPORT_BYTES);
  return short ?? { error: { ...error, details: shorten(error.details, 2000) }, node_errors: {} };
}

function told({ type, message, details, extra_info: extra }: Fault): Fault {
  return {
    type,
    message: safeText(message),
    details: safeText(details),
    extra_info: toldEntries(extra),
  };
}

function toldEntries(entries: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [safeLine(key), toldValue(value)]));
}

function toldValue(value: Json): Json {
  if (typeof value === 'string') return safeText(value);
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? value.map(toldValue) : toldEntries(value as Readonly<Record<string, Json>>);
}
