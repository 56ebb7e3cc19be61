import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
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
  // What it compiles goes into the folder of the bench.
  const environment = [`XDG_CACHE_HOME=${join(context.folder, 'cache')}`]
  const { exitCode } = await runProgram('/usr/bin/env', [...environment, MAKE_IMAGE, 'tree', image, paths, size])
  return exitCode === 0 ? { image } : `make-image ended with ${exitCode}`
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
