/** What the daemon runs on, and the models that it has. */
import { getJson } from './api.js';
import { term } from './gallery.js';

const byId = (id) => document.getElementById(id);

export async function showMachine() {
  const { system, devices } = await getJson('/system_stats');
  const facts = [
    ['Device', devices.map(({ name }) => name).join(', ')],
    ['Memory', `${size(system.ram_free)} of ${size(system.ram_total)} free`],
    ['ComfyUI', `as of ${system.comfyui_version}`],
  ];
  byId('machine-facts').replaceChildren(...facts.flatMap(([name, value]) => term(name, value)));
  const kinds = await getJson('/models');
  const lists = await Promise.all(kinds.map((kind) => getJson(`/models/${kind}`)));
  const filled = kinds.map((kind, index) => [kind, lists[index]]).filter(([, names]) => names.length > 0);
  byId('models').replaceChildren(...filled.map(([kind, names]) => modelList(kind, names)));
}

function modelList(kind, names) {
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  const list = document.createElement('ul');
  summary.textContent = `${kind.replaceAll('_', ' ')} (${names.length})`;
  list.append(
    ...names.map((name) => {
      const item = document.createElement('li');
      item.textContent = name;
      return item;
    }),
  );
  details.append(summary, list);
  return details;
}

function size(bytes) {
  return `${(bytes / 2 ** 30).toFixed(1)} GB`;
}
