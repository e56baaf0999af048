/** Nodes that make tokens, and that fill them in. */
import { combo, defineNode, string, strip } from '../../public.js';
import { tokensOf, withTokens } from './token-texts.js';

const part = string({ forceInput: true });
const described = { category: 'WAS Suite/Text/Tokens', optional: {} };

/** As in WAS, they run each time. */
let runs = 0;
const always = () => String(runs++);

export const textParseTokens = defineNode({
  ...described,
  name: 'Text Parse Tokens',
  displayName: 'Text Parse Tokens',
  description: 'A text with the tokens of this run filled in.',
  required: { text: part },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  fingerprint: always,
  run: ({ text }, { signal }) => ({ outputs: [withTokens(text, signal)] }),
});

const printed = combo(['false', 'true'], { tooltip: 'Shows the tokens that there are.' });

/** What the node shows. */
const shown = (print: 'false' | 'true', run: AbortSignal) =>
  print === 'false' ? {} : { ui: { text: [JSON.stringify(Object.fromEntries(tokensOf(run)), null, 4)] } };

export const textAddTokenByInput = defineNode({
  ...described,
  name: 'Text Add Token by Input',
  displayName: 'Text Add Token by Input',
  description: 'Makes a name a token for nodes that run later: Text Parse Tokens puts a text in its place.',
  required: { token_name: part, token_value: part, print_current_tokens: printed },
  outputs: [],
  outputNode: true,
  fingerprint: always,
  run({ token_name, token_value, print_current_tokens }, { signal }) {
    tokensOf(signal).set(token_name, token_value);
    return { outputs: [], ...shown(print_current_tokens, signal) };
  },
});

export const textAddTokens = defineNode({
  ...described,
  name: 'Text Add Tokens',
  displayName: 'Text Add Tokens',
  description: 'Makes names tokens for nodes that run later, a line each: NAME: TEXT.',
  required: {
    tokens: string({ default: '[hello]: world', multiline: true }),
    print_current_tokens: printed,
  },
  outputs: [],
  outputNode: true,
  fingerprint: always,
  run({ tokens, print_current_tokens }, { signal }) {
    for (const line of tokens.split('\n')) {
      if (line === '') continue;
      const [name, value] = line.split(':');
      if (value === undefined) throw new TypeError(`${JSON.stringify(line)} is no token; write NAME: TEXT`);
      tokensOf(signal).set(strip(name!), strip(value));
    }
    return { outputs: [], ...shown(print_current_tokens, signal) };
  },
});
