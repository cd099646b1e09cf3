/** Draws a form: one line per field, with the field's error beside it. */
import { Box, Text, useCursor } from 'ink';
import type { ReactElement } from 'react';
import stringWidth from 'string-width';
import { capitalised } from '../../catalogue/declaration/show.ts';
import { printable } from '../../domain/text.ts';
import { windowOf } from '../composer/window.ts';
import { pad, wordWrap } from '../items/fit.ts';
import { signs, styles, tones } from '../items/theme.ts';
import type { FieldState, FormDialog, FormState } from './formDialog.ts';

export interface FormViewProps {
  readonly form: FormDialog;
  readonly state: FormState;
  readonly columns: number;
  readonly rows: number;
  readonly top: number;
}

/** Rows besides the fields: title, explanation, button, keys. */
const otherRows = 4;

export function FormView({ form, state, columns, rows, top }: FormViewProps): ReactElement {
  const { fields, at, error } = state;
  const { setCursorPosition } = useCursor();
  const current = fields[at];
  const text = printable(explain(form, current, error)) || ' ';
  const isWrong = error !== undefined || current?.judgement.error !== undefined;
  // An error is read as a whole, if need be in place of some fields.
  const lines = isWrong ? wordWrap(text, columns - 1).slice(0, Math.max(1, rows - otherRows)) : [text];
  const room = Math.max(1, Math.min(fields.length, rows - otherRows + 1 - lines.length));
  const first = Math.max(0, Math.min(at - room + 1, fields.length - room));
  const shown = fields.slice(first, first + room);
  const labels = Math.max(...fields.map(({ field }) => stringWidth(field.label))) + 1;
  const values = Math.max(8, columns - labels - 6);
  setCursorPosition(
    current === undefined
      ? { x: 2, y: top + 1 + room + lines.length }
      : { x: Math.min(columns - 1, 2 + labels + 1 + windowOf(current.line, values).column), y: top + 1 + at - first },
  );
  const isOnButton = at === fields.length;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate" {...styles.heading}>
        {form.verb.summary}
      </Text>
      {shown.map((fieldState, i) => (
        <FieldLine
          key={fieldState.field.name}
          state={fieldState}
          active={first + i === at}
          labels={labels}
          values={values}
          columns={columns}
          about={form.about(fieldState.field)}
        />
      ))}
      {lines.map((line, i) => (
        <Text key={i} wrap="truncate" {...(isWrong ? tones.bad : tones.quiet)}>
          {line}
        </Text>
      ))}
      <Text wrap="truncate">
        <Text {...(isOnButton ? styles.prompt : {})}>{isOnButton ? signs.prompt : ' '} </Text>
        <Text {...(isOnButton ? styles.focused : {})}>{`[ ${verbTitle(form.verb.name)} ]`}</Text>
      </Text>
      <Text wrap="truncate" {...tones.quiet}>
        Tab and arrows move, Enter accepts, Esc cancels{form.hasPlan ? ', Ctrl-T shows the plan' : ''}
      </Text>
    </Box>
  );
}

function explain(form: FormDialog, current: FieldState | undefined, error: string | undefined): string {
  if (error !== undefined) return error;
  if (current === undefined) return 'Press Enter to confirm';
  const { judgement, field } = current;
  if (judgement.error !== undefined) return judgement.error;
  const known = form.about(field);
  const notes = [...(field.required ? [] : ['optional']), ...(known === '' ? [] : [known])].join('; ');
  return (
    judgement.about ??
    `${field.says}${field.kind === 'switch' ? '; Space changes it' : ''}${notes === '' ? '' : ` (${notes})`}`
  );
}

interface FieldLineProps {
  readonly state: FieldState;
  readonly active: boolean;
  readonly labels: number;
  readonly values: number;
  readonly columns: number;
  /** What is known of its value, shown while it is empty. */
  readonly about: string;
}

function FieldLine({
  state: { field, line, judgement },
  active,
  labels,
  values,
  columns,
  about,
}: FieldLineProps): ReactElement {
  const isEmpty = line.text === '';
  const shown = isEmpty
    ? field.kind === 'switch'
      ? 'as configured'
      : printable(about)
    : field.kind === 'switch'
      ? line.text
      : printable(windowOf(line, values).text.replaceAll('\n', ' '));
  const mark =
    judgement.error === undefined ? (judgement.about === undefined ? '' : ` ${signs.done}`) : ` ${signs.failed}`;
  const reason = judgement.error === undefined || active ? '' : ` ${judgement.error}`;
  const rest = columns - labels - 4 - stringWidth(shown) - stringWidth(mark) - 1;
  return (
    <Text wrap="truncate">
      <Text {...(active ? styles.prompt : {})}>{active ? signs.prompt : ' '} </Text>
      <Text {...styles.label}>{pad(`${field.label}:`, labels)} </Text>
      <Text {...(isEmpty ? tones.quiet : {})}>{shown}</Text>
      <Text {...(judgement.error === undefined ? tones.good : tones.bad)}>
        {mark}
        {stringWidth(printable(reason)) <= rest ? printable(reason) : ''}
      </Text>
    </Text>
  );
}

/** Returns the name of a verb for a button. An abbreviation keeps its capitals. */
function verbTitle(name: string): string {
  return capitalised(name).replace(/^(?:Ttl|Ca)\b/, (word) => word.toUpperCase());
}
