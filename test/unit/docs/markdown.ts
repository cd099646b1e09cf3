/** Extraction of code and links from Markdown. */

/**
 * Returns the lines of code blocks and the pieces of inline code. A backslash at the end of a line continues it. In a
 * block with `$ ` prompts, lines without a prompt are output. A line with box-drawing characters is a picture.
 */
export function codeIn(markdown: string): string[] {
  const found: string[] = [];
  let fence: string | undefined;
  let block: string[] = [];
  for (const line of markdown.split('\n')) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence !== undefined && mark !== undefined && line.trim() === fence) {
      found.push(...linesOf(block));
      fence = undefined;
    } else if (fence !== undefined) {
      block.push(line);
    } else if (mark !== undefined) {
      fence = mark;
      block = [];
    } else if (/^( {4}|\t)/.test(line)) {
      found.push(...linesOf([line]));
    } else {
      found.push(...[...line.matchAll(/(`+)(.+?)\1/g)].map((match) => (match[2] ?? '').trim()));
    }
  }
  return found.filter((text) => text !== '' && !/[\u2500-\u259f]/.test(text));
}

function linesOf(block: readonly string[]): string[] {
  const lines = block
    .join('\n')
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim());
  return lines.some((line) => line.startsWith('$ ')) ? lines.filter((line) => line.startsWith('$ ')) : lines;
}

/** Returns the targets of relative links, `[text](target)`, without their anchors. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replace(/^\s*(```+|~~~+)[^]*?^\s*\1\s*$/gm, '').replace(/(`+).+?\1/g, '');
  return [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target) && !target.startsWith('#'))
    .map((target) => target.replace(/#.*$/, ''));
}
