import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileSystemInfo } from '@hotpath/platform'
import { TestMounts } from '@hotpath/testing'
import { afterAll, expect, it } from 'vitest'
import { MountedFileSystems } from './mounted-file-systems.js'

const mounts = TestMounts.open()
const ext4 = typeof mounts === 'string' ? { problem: mounts } : mounts.mount('ext4')
if ('problem' in ext4) console.log(`file systems with the same id are not tested here: ${ext4.problem}`)
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

const bytes = (path: string) => new Uint8Array(Buffer.from(path))

it.runIf('directory' in ext4)(
  'refuses a copy of a disk that is mounted beside it, and takes the same one at another place',
  () => {
    const { directory } = ext4 as { directory: string }
    const place = dirname(directory)
    const [copy, copied, bound] = ['copy', 'copied', 'bound'].map(name => join(place, name)) as [string, string, string]
    for (const path of [copied, bound]) mkdirSync(path)
    const run = (...command: string[]) =>
      expect(spawnSync(command[0]!, command.slice(1)).status, command.join(' ')).toBe(0)
    run('sync', '-f', directory)
    run('cp', '--sparse=always', join(place, 'image'), copy)
    run('mount', '-o', 'loop', copy, copied)
    run('mount', '--bind', directory, bound)

    const { fsid } = fileSystemInfo(directory)
    expect(fileSystemInfo(copied).fsid).toBe(fsid)
    const known = new MountedFileSystems()
    known.add(fsid, bytes(directory))
    known.add(fsid, bytes(bound))
    expect(() => known.add(fsid, bytes(copied))).toThrow(`${copied} has the id of ${directory}`)
  },
)
