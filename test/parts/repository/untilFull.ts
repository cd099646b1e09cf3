/** Makes a backup that is larger than a file may be, and prints how that ended. Run by repository.test.ts. */
import { Failure } from '../../../src/domain/failure.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { DirectoryStore } from '../../../src/repository/stores/directory.ts';
import { compressedExport } from '../../support/exports.ts';

// The default action would end the process before write(2) could return EFBIG.
process.on('SIGXFSZ', () => undefined);

const repository = new Repository([new DirectoryStore(process.argv[2] ?? '')], []);
const name = { id: '20261129-120000-abcd', container: 'alice-container' };
const about = { ...name, user: 'alice', createdAt: new Date().toISOString(), createdBy: '', incusVersion: '' };
const large = Buffer.from(Array.from({ length: 1_000_000 }, () => Math.floor(Math.random() * 256)));
const code = await repository
  .write({ ...about, config: {}, devices: {} }, compressedExport({ '/large': large }), { now: () => new Date() })
  .then(
    () => 'ok',
    (error: unknown) => Failure.from(error).code,
  );
const { length: listed } = await repository.list();
await repository.clear(name);
console.log(JSON.stringify({ code, listed }));
