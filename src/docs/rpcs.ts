/** The page of the calls of the remote interface, from the proto files. */
import protobuf from 'protobufjs';
import { definitions } from '../grpc/definitions.ts';
import { rpcVerbs } from '../grpc/rpcVerbs.ts';
import { inline, page, section, table } from './markdown.ts';

export function rpcsPage(): string {
  const root = protobuf.Root.fromJSON(definitions).resolveAll();
  const names = ['ContainerService', 'VerbService'];
  return page(
    'Calls of the remote interface',
    'For people who write clients: every call of the two services, with the fields of its messages. The files are in `proto/`; [remote.md](remote.md) shows how to connect.',
    ...names.map((name) => servicePart(root.lookupService(`containarium.v1.${name}`))),
  );
}

function servicePart(service: protobuf.Service): string {
  const rows = service.methodsArray.map((method) => {
    const verb = rpcVerbs[method.name];
    return [
      inline(method.name),
      fieldsOf(method.resolvedRequestType) + (method.requestStream === true ? ' (stream)' : ''),
      fieldsOf(method.resolvedResponseType) + (method.responseStream === true ? ' (stream)' : ''),
      verb === undefined ? '' : `[${verb}](verbs/${verb.replaceAll(' ', '-')}.md)`,
    ];
  });
  return section(service.fullName.slice(1), table(['Call', 'Request', 'Response', 'Verb'], rows));
}

/** Returns the fields of a message as the proto file has them: name, number and type. */
function fieldsOf(type: protobuf.Type | null): string {
  const fields = type?.fieldsArray ?? [];
  if (fields.length === 0) return 'empty';
  return fields
    .map((field) => {
      const kind = field instanceof protobuf.MapField ? `map<${field.keyType}, ${field.type}>` : field.type;
      return `${inline(`${field.name} = ${field.id}`)} ${field.repeated ? 'repeated ' : ''}${kind}`;
    })
    .join(', ');
}
