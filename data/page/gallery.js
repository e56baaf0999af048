/** Pictures of jobs that are over, newest first, and the workflow behind each. */
import { getJson, queueRequest, viewUrl } from './api.js';
import { factsOf, titleOf, withNewSeeds } from './workflow.js';

const byId = (id) => document.getElementById(id);
const JOBS_AT_ONCE = 50;

/** `{ file, prompt, id }`. */
let pictures = [];
let wanted = JOBS_AT_ONCE;
let open = -1;

/** Shows the newest. */
export async function showGallery() {
  const history = Object.entries(await getJson(`/history?max_items=${wanted}`));
  pictures = history.flatMap(([id, entry]) => picturesOf(id, entry)).reverse();
  byId('more').hidden = history.length < wanted;
  byId('no-pictures').hidden = pictures.length > 0;
  byId('pictures').replaceChildren(...pictures.map(pictureItem));
}

export async function showMore() {
  wanted += JOBS_AT_ONCE;
  await showGallery();
}

function picturesOf(id, { prompt: [, , prompt], outputs }) {
  return Object.values(outputs).flatMap(({ images = [], gifs = [] }) =>
    [...images, ...gifs].map((file) => ({ id, prompt, file })),
  );
}

function pictureItem(picture, index) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  const title = titleOf(picture.prompt);
  button.title = title;
  button.setAttribute('aria-label', title);
  button.append(shown(picture.file, { lazy: true }));
  button.addEventListener('click', () => openPicture(index));
  item.append(button);
  return item;
}

/** A picture, or a film. */
function shown(file, { lazy }) {
  const isFilm = /\.(mp4|webm|mov|mkv)$/i.test(file.filename);
  const element = document.createElement(isFilm ? 'video' : 'img');
  element.src = viewUrl(file);
  if (isFilm) {
    element.muted = true;
    element.controls = !lazy;
    element.preload = 'metadata';
  } else {
    element.alt = '';
    if (lazy) element.loading = 'lazy';
  }
  return element;
}

/** From one to the next with the arrow keys. */
export function moveFocus(steps) {
  const buttons = [...byId('pictures').querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  buttons[Math.min(Math.max(at + steps, 0), buttons.length - 1)]?.focus();
}

export function openPicture(index) {
  const picture = pictures[index];
  if (picture === undefined) return;
  open = index;
  const { file, prompt, id } = picture;
  byId('viewer-title').textContent = file.filename;
  byId('viewer-picture').replaceChildren(shown(file, { lazy: false }));
  byId('viewer-facts').replaceChildren(...factsOf(prompt).flatMap(([name, value]) => term(name, value)));
  const workflow = JSON.stringify(prompt, null, 2);
  byId('viewer-workflow').textContent = workflow;
  const download = byId('download');
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([workflow], { type: 'application/json' }));
  download.download = `${file.filename.replace(/\.[^.]*$/, '')}-${id.slice(0, 8)}.json`;
  byId('original').href = viewUrl(file);
  byId('previous').disabled = index === 0;
  byId('next').disabled = index === pictures.length - 1;
  if (!byId('viewer').open) byId('viewer').showModal();
}

export function movePicture(steps) {
  openPicture(open + steps);
}

/** Runs the open picture's workflow with other seeds. */
export async function runAgain() {
  const picture = pictures[open];
  if (picture !== undefined) await queueRequest(`{"prompt": ${withNewSeeds(picture.prompt)}}`);
}

export function term(name, value) {
  const [title, text] = [document.createElement('dt'), document.createElement('dd')];
  title.textContent = name;
  text.textContent = value;
  return [title, text];
}
