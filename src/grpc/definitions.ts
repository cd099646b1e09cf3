/**
 * The interface definitions in proto/, as protobufjs describes them in JSON. `npm run release:client` puts this JSON in
 * place of this module, so that its one file needs no other.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const protoFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'proto');

const files = ['containarium/v1/container.proto', 'containarium/v1/verbs.proto', 'google/rpc/status.proto'];

function read(): protobuf.INamespace {
  const root = new protobuf.Root();
  // protobufjs has the files below google/protobuf itself.
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : join(protoFolder, target));
  root.loadSync(files, { keepCase: true });
  return root.toJSON();
}

export const definitions = read();
