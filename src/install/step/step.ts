/** One part of an installation, which can say what it would do before it does it. */
export interface Step {
  /** Returns a sentence for each change that `apply` would make now. Rejects if `apply` would refuse. */
  survey(): Promise<readonly string[]>;
  /** Reports whether this step would bring what the later ones look at, so that their survey would be wrong. */
  conceals?(): Promise<boolean>;
  /** Makes the changes, and says each one first. Does nothing if there is nothing to do. */
  apply(): Promise<void>;
}

/** Returns what the steps would change, in their order, as far as it can be known before the first one is made. */
export async function surveyAll(steps: readonly Step[]): Promise<string[]> {
  const changes: string[] = [];
  for (const step of steps) {
    changes.push(...(await step.survey()));
    if (await step.conceals?.())
      return [...changes, 'Then install what this machine lacks: what is on the disk decides, and stays as it is'];
  }
  return changes;
}

export type Say = (line: string) => void;
