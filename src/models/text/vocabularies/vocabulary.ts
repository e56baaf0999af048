/** Text to tokens: what a tokenizer does before anyone adds templates, padding or weights. */
export interface Vocabulary {
  /** The tokens of `text`, special ones that it names included, without any that only begin or end a prompt. */
  encode(text: string): number[];
}
