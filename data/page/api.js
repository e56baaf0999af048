/** ComfyUI's API, as this page asks it. */

/** Of this tab; a reload keeps it. */
export const clientId = (() => {
  const kept = sessionStorage.getItem('latentd-client');
  const id = kept ?? `page-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
  sessionStorage.setItem('latentd-client', id);
  return id;
})();

/** The text of an answer. Throws an `Error` that says what the daemon said. */
async function ask(path, options) {
  const reply = await fetch(path, options);
  const text = await reply.text();
  if (!reply.ok) throw new Error(faultOf(text) ?? `${reply.status} ${reply.statusText}`);
  return text;
}

/** What ComfyUI says of a workflow that can't run, in lines. */
function faultOf(text) {
  try {
    const { error, node_errors: nodes = {} } = JSON.parse(text);
    const line = ({ message, details }) => (details ? `${message}: ${details}` : message);
    const lines = Object.entries(nodes).flatMap(([id, { class_type: type, errors }]) =>
      errors.map((each) => `${type} (${id}): ${line(each)}`),
    );
    return [line(error), ...lines].slice(0, 8).join('\n');
  } catch {
    return undefined;
  }
}

/** JSON whose whole numbers keep their digits where the browser can do it: seeds have up to twenty. */
export function parseExact(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === 'number' &&
    !Number.isSafeInteger(value) &&
    /^-?\d+$/.test(context?.source ?? '') &&
    JSON.rawJSON
      ? JSON.rawJSON(context.source)
      : value,
  );
}

export const getJson = async (path) => parseExact(await ask(path));

export const post = (path, body) =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

/** Queues the body of a /prompt request, given as JSON text, so that it comes as it was written. */
export function queueRequest(text) {
  return post('/prompt', text.replace(/\}\s*$/, `, "client_id": ${JSON.stringify(clientId)}}`));
}

/** Where a file that a node saved is. */
export function viewUrl({ filename, subfolder = '', type = 'output' }) {
  return `/view?${new URLSearchParams({ filename, subfolder, type })}`;
}
