/** MySpinBot's graphs (its common/config/schemas/langgraph/graph.schema.json, "langgraph.v1"): their shape, and what is next in one. */
import { z } from 'zod';

const anything = z.record(z.string(), z.unknown());
const json = z.json();

const error = z.looseObject({
  message: z.string().optional(),
  code: z.string().optional(),
  details: json.optional(),
});

const node = z.strictObject({
  id: z.string(),
  name: z.string().optional(),
  service: z.string(),
  plane: z.enum(['node', 'python']),
  status: z.enum(['pending', 'ready', 'running', 'completed', 'failed', 'skipped']),
  params: anything.nullish(),
  input: json.optional(),
  output: json.optional(),
  error: error.nullish(),
  retries: z
    .strictObject({ attempt: z.int().min(0).optional(), maxAttempts: z.int().min(1).optional() })
    .nullish(),
  tags: z.array(z.string()).nullish(),
  telemetry: anything.nullish(),
  progressWeight: z.number().min(0).optional(),
});

const edge = z.strictObject({
  from: z.string(),
  to: z.string(),
  kind: z.enum(['normal', 'on_success', 'on_failure']).optional(),
  metadata: anything.nullish(),
});

const graph = z.strictObject({
  schema: z.literal('langgraph.v1'),
  workflowId: z.string().min(1).max(500),
  context: anything.optional(),
  metadata: anything.optional(),
  nodes: z.array(node).min(1).max(1000),
  edges: z.array(edge).max(10_000),
});

export type LangGraph = z.infer<typeof graph>;
export type LangNode = LangGraph['nodes'][number];

/** A graph that can't be run. */
export class LangGraphError extends Error {
  override readonly name = 'LangGraphError';
}

/** The graph of a job. Throws `LangGraphError` with the first thing that is wrong. */
export function readGraph(text: string, jobId: string): LangGraph {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LangGraphError(
      `the graph is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  const result = graph.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    throw new LangGraphError(`the graph doesn't fit its schema: ${where}${issue?.message ?? 'invalid'}`);
  }
  const { workflowId, nodes, edges } = result.data;
  if (workflowId !== jobId) {
    throw new LangGraphError(`the graph's workflowId is ${JSON.stringify(workflowId)}, and not its job's id`);
  }
  const ids = new Set(nodes.map(({ id }) => id));
  if (ids.size < nodes.length) throw new LangGraphError('two nodes of the graph have the same id');
  const lost = edges.find(({ from, to }) => !ids.has(from) || !ids.has(to));
  if (lost !== undefined)
    throw new LangGraphError(`an edge leads from ${lost.from} to ${lost.to}, and one of them isn't there`);
  if (hasCycle(result.data)) throw new LangGraphError('the edges of the graph lead round in a circle');
  return result.data;
}

/** The first node of plane `python` that can run; those that no longer can are skipped on the way. */
export function nextNode({ nodes, edges }: LangGraph): LangNode | undefined {
  const byId = new Map(nodes.map((each) => [each.id, each]));
  const into = (id: string) => edges.filter(({ to }) => to === id);
  for (let changed = true; changed;) {
    changed = false;
    for (const each of nodes) {
      if (each.status !== 'pending' && each.status !== 'ready') continue;
      if (!into(each.id).some(({ from, kind }) => isClosed(byId.get(from), kind))) continue;
      each.status = 'skipped';
      changed = true;
    }
  }
  return nodes.find(
    ({ id, plane, status }) =>
      plane === 'python' &&
      (status === 'pending' || status === 'ready') &&
      into(id).every(({ from, kind }) => isOpen(byId.get(from), kind)),
  );
}

/** What goes into a node: its own input, and over it the outputs of those before it. */
export function inputOf(each: LangNode, { nodes, edges }: LangGraph): Record<string, unknown> {
  const before = edges.filter(({ to }) => to === each.id).map(({ from }) => from);
  const outputs = before.map((id) => nodes.find((other) => other.id === id)?.output);
  return Object.assign({}, ...[each.input, ...outputs].filter(isObject)) as Record<string, unknown>;
}

/** Where the graph stands once no node of plane `python` can run. */
export function standing({ nodes, edges }: LangGraph): 'completed' | 'failed' | 'handoff' {
  const handled = new Set(edges.flatMap(({ from, kind }) => (kind === 'on_failure' ? [from] : [])));
  if (nodes.some(({ id, status }) => status === 'failed' && !handled.has(id))) return 'failed';
  return nodes.every(({ status }) => ['completed', 'skipped', 'failed'].includes(status))
    ? 'completed'
    : 'handoff';
}

/** An edge that may be followed. */
function isOpen(from: LangNode | undefined, kind: LangGraph['edges'][number]['kind']): boolean {
  return from?.status === (kind === 'on_failure' ? 'failed' : 'completed');
}

/** An edge that never will be. An unhandled failure ends the graph, and skips nothing. */
function isClosed(from: LangNode | undefined, kind: LangGraph['edges'][number]['kind']): boolean {
  if (from?.status === 'skipped') return true;
  return kind === 'on_failure' && from?.status === 'completed';
}

function hasCycle({ nodes, edges }: LangGraph): boolean {
  const left = new Map(nodes.map(({ id }) => [id, edges.filter(({ to }) => to === id).length]));
  const ready = [...left].flatMap(([id, count]) => (count === 0 ? [id] : []));
  let done = 0;
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    done++;
    for (const { from, to } of edges) {
      if (from !== id) continue;
      const count = (left.get(to) ?? 0) - 1;
      left.set(to, count);
      if (count === 0) ready.push(to);
    }
  }
  return done < nodes.length;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
