/** The accidents of docs/recovery.md that need a real Incus: test/host/recovery.test.ts causes them. */
export const realAccidents: readonly string[] = ['A container does not boot', 'The disk of the host is lost'];

/** Those that no test causes yet. The page says so in their sections. */
export const untriedAccidents: readonly string[] = ['The database of Incus is lost'];
