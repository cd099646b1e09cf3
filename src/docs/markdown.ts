/** The few pieces of Markdown that the generated pages are made of. */

/** What every generated page begins with, for whoever opens the file to change it. */
export const generatedNote =
  '<!-- Made by "npm run docs" from the catalogue and the settings. Changes by hand are lost, and a test finds them. -->';

export function page(title: string, ...parts: readonly string[]): string {
  return `${[generatedNote, `# ${title}`, ...parts.filter((part) => part !== '')].join('\n\n')}\n`;
}

export function section(title: string, ...parts: readonly string[]): string {
  return [`## ${title}`, ...parts.filter((part) => part !== '')].join('\n\n');
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

export function code(lines: readonly string[], language = 'sh'): string {
  return ['```' + language, ...lines, '```'].join('\n');
}

export function inline(text: string): string {
  return `\`${text}\``;
}

/** A phrase of the catalogue as a sentence. */
export function sentence(text: string): string {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}
