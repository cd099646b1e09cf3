import { expect, it } from 'vitest';
import { startServer, temporaryFolder } from '../support/server.ts';
import { expectedStory } from './expected.ts';
import { makeWorld, runStory } from './story.ts';

it('the simulated host answers the story of a container as expected.json records it', async () => {
  const backups = { directory: await temporaryFolder() };
  const server = await startServer({ config: { jump: { hostname: '127.0.0.1' }, backups } });
  const answers = await runStory(await makeWorld(server));
  expect(answers).toEqual(await expectedStory(answers, true));
});
