import { closeSync, createReadStream, createWriteStream, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { drive, type ReadRequest, Volume } from '@hotpath/ntfs'
import type { BenchContext } from './bench-context.js'
import { findProgram, runProgram } from './peers/program.js'

const MAKE_IMAGE = fileURLToPath(new URL('../../ntfs-images/make-image', import.meta.url))
const HEADERS = '/usr/include/ntfs-3g/volume.h'
const ENTRIES = 1_000_000
const SMOKE_ENTRIES = 5_000

/**
 * A real NTFS volume with the first million paths of the corpus, made by mkntfs and libntfs-3g; a text says why there is none.
 * A million takes one or two minutes.
 */
export async function makeNtfsImage(context: BenchContext): Promise<{ image: string } | string> {
  const missing = ['mkntfs', 'gcc', 'python3'].filter(name => findProgram(name) === undefined)
  if (!existsSync(HEADERS)) missing.push('libntfs-3g (headers)')
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`
  const { pathsFile } = await context.corpus()
  const paths = join(context.folder, 'ntfs-paths.txt')
  await copyLines(pathsFile, paths, context.scale(ENTRIES, SMOKE_ENTRIES))
  const image = join(context.folder, 'ntfs.img')
  context.log('making an NTFS volume')
  const size = context.options.smoke ? '1G' : '32G'
  const failure = await makeImage(context, ['tree', image, paths, size])
  return failure ?? { image }
}

/**
 * Adds a change journal from position 0 on to such a volume: records of version 2 about files of it, chosen at random with a fixed seed. A text
 * says why that cannot be done: the volume is mounted with ntfs-3g, which takes root.
 */
export async function addJournal(context: BenchContext, image: string, records: number): Promise<string | undefined> {
  if (findProgram('ntfs-3g') === undefined) return 'not installed: ntfs-3g'
  context.log('writing a change journal')
  return await makeImage(context, ['journal', image, '--n', `${records}`, '--v', '2', '--start', '0'])
}

export interface OpenedImage {
  readonly volume: Volume
  read(request: ReadRequest): Uint8Array
  close(): void
}

/** @param pieceBytes larger reads, up to this, go into one buffer, as a scanner's do */
export function openImage(image: string, pieceBytes: number): OpenedImage {
  const fd = openSync(image, 'r')
  const buffer = new Uint8Array(pieceBytes)
  const read = ({ offset, length }: ReadRequest): Uint8Array => {
    const bytes = length > 65_536 && length <= buffer.length ? buffer.subarray(0, length) : new Uint8Array(length)
    readSync(fd, bytes, 0, length, offset)
    return bytes
  }
  return { volume: drive(Volume.open(image), read), read, close: () => closeSync(fd) }
}

/** Returns why it failed, if it has. */
async function makeImage(context: BenchContext, args: readonly string[]): Promise<string | undefined> {
  // What it compiles goes into the folder of the bench.
  const environment = [`XDG_CACHE_HOME=${join(context.folder, 'cache')}`]
  const { exitCode } = await runProgram('/usr/bin/env', [...environment, MAKE_IMAGE, ...args])
  return exitCode === 0 ? undefined : `make-image ended with ${exitCode}`
}

async function copyLines(from: string, to: string, count: number): Promise<void> {
  const out = createWriteStream(to)
  let left = count
  for await (const line of createInterface({ input: createReadStream(from) })) {
    if (left-- <= 0) break
    out.write(`${line}\n`)
  }
  out.end()
  await finished(out)
}
