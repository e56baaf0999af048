/** Text of HTML and SVG. */

/** What has been escaped already. */
export type Markup = string & { readonly markup: true };

export function escaped(text: string): Markup {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;') as Markup;
}

type Attributes = Readonly<Record<string, string | number>>;

/** An element; children that are plain text are escaped. */
export function element(
  tag: string,
  attributes: Attributes,
  ...children: readonly (Markup | readonly Markup[])[]
): Markup {
  const list = Object.entries(attributes).map(([name, value]) => {
    const text = typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
    return ` ${name}="${escaped(text)}"`;
  });
  return `<${tag}${list.join('')}>${children.flat().join('')}</${tag}>` as Markup;
}
