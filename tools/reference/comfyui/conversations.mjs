/** What is said to a server, and waited for; what it answers is kept. */
import { crc32, deflateSync } from 'node:zlib';

const ids = Array.from(
  { length: 60 },
  (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
);

const flat = (color, prefix = 'flat') => ({
  1: { class_type: 'EmptyImage', inputs: { width: 16, height: 8, batch_size: 1, color } },
  2: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
  3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: prefix } },
});

const drawn = (seed, steps = 3) => ({
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd15-tiny.safetensors' } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a knight', clip: ['4', 1] } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
  3: {
    class_type: 'KSampler',
    inputs: {
      seed,
      steps,
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  8: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  9: { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'drawn' } },
});

/** Long enough that what is said meanwhile arrives before its end. */
const slow = (seed) => drawn(seed, 2000);

const without = (prompt, node, input) => {
  const inputs = Object.fromEntries(Object.entries(prompt[node].inputs).filter(([name]) => name !== input));
  return { ...prompt, [node]: { ...prompt[node], inputs } };
};
const withInput = (prompt, node, inputs) => {
  return { ...prompt, [node]: { ...prompt[node], inputs: { ...prompt[node].inputs, ...inputs } } };
};

/** A grey PNG of 16×16, in RGB. */
function grey(value) {
  const chunk = (type, body) => {
    const bytes = Buffer.concat([Buffer.from(type, 'latin1'), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(bytes));
    return Buffer.concat([length, bytes, sum]);
  };
  const header = Buffer.from([0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 0]);
  const rows = Buffer.concat(
    Array.from({ length: 16 }, () => Buffer.concat([Buffer.of(0), Buffer.alloc(48, value)])),
  );
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const SUCCESS = ['executing', ({ node }) => node === null];

/** Each is held after the ones before it; `t` is a `Talk`. */
export const conversations = {
  async 'a sound prompt'(t) {
    await t.open('a');
    await t.prompt(flat(0xff0000), { client_id: 'a', prompt_id: ids[0] });
    await t.until('a', ids[0], ...SUCCESS);
    await t.get(`/history/${ids[0]}`);
    await t.get('/view?filename=flat_00001_.png&type=output', 'head');
  },
  async 'the same again: all is known'(t) {
    await t.open('a');
    await t.prompt(flat(0xff0000), { client_id: 'a', prompt_id: ids[1] });
    await t.until('a', ids[1], ...SUCCESS);
    await t.get(`/history/${ids[1]}`);
  },
  async 'a picture is drawn'(t) {
    await t.open('a');
    await t.prompt(drawn(1), {
      client_id: 'a',
      prompt_id: ids[2],
      extra_data: { extra_pnginfo: { workflow: { id: 'w' } } },
    });
    await t.until('a', ids[2], ...SUCCESS);
    await t.get(`/history/${ids[2]}`);
    await t.get(`/api/jobs/${ids[2]}`);
  },
  async 'another seed: most is known'(t) {
    await t.open('a');
    await t.prompt(drawn(1844674407370955), { client_id: 'a', prompt_id: ids[3] });
    await t.until('a', ids[3], ...SUCCESS);
    await t.get(`/history/${ids[3]}`);
  },
  async 'a missing input'(t) {
    await t.prompt(without(drawn(1), 3, 'cfg'), {});
  },
  async 'values that can not be'(t) {
    await t.prompt(
      withInput(drawn(1), 3, { sampler_name: 'no such sampler', steps: 0, cfg: 'much', denoise: 2 }),
      {},
    );
    await t.prompt(withInput(drawn(1), 4, { ckpt_name: 'missing.safetensors' }), {});
    await t.prompt(withInput(drawn(1), 3, { positive: ['4', 0] }), {});
    await t.prompt(withInput(flat(1), 2, { image: ['1'] }), {});
    await t.prompt(withInput(flat(1), 3, { images: ['2', 0], filename_prefix: 5 }), {
      client_id: 'nobody',
      prompt_id: ids[4],
    });
    await t.idle();
  },
  async 'classes that are not there'(t) {
    await t.prompt({ 1: { class_type: 'NoSuchNode', inputs: {} } }, {});
    await t.prompt({ 1: { class_type: 'NoSuchNode', inputs: {}, _meta: { title: 'My node' } } }, {});
  },
  async 'nothing to do'(t) {
    await t.prompt({}, {});
    await t.prompt(
      { 1: { class_type: 'EmptyImage', inputs: { width: 1, height: 1, batch_size: 1, color: 0 } } },
      {},
    );
    await t.post('/prompt', { client_id: 'a' });
    await t.prompt(flat(2), { prompt_id: 'not-a-uuid' });
    await t.prompt(flat(2), { prompt_id: ids[5].toUpperCase().replace('00000000', 'ABCDEF00') });
  },
  async 'a sound output beside a faulty one'(t) {
    await t.open('a');
    const both = { ...flat(3, 'beside'), 9: { class_type: 'SaveImage', inputs: { filename_prefix: 'x' } } };
    await t.prompt(both, { client_id: 'a', prompt_id: ids[6] });
    await t.until('a', ids[6], ...SUCCESS);
    await t.get(`/history/${ids[6]}`);
  },
  async 'a node that throws'(t) {
    await t.open('a');
    const broken = {
      ...flat(4, 'broken'),
      7: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: '../../outside' } },
    };
    await t.prompt(broken, { client_id: 'a', prompt_id: ids[7] });
    await t.until('a', ids[7], ...SUCCESS);
    await t.get(`/history/${ids[7]}`);
    await t.get(`/api/jobs/${ids[7]}`);
  },
  async 'interrupted while it runs'(t) {
    await t.open('a', { thin: true });
    await t.prompt(slow(5), { client_id: 'a', prompt_id: ids[8] });
    await t.until('a', ids[8], 'progress');
    await t.get('/queue');
    await t.post('/interrupt');
    await t.until('a', ids[8], ...SUCCESS);
    await t.get(`/history/${ids[8]}`);
    await t.get(`/api/jobs/${ids[8]}`);
  },
  async 'interrupts that mean another'(t) {
    await t.open('a', { thin: true });
    await t.prompt(slow(6), { client_id: 'a', prompt_id: ids[9] });
    await t.until('a', ids[9], 'progress');
    await t.post('/interrupt', { prompt_id: ids[0] });
    await t.post(`/api/jobs/${ids[0]}/cancel`, {});
    await t.post('/api/jobs/not-known/cancel', {});
    await t.post('/api/jobs/cancel', { job_ids: [ids[0], 'x'] });
    await t.post('/api/jobs/cancel', { job_ids: 'x' });
    await t.post(`/api/jobs/${ids[9]}/cancel`, {});
    await t.until('a', ids[9], ...SUCCESS);
  },
  async 'taken out of the queue'(t) {
    await t.open('a', { thin: true });
    await t.prompt(slow(7), { client_id: 'a', prompt_id: ids[10] });
    await t.until('a', ids[10], 'progress');
    await t.prompt(flat(7), { client_id: 'a', prompt_id: ids[11] });
    await t.prompt(flat(8), { client_id: 'a', prompt_id: ids[12] });
    await t.get('/queue');
    await t.get(`/api/jobs/${ids[11]}`);
    await t.post('/queue', { delete: [ids[11], ids[0], 'unknown'] });
    await t.get('/queue');
    await t.post('/queue', { clear: true });
    await t.get('/queue');
    await t.get(`/history/${ids[11]}`);
    await t.get(`/api/jobs/${ids[11]}`);
    await t.post('/interrupt', { prompt_id: ids[10] });
    await t.until('a', ids[10], ...SUCCESS);
  },
  async 'first, and anywhere in the queue'(t) {
    await t.open('a', { thin: true });
    await t.prompt(slow(8), { client_id: 'a', prompt_id: ids[13] });
    await t.until('a', ids[13], 'progress');
    await t.prompt(flat(9), { prompt_id: ids[14], number: 1000 });
    await t.prompt(flat(10), { prompt_id: ids[15], number: 999.5 });
    await t.prompt(flat(11), { prompt_id: ids[16], number: -1000 });
    const { queue_pending: pending } = await t.ask('/queue');
    t.say(
      'order',
      pending.toSorted((a, b) => a[0] - b[0]).map(([number, id]) => [number, id]),
    );
    await t.prompt(flat(12), { prompt_id: ids[17], front: true }, 'without its number');
    await t.post('/queue', { clear: true });
    await t.post('/interrupt');
    await t.until('a', ids[13], ...SUCCESS);
  },
  async 'two clients hear of their own prompts'(t) {
    await t.open('a');
    await t.open('b');
    await t.prompt(flat(13, 'mine'), { client_id: 'a', prompt_id: ids[18] });
    await t.prompt(flat(14, 'yours'), { client_id: 'b', prompt_id: ids[19] });
    await t.until('a', ids[18], ...SUCCESS);
    await t.until('b', ids[19], ...SUCCESS);
  },
  async 'a prompt of nobody'(t) {
    await t.open('a');
    await t.prompt(drawn(21), { prompt_id: ids[20] });
    await t.idle();
    await t.get(`/history/${ids[20]}`);
  },
  async 'previews of temporary pictures, and parts of a prompt'(t) {
    await t.open('a');
    const two = { ...flat(15, 'left out'), 4: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } } };
    await t.prompt(two, { client_id: 'a', prompt_id: ids[21], partial_execution_targets: ['4'] });
    await t.until('a', ids[21], ...SUCCESS);
    await t.get(`/history/${ids[21]}`);
    await t.prompt(two, { partial_execution_targets: ['1'] });
  },
  async 'files go in and come out'(t) {
    await t.upload('grey.png', grey(100));
    await t.upload('grey.png', grey(100));
    await t.upload('grey.png', grey(101));
    await t.upload('grey.png', grey(102), { overwrite: 'true' });
    await t.upload('deep.png', grey(103), { subfolder: 'a/b', type: 'temp' });
    await t.upload('../outside.png', grey(104));
    await t.upload('x.png', grey(104), { subfolder: '../..' });
    for (const query of [
      'filename=grey.png&type=input',
      'filename=grey.png%20%5Binput%5D',
      'filename=deep.png&subfolder=a/b&type=temp',
      'filename=grey.png',
      'filename=../grey.png&type=input',
      'filename=/etc/passwd&type=input',
      'filename=grey.png&type=nowhere',
      'filename=grey.png&type=input&subfolder=../..',
      'filename=grey.png&type=input&preview=webp;50',
      'filename=grey.png&type=input&preview=jpeg',
      'filename=grey.png&type=input&channel=rgb',
      'filename=grey.png&type=input&channel=a',
      'type=input',
    ]) {
      await t.get(`/view?${query}`, 'head');
    }
    const loaded = {
      1: { class_type: 'LoadImage', inputs: { image: 'grey.png' } },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'loaded' } },
    };
    await t.open('a');
    await t.prompt(loaded, { client_id: 'a', prompt_id: ids[22] });
    await t.until('a', ids[22], ...SUCCESS);
  },
  async histories(t) {
    const all = await t.ask('/history');
    t.say('ids', Object.keys(all));
    for (const query of [
      'max_items=2',
      'max_items=3&offset=1',
      'offset=4',
      'max_items=0',
      'max_items=2&offset=-1',
    ]) {
      t.say(query, Object.keys(await t.ask(`/history?${query}`)));
    }
    await t.get('/history/unknown');
    await t.post('/history', { delete: [ids[0], 'unknown'] });
    t.say('without the first', Object.keys(await t.ask('/history')));
    for (const query of [
      'limit=2',
      'limit=2&offset=3&sort_order=asc',
      'status=failed,cancelled',
      'status=completed&limit=1',
    ]) {
      const { jobs, pagination } = await t.ask(`/api/jobs?${query}`);
      t.say(query, { jobs: jobs.map(({ id, status }) => [id, status]), pagination });
    }
    for (const query of ['status=odd', 'limit=0', 'limit=x', 'offset=x', 'sort_by=x', 'sort_order=x']) {
      await t.get(`/api/jobs?${query}`);
    }
    await t.get('/api/jobs/unknown');
    await t.post('/history', { clear: true });
    await t.get('/history');
  },
  async 'what there is'(t) {
    await t.get('/object_info/EmptyImage');
    await t.get('/object_info/KSamplerAdvanced');
    await t.get('/object_info/CheckpointLoaderSimple');
    await t.get('/api/object_info/NoSuchNode');
    await t.get('/models/checkpoints');
    await t.get('/models/nothing');
    await t.get('/embeddings');
    await t.get('/api/embeddings');
    await t.get('/extensions');
    await t.get('/features');
    await t.get('/prompt');
    await t.get('/view_metadata/checkpoints?filename=missing.safetensors');
    await t.get('/view_metadata/checkpoints');
  },
  async 'what a user keeps'(t) {
    await t.get('/settings');
    await t.post('/settings', { 'Comfy.A': 1, 'Comfy.B': 'two' });
    await t.post('/settings/Comfy.C', [3]);
    await t.get('/settings');
    await t.get('/settings/Comfy.B');
    await t.get('/settings/Comfy.None');
    await t.get('/userdata');
    await t.get('/userdata?dir=workflows');
    await t.post('/userdata/workflows%2Fone.json', { one: 1 });
    await t.post('/userdata/workflows%2Fone.json?overwrite=false', { one: 2 });
    await t.post('/userdata/workflows%2Fdeep%2Ftwo.json', { two: 2 });
    await t.post('/userdata/..%2F..%2Foutside.json', {});
    await t.get('/userdata?dir=workflows');
    await t.get('/userdata?dir=workflows&recurse=true&split=true');
    await t.get('/userdata/workflows%2Fone.json');
    await t.get('/userdata/workflows%2Fmissing.json');
    await t.post('/userdata/workflows%2Fone.json/move/workflows%2Fthree.json', {});
    await t.get('/userdata?dir=workflows&recurse=true');
    await t.request('DELETE', '/userdata/workflows%2Fthree.json');
    await t.request('DELETE', '/userdata/workflows%2Fthree.json');
    await t.get('/userdata?dir=workflows&recurse=true');
  },
};
