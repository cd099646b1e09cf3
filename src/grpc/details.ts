/** Encodes google.rpc.Status with a google.rpc.ErrorInfo in it (proto/google/rpc/status.proto). */
import protobuf from 'protobufjs';
import { definitions } from './definitions.ts';

interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const typeUrl = 'type.googleapis.com/google.rpc.ErrorInfo';

const loaded = protobuf.Root.fromJSON(definitions);
function type(name: string): protobuf.Type {
  return loaded.lookupType(`google.rpc.${name}`);
}

export function encodeStatus({
  code,
  message,
  info,
}: {
  readonly code: number;
  readonly message: string;
  readonly info: ErrorInfo;
}): Buffer {
  const value = type('ErrorInfo').encode(info).finish();
  const status = { code, message, details: [{ type_url: typeUrl, value }] };
  return Buffer.from(type('Status').encode(status).finish());
}
