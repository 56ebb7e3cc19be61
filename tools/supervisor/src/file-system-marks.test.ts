import { closeSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fanotifyInit, isFanotifyFollowed } from '@hotpath/platform'
import { silentLogger } from '@hotpath/service'
import { TestMounts } from '@hotpath/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { FileSystemMarks, mountsOfTree } from './file-system-marks.js'

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'hotpath-marks-')))
const mounts = TestMounts.open()
if (typeof mounts === 'string') console.log(`marks of mounted file systems are not tested here: ${mounts}`)
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
  rmSync(directory, { recursive: true, force: true })
})

function mount(): string {
  const mounted = (mounts as TestMounts).mount('tmpfs')
  if ('problem' in mounted) throw new Error(mounted.problem)
  return mounted.directory
}

const bytes = (path: string) => new Uint8Array(Buffer.from(path))
const shown = (paths: readonly Uint8Array[]) => paths.map(path => Buffer.from(path).toString())
const plain = { excludes: [], dataDir: '/nowhere', crossDevices: false, roots: [] }

describe('mountsOfTree', () => {
  it('is the root itself, wherever it really is, and nothing where there is none', () => {
    const [real, link] = [join(directory, 'real'), join(directory, 'link')]
    mkdirSync(real)
    symlinkSync(real, link)
    expect(shown(mountsOfTree(link, plain))).toEqual([real])
    expect(mountsOfTree(join(directory, 'absent'), plain)).toEqual([])
  })

  it.runIf(typeof mounts !== 'string')(
    'has what is mounted below if that belongs to the tree, but for what is left out',
    () => {
      const [first, second, third] = [mount(), mount(), mount()]
      const root = dirname(dirname(first))
      expect(shown(mountsOfTree(root, plain))).toEqual([root])
      const crossing = { ...plain, crossDevices: true, dataDir: third }
      expect(shown(mountsOfTree(root, { ...crossing, excludes: [second] }))).toEqual([root, first])
      expect(shown(mountsOfTree('/', { ...crossing, excludes: [] }))).not.toContain('/proc')
    },
  )
})

describe.runIf(typeof mounts !== 'string')('FileSystemMarks', () => {
  it('marks what is not marked, and says whether there was something', async () => {
    const fd = fanotifyInit({ unlimited: true })
    try {
      const first = mount()
      const root = dirname(dirname(first))
      const marks = new FileSystemMarks(
        fd,
        { ...plain, roots: [root, '/nowhere/at/all'], crossDevices: true },
        silentLogger,
      )
      expect(marks.refresh()).toBe(true)
      expect(marks.refresh()).toBe(false)
      expect(isFanotifyFollowed(fd, bytes(first))).toBe(true)
      const second = mount()
      expect(isFanotifyFollowed(fd, bytes(second))).toBe(false)

      const answers: number[] = []
      const requests = new PassThrough()
      const write = requests.write.bind(requests)
      requests.write = (answer: Uint8Array) => answers.push(...answer) > 0
      marks.serve(requests)
      write(new Uint8Array([0]))
      await expect.poll(() => answers).toEqual([1])
      write(new Uint8Array([0]))
      await expect.poll(() => answers).toEqual([1, 0])
      expect(isFanotifyFollowed(fd, bytes(second))).toBe(true)
    } finally {
      closeSync(fd)
    }
  })
})
