import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { NotifySocket } from './notify-socket.js'

/** Binds a datagram socket, says so, and prints each message it gets as JSON. */
const LISTENER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1))
print('ready', flush=True)
while True: print(json.dumps(s.recv(65536).decode()), flush=True)
`

let listener: ChildProcess | undefined
const directory = mkdtempSync(join(tmpdir(), 'hotpath-notify-'))

afterEach(async () => {
  if (listener === undefined) return
  listener.kill('SIGKILL')
  await once(listener, 'close')
  listener = undefined
})

async function listen(address: string): Promise<() => string[]> {
  const child = spawn('python3', ['-c', LISTENER, address], { stdio: ['ignore', 'pipe', 'inherit'] })
  listener = child
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  await expect.poll(() => text).toContain('ready\n')
  return () =>
    text
      .split('\n')
      .slice(1, -1)
      .map(line => JSON.parse(line))
}

test.each(['path', 'abstract'])('messages arrive whole at a socket with a name that is %s', async kind => {
  const address = kind === 'path' ? join(directory, 'notify') : `@hotpath-notify-${process.pid}`
  const messages = await listen(address)
  const socket = new NotifySocket(address)
  expect(socket.send('READY=1\nSTATUS=ä')).toBe(true)
  expect(socket.send('WATCHDOG=1')).toBe(true)
  await expect.poll(messages).toEqual(['READY=1\nSTATUS=ä', 'WATCHDOG=1'])
  socket.close()
  socket.close()
  expect(socket.send('STOPPING=1')).toBe(false)
})

test('where nobody listens a message is lost, and the reason is known', () => {
  const socket = new NotifySocket(join(directory, 'nobody'))
  expect(socket.send('READY=1')).toBe(false)
  expect(socket.problem.message).toMatch(/^sendto failed: ENOENT/)
  socket.close()
  rmSync(directory, { recursive: true })
})

test('an address that is none is refused', () => {
  for (const address of ['', 'relative', '@', `/${'x'.repeat(108)}`, '/a\0b']) {
    expect(() => new NotifySocket(address)).toThrow('expected an absolute path')
  }
})
