import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { silentLogger } from '@hotpath/service'
import { expect, test } from 'vitest'
import { ServiceNotifier } from './service-notifier.js'

/** A service manager: binds an abstract datagram socket and prints the messages that it gets. */
const MANAGER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + sys.argv[1])
print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', '|'), flush=True)
`

async function manager() {
  const name = `hotpath-manager-${process.pid}-${performance.now()}`
  const child = spawn('python3', ['-c', MANAGER, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard: string[] = []
  createInterface({ input: child.stdout }).on('line', line => heard.push(line))
  await expect.poll(() => heard).toEqual(['bound'])
  heard.length = 0
  return {
    address: `@${name}`,
    heard,
    async end() {
      child.kill()
      await once(child, 'close')
    },
  }
}

test('a service manager hears that it is ready, how it is, that it is well while it is, and that it stops', async () => {
  const { address, heard, end } = await manager()
  const environment: NodeJS.ProcessEnv = {
    NOTIFY_SOCKET: address,
    WATCHDOG_USEC: '40000',
    WATCHDOG_PID: String(process.pid),
    OTHER: 'stays',
  }
  const notifier = ServiceNotifier.take(environment, silentLogger)
  // No stage may take them for its own.
  expect(environment).toEqual({ OTHER: 'stays' })
  let isHealthy = true
  notifier.status('starting')
  notifier.ready(() => isHealthy)
  await expect.poll(() => heard.slice(0, 3)).toEqual(['STATUS=starting', 'READY=1', 'WATCHDOG=1'])
  await expect.poll(() => heard.length).toBeGreaterThan(5)
  isHealthy = false
  // What was sent before it is heard before it.
  notifier.status('unwell')
  await expect.poll(() => heard.at(-1)).toBe('STATUS=unwell')
  const before = heard.length
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(heard.length).toBe(before)
  isHealthy = true
  await expect.poll(() => heard.length).toBeGreaterThan(before)
  notifier.stopping()
  // Nothing after it, however long the stages take to end.
  await new Promise(resolve => setTimeout(resolve, 60))
  notifier.close()
  await expect.poll(() => heard.at(-1)).toBe('STOPPING=1|STATUS=stopping')
  expect(new Set(heard.slice(2, -1))).toEqual(new Set(['WATCHDOG=1', 'STATUS=unwell']))
  await end()
})

test('a watchdog of another process is not ours', async () => {
  const { address, heard, end } = await manager()
  const notifier = ServiceNotifier.take(
    { NOTIFY_SOCKET: address, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' },
    silentLogger,
  )
  notifier.ready(() => true)
  notifier.stopping()
  await expect.poll(() => heard).toEqual(['READY=1', 'STOPPING=1|STATUS=stopping'])
  notifier.close()
  await end()
})

test('where nobody asked, or what is asked cannot be used, nothing happens', () => {
  for (const environment of [{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: 'vsock:2:1234' }]) {
    const notifier = ServiceNotifier.take(environment, silentLogger)
    notifier.ready(() => true)
    notifier.stopping()
    notifier.close()
  }
})
