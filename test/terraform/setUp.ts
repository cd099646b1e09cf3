/** Builds the programs of these tests before the first file: one build, not one in each worker. */
import { skipReason, stubProviders, tflint } from './tools.ts';

export async function setup(): Promise<void> {
  if (skipReason !== undefined) return;
  await stubProviders();
  await tflint();
}
