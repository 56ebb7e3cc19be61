/** Sockets for tests: temporary addresses, and promises for what callbacks report. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Identity, Stage } from '../messages/handshake.js'
import { DealerPeer, type DealerPeerOptions } from '../socket/dealer-peer.js'
import { RouterServer, type RouterServerOptions } from '../socket/router-server.js'

export function identity(stage: Stage): Identity {
  return { stage, instance: randomUUID(), pid: process.pid }
}

/** Values in the order in which they were pushed, to be awaited one by one. */
export class Inbox<T> {
  private readonly values: T[] = []
  private readonly waiting: ((value: T) => void)[] = []

  push(value: T): void {
    const waiter = this.waiting.shift()
    if (waiter) waiter(value)
    else this.values.push(value)
  }

  next(): Promise<T> {
    if (this.values.length > 0) return Promise.resolve(this.values.shift() as T)
    return new Promise(resolve => this.waiting.push(resolve))
  }

  get size(): number {
    return this.values.length
  }
}

/** Resolves when `condition` holds; looks after every turn of the event loop. The test's time limit bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

/** Everything opened through it is closed after each test. */
export function testSockets() {
  const closers: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
  })
  const directory = () => {
    const path = mkdtempSync(join(tmpdir(), 'hotpath-'))
    closers.push(() => rmSync(path, { recursive: true, force: true }))
    return path
  }
  return {
    directory,
    endpoint: () => `ipc://${join(directory(), 'test.sock')}`,
    onClose: (close: () => unknown) => void closers.push(close),
    async server(options: Omit<RouterServerOptions, 'identity'> & { identity?: Identity }): Promise<RouterServer> {
      const server = new RouterServer({ identity: identity('store'), ...options })
      await server.start()
      closers.push(() => server.stop())
      return server
    },
    peer(options: Omit<DealerPeerOptions, 'identity'> & { identity?: Identity }): DealerPeer {
      const peer = new DealerPeer({ identity: identity('client'), ...options })
      peer.start()
      closers.push(() => peer.stop())
      return peer
    },
  }
}
