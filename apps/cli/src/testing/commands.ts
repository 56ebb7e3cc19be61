import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { resolveConfig } from '@hotpath/service'
import { afterEach, beforeEach, expect } from 'vitest'
import type { CommandContext } from '../context.js'
import { runCommand } from '../program.js'
import { FakeIndex } from './fake-index.js'

/** A stream that keeps what is written. */
export function collect(): { stream: Writable; bytes(): Buffer } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, bytes: () => Buffer.concat(chunks) }
}

/**
 * Runs commands in this process against indexes that are not there, each test in an empty directory. Called once in a file of
 * tests.
 */
export function commandTests() {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hotpath-cli-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  async function hotpath(argv: string[], index: FakeIndex | Error, more: Partial<CommandContext> = {}) {
    const out = collect()
    const err = collect()
    const code = await runCommand(argv, {
      out: out.stream,
      err: err.stream,
      in: Readable.from([]),
      isTerminal: false,
      wantsColours: false,
      environment: {},
      workingDirectory: directory,
      interrupted: new AbortController().signal,
      async configure(dataDir) {
        const flags = new Map([['dataDir', [dataDir ?? join(directory, 'data')]]] as const)
        return (await resolveConfig({ flags, environment: {}, homeDirectory: directory })).config
      },
      async connect() {
        if (index instanceof Error) throw index
        return index
      },
      stages: async () => [],
      ...more,
    })
    if (index instanceof FakeIndex && index.requests.length + index.calls.length > 0) expect(index.closed).toBe(true)
    return { code, out: out.bytes().toString('latin1'), err: err.bytes().toString(), outBytes: out.bytes() }
  }

  return {
    hotpath,
    /** Of the test that runs. */
    get directory() {
      return directory
    },
  }
}
