import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type PeerCredentials, peerCredentials } from './peer-credentials.js'

const isRoot = process.getuid?.() === 0
if (!isRoot) console.log('sockets of other users are not tested here: that needs root')

let child: ChildProcess | undefined
const directories: string[] = []
afterEach(() => {
  child?.kill('SIGKILL')
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

/** What the kernel says of a process that runs `before` and then connects. */
async function peerAfter(before: string): Promise<{ peer: PeerCredentials; pid: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-peer-'))
  directories.push(directory)
  chmodSync(directory, 0o755)
  const path = join(directory, 'socket')
  const server = createServer().listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o666)
  const script = `${before}; require('node:net').connect(${JSON.stringify(path)}).resume()`
  child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [socket] = (await once(server, 'connection')) as [Socket & { _handle: { fd: number } }]
  const peer = peerCredentials(socket._handle.fd)
  const gone = once(child, 'exit')
  socket.destroy()
  await gone
  server.close()
  return { peer, pid: child.pid! }
}

describe('peerCredentials', () => {
  it('names the process at the other end', async () => {
    const { peer, pid } = await peerAfter('')
    expect(peer).toEqual({ pid, user: process.getuid!(), groups: expect.arrayContaining([process.getgid!()]) })
  })

  it.runIf(isRoot)('names user and groups as they were when it connected', async () => {
    const { peer } = await peerAfter(
      'process.setgroups([54401, 54402, 54400]); process.setgid(54400); process.setuid(54321)',
    )
    expect(peer.user).toBe(54321)
    expect(peer.groups.toSorted()).toEqual([54400, 54401, 54402])
  })

  it.runIf(isRoot)('names more groups than most have', async () => {
    const groups = Array.from({ length: 1000 }, (_, i) => 60_000 + i)
    const { peer } = await peerAfter(
      `process.setgroups(${JSON.stringify(groups)}); process.setgid(54400); process.setuid(54321)`,
    )
    expect(peer.groups.toSorted((a, b) => a - b)).toEqual([54400, ...groups])
  })
})
