/**
 * The interface definitions in proto/, as protobufjs describes them in JSON. `npm run release:client` puts this JSON in
 * place of this module, so that its one file needs no other.
 */
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { packageRoot } from '../domain/packageRoot.ts';

const protoFolder = join(packageRoot, 'proto');

const files = ['containarium/v1/container.proto', 'containarium/v1/verbs.proto', 'google/rpc/status.proto'];

function read(): protobuf.INamespace {
  const root = new protobuf.Root();
  // protobufjs has the files below google/protobuf itself.
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : join(protoFolder, target));
  root.loadSync(files, { keepCase: true });
  return root.toJSON();
}

export const definitions = read();
