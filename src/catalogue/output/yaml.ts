/**
 * YAML that means the same in YAML 1.1 and 1.2. Half of its readers keep the older version (PyYAML and with it Ansible,
 * Ruby), in which `no` is a boolean, `12:30:45` and `1_000` are numbers, and a number with an exponent has a point.
 */
import { Document, visit, type ScalarTag } from 'yaml';
import { printable, printableLines, safeJson } from '../../domain/text.ts';

/** What begins as a word is text to every reader, but for these. What begins with anything else may be a number. */
const word = /^[A-Za-z/]/;
const noText = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

/** Renders the same value as JSON does. Text with unsafe characters is in double quotes, where YAML has escapes. */
export function yamlText(document: unknown): string {
  const yaml = new Document(JSON.parse(safeJson(document)), { customTags: (tags) => [exponent, ...tags] });
  visit(yaml, {
    Scalar(_, node) {
      const { value } = node;
      if (typeof value === 'string' && (!word.test(value) || noText.test(value) || printableLines(value) !== value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return yaml
    .toString({ lineWidth: 0 })
    .split('\n')
    .map((line) => printable(line, yamlEscape))
    .join('\n');
}

const exponent: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => typeof value === 'number' && String(value).includes('e'),
  test: /^-?\d\.\d+e[-+]\d+$/,
  resolve: Number,
  stringify: ({ value }) => String(value).replace(/^(-?\d+)e/, '$1.0e'),
};

/** Returns the escape sequence of YAML 1.2.2, section 5.7. */
function yamlEscape(character: string): string {
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
}
