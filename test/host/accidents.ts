/** The accidents of docs/recovery.md that need a real Incus: test/host/recovery.test.ts causes them. */
export const realAccidents: readonly string[] = [
  'A container does not boot',
  'The disk of the host is lost',
  'The database of Incus is lost',
];
