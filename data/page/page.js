/** The page as a whole: buttons, keys, files that are dropped. */
import { post, queueRequest } from './api.js';
import { moveFocus, movePicture, runAgain, showGallery, showMore } from './gallery.js';
import { follow, showQueue, stop } from './live.js';
import { showMachine } from './machine.js';
import { requestOf } from './workflow.js';

const byId = (id) => document.getElementById(id);
const NOTICE_MS = 15_000;

/** Says something in the corner. */
function tell(text, isFault = false) {
  const item = document.createElement('li');
  const close = document.createElement('button');
  item.className = isFault ? 'fault' : '';
  item.append(document.createElement('span'), close);
  item.firstChild.textContent = text;
  close.textContent = '×';
  close.setAttribute('aria-label', 'Close');
  close.addEventListener('click', () => item.remove());
  byId('notices').append(item);
  if (!isFault) setTimeout(() => item.remove(), NOTICE_MS);
}

/** Does something and says what went wrong. */
const attempt = (act) => async () => {
  try {
    await act();
  } catch (error) {
    tell(error.message, true);
  }
};

/** Files are queued in the order in which they were given. */
let queueing = Promise.resolve();

function runFiles(files) {
  const run = attempt(async () => {
    for (const file of files) {
      await queueRequest(await requestOf(file));
      tell(`${file.name} is queued`);
    }
  });
  queueing = queueing.then(run);
  return queueing;
}

const again = attempt(async () => {
  await runAgain();
  tell('Queued with another seed');
});

function toggleTheme() {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme
    ? dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  dataset.theme = isDark ? 'light' : 'dark';
  localStorage.setItem('latentd-theme', dataset.theme);
}

const keptTheme = localStorage.getItem('latentd-theme');
if (keptTheme !== null) document.documentElement.dataset.theme = keptTheme;

const actions = {
  run: () => byId('file').click(),
  theme: toggleTheme,
  keys: () => byId('help').showModal(),
  stop: attempt(stop),
  clear: attempt(() => post('/queue', JSON.stringify({ clear: true }))),
  more: attempt(showMore),
  previous: () => movePicture(-1),
  next: () => movePicture(1),
  again,
  close: () => byId('viewer').close(),
};
for (const [id, act] of Object.entries(actions)) byId(id).addEventListener('click', act);
byId('file').addEventListener('change', async ({ target }) => {
  await runFiles([...target.files]);
  target.value = '';
});

const keys = {
  o: actions.run,
  d: actions.theme,
  s: actions.stop,
  g: () => moveFocus(0),
  '?': actions.keys,
  ArrowLeft: () => moveFocus(-1),
  ArrowRight: () => moveFocus(1),
};
const viewerKeys = { ArrowLeft: actions.previous, ArrowRight: actions.next, r: again, d: actions.theme };

addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, textarea, video, pre')) return;
  if (byId('help').open) return;
  const act = (byId('viewer').open ? viewerKeys : keys)[key.length === 1 ? key.toLowerCase() : key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

const holdsFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
addEventListener('dragover', (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  byId('drop-hint').hidden = false;
});
addEventListener('dragleave', ({ relatedTarget }) => {
  if (relatedTarget === null) byId('drop-hint').hidden = true;
});
addEventListener('drop', (event) => {
  byId('drop-hint').hidden = true;
  if (!holdsFiles(event)) return;
  event.preventDefault();
  void runFiles([...event.dataTransfer.files]);
});
addEventListener('paste', ({ clipboardData }) => {
  const files = [...clipboardData.files];
  const text = clipboardData.getData('text/plain');
  if (files.length > 0) void runFiles(files);
  else if (text.trim().startsWith('{')) void runFiles([new File([text], 'What was pasted')]);
});

const refresh = attempt(async () => {
  await Promise.all([showQueue(), showGallery(), showMachine()]);
});

follow({
  onConnection(isThere) {
    byId('connection').textContent = isThere ? 'connected' : 'the daemon does not answer; trying again…';
    if (isThere) void refresh();
  },
  onOver({ state, error, title }) {
    if (state === 'failed') tell(`${title}: ${error}`, true);
    void attempt(showGallery)();
  },
});
