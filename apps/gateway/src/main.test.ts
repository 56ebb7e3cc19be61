import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { testDirectory } from './testing/fake-store.js'
import { rawRequest } from './testing/test-gateway.js'

it('runs as a process without a store, says where it is, and leaves no socket', async () => {
  const directory = await testDirectory()
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, '--data', directory.path, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, HOME: directory.path },
  })
  const exited = once(child, 'exit')
  try {
    const [line] = await once(child.stdout, 'data')
    const url = new URL(String(line).trim())
    expect(url.hostname).toBe('127.0.0.1')
    const port = Number(url.port)
    expect((await rawRequest(port, `/?token=${url.searchParams.get('token')}`)).status).toBe(303)
    expect((await rawRequest(port, '/health')).body).toBe('not ok\n')
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
  expect(await readdir(join(directory.path, 'run'))).toEqual([])
  expect(await readdir(directory.path)).not.toContain('endpoints.json')
  await directory.remove()
})
