import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** A window and some scripts; each is a connection of the HTTP server, too. */
export const MAX_SOCKETS = 64
/** Twice the longest search of an address, as JSON. */
export const MAX_COMMAND_BYTES = 32_768

/** RFC 6455, section 7.4.1: the endpoint goes away. */
const CLOSE_GOING_AWAY = 1001

/** All WebSockets. Access was decided before a request comes here. */
export class LiveSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    // Compression would keep a window of 300 KB for each socket, and nothing here leaves the machine.
    perMessageDeflate: false,
    maxPayload: MAX_COMMAND_BYTES,
  })

  /** Those that are open. */
  get all(): ReadonlySet<WebSocket> {
    return this.#server.clients
  }

  get isFull(): boolean {
    return this.all.size >= MAX_SOCKETS
  }

  /** Takes over a connection whose request `isHandshake` accepts. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, use: (opened: WebSocket) => void): void {
    this.#server.handleUpgrade(request, socket, head, use)
  }

  /** Says goodbye. */
  close(): void {
    for (const socket of this.#server.clients) socket.close(CLOSE_GOING_AWAY, 'the gateway stops')
  }

  /** Cuts what has not said goodbye. */
  cut(): void {
    for (const socket of this.#server.clients) socket.terminate()
  }
}

/** Whether a request opens a WebSocket (RFC 6455, section 4.2.1). */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  )
}
