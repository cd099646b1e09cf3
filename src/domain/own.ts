/**
 * Returns what a record itself has under a name, for names that come from outside: every object also answers to
 * `constructor`, which is a valid label and a valid user name.
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
