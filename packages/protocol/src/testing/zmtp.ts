/** A raw ZMTP 3 connection that can say things a real one would not. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Signature, version 3.0, mechanism NULL. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(64)
  bytes[0] = 0xff
  bytes[9] = 0x7f
  bytes[10] = 3
  bytes.write('NULL', 12, 'latin1')
  return bytes
}

function property(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(1 + name.length + 4 + value.length)
  bytes[0] = name.length
  bytes.write(name, 1, 'latin1')
  bytes.writeUInt32BE(value.length, 1 + name.length)
  bytes.write(value, 5 + name.length, 'latin1')
  return bytes
}

export function readyCommand(): Buffer {
  const body = Buffer.concat([Buffer.from('\x05READY'), property('Socket-Type', 'DEALER'), property('Identity', '')])
  return Buffer.concat([Buffer.of(0x04, body.length), body])
}

/** A frame that announces `declared` bytes, whatever follows. */
export function frame(body: Uint8Array, declared = body.byteLength, more = false): Buffer {
  const head = Buffer.alloc(9)
  head[0] = 0x02 | (more ? 0x01 : 0)
  head.writeBigUInt64BE(BigInt(declared), 1)
  return Buffer.concat([head, body])
}

/** Connects to an `ipc://` address. */
export async function rawConnection(endpoint: string): Promise<Socket> {
  const socket = connect(endpoint.slice('ipc://'.length))
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Connects and completes the ZMTP handshake. */
export async function rawDealer(endpoint: string): Promise<Socket> {
  const socket = await rawConnection(endpoint)
  socket.write(greeting())
  let seen = 0
  // Its greeting is 64 bytes; its READY follows ours.
  while (seen < 64) seen += ((await once(socket, 'data'))[0] as Buffer).length
  socket.write(readyCommand())
  if (seen === 64) await once(socket, 'data')
  return socket
}

/** Resolves when the connection is closed, in order or not. */
export function closed(socket: Socket): Promise<void> {
  socket.resume()
  return new Promise(resolve => socket.once('close', () => resolve()))
}
