import { closeSync, ftruncateSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EntryColumns } from '@hotpath/model'
import { FIXTURES, linesOf, readFixture, readStreams } from '@hotpath/ntfs/testing'
import { afterAll, describe, expect, it } from 'vitest'
import type { SourceOptions } from './scan-source.js'
import { VolumeSource } from './volume-source.js'

describe('a volume as a source', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-volume-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A fixture as a sparse file. */
  function imageOf(name: string): { path: string; truth: readonly string[] } {
    const { size, parts, truth } = readFixture(name)
    const path = join(folder, `${name}.img`)
    const fd = openSync(path, 'w')
    for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset)
    ftruncateSync(fd, size)
    closeSync(fd)
    return { path, truth }
  }

  function open(path: string, options: Partial<SourceOptions> = {}): VolumeSource {
    return new VolumeSource(
      { id: 'v', kind: 'volume', path },
      {
        excludes: [],
        excludedDirectories: [],
        crossDevices: false,
        threads: 2,
        namesOnly: false,
        signal: new AbortController().signal,
        ...options,
      },
    )
  }

  it('says where the change journal ended, if there is one', () => {
    const { journal } = open(imageOf('journal-v2').path)
    expect(journal).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/) })
    expect(journal!.next).toBeGreaterThan(4 * 1024 * 1024)
    expect(open(imageOf('journal-deleted').path).journal).toBeUndefined()
  })

  async function entriesOf(source: VolumeSource): Promise<EntryColumns[]> {
    const batches: EntryColumns[] = []
    const listed = new Set<number>()
    for await (const { entries, listedDirectory } of source.batches()) {
      batches.push(structuredClone(entries))
      for (const directory of listedDirectory) listed.add(directory)
      for (const directory of entries.directory) if (directory !== 0) expect(listed).toContain(directory)
    }
    return batches
  }

  it.each(FIXTURES)('sends what the reference reader finds: %s', async name => {
    const { path, truth } = imageOf(name)
    const source = open(path)
    const lines = linesOf(await entriesOf(source))
    expect(lines).toEqual([...truth].sort())
    // The root is an entry, too.
    expect(source.progress()).toMatchObject({ entries: truth.length + 1, errors: 0 })
    expect(source.problems()).toEqual([])
    expect(source.volume).toMatch(/^ntfs-[0-9a-f]{16}$/)
  })

  it('sends alternate streams on request, but for those that rules leave out', async () => {
    const { path, truth } = imageOf('clusters-of-4096')
    const streams = readStreams('clusters-of-4096')
    expect(linesOf(await entriesOf(open(path, { streams: true })))).toEqual([...truth, ...streams].sort())
    const excludes = ['*:Zone.Identifier', 'ads/many.txt']
    const isLeftOut = (line: string) => /:Zone\.Identifier\t|^ads\/many\.txt[\t:]/.test(line)
    const expected = [...truth, ...streams].filter(line => !isLeftOut(line)).sort()
    expect(expected.length).toBe(truth.length + streams.length - 62)
    expect(linesOf(await entriesOf(open(path, { streams: true, excludes })))).toEqual(expected)
  })

  it('reads at idle priority on request', async () => {
    const { path, truth } = imageOf('clusters-of-4096')
    const source = open(path, { idle: true })
    const policies: string[] = []
    const entries: EntryColumns[] = []
    for await (const batch of source.batches()) {
      entries.push(structuredClone(batch.entries))
      for (const task of readdirSync('/proc/self/task'))
        policies.push(
          readFileSync(`/proc/self/task/${task}/stat`, 'latin1')
            .replace(/^.*\) /, '')
            .split(' ')[38]!,
        )
    }
    expect(linesOf(entries)).toEqual([...truth].sort())
    const refused = source.problems().map(({ message }) => message)
    if (refused.length > 0) console.log(`idle priority is refused here: ${refused.join(', ')}`)
    // SCHED_IDLE.
    if (!refused.some(message => message.includes('sched_setscheduler'))) expect(policies).toContain('5')
    expect(refused.every(message => message.startsWith('read at normal priority: '))).toBe(true)
  })

  it('leaves out what the rules say, with everything below it', async () => {
    const { path, truth } = imageOf('clusters-of-4096')
    const lines = linesOf(await entriesOf(open(path, { excludes: ['deep', 'names/*.txt', '*.DOC'] })))
    const isLeftOut = (line: string) => {
      const [file = ''] = line.split('\t')
      return /^deep(\/|$)/.test(file) || /^names\/[^/]*\.txt$/.test(file) || file.endsWith('.DOC')
    }
    const expected = truth.filter(line => !isLeftOut(line)).sort()
    expect(expected.length).toBeLessThan(truth.length)
    expect(lines).toEqual(expected)
  })

  it('ends when it is cancelled', async () => {
    const { path } = imageOf('fragmented')
    const stop = new AbortController()
    const source = open(path, { signal: stop.signal })
    stop.abort()
    await expect(entriesOf(source)).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('says where a file is no volume', () => {
    expect(() => open('/dev/null')).toThrow(/at byte 0/)
    expect(() => open(join(folder, 'nothing'))).toThrow(/ENOENT/)
  })
})
