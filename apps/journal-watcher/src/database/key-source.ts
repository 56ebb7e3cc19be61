import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { forbidCoreDumps, nativeProblem } from '@hotpath/platform'
import type { KeySource } from '@hotpath/service'
import { WrongKeyError } from './database-key.js'

/** A keyring may ask somebody for a password first. */
const COMMAND_MS = 120_000
const MAX_KEY_BYTES = 4_096

/**
 * Reads a key where it is kept; the caller wipes it. A line break at its end is not part of it. Before the first this process gives up core
 * dumps. Throws WrongKeyError, whose message says nothing of the key.
 */
export async function readKey(source: KeySource, environment: NodeJS.ProcessEnv = process.env): Promise<Uint8Array> {
  if (nativeProblem() === null) forbidCoreDumps()
  const bytes = await readBytes(source, environment)
  const key = trimmed(bytes)
  const found = key.length
  const copy = Uint8Array.from(key)
  bytes.fill(0)
  if (found === 0) throw new WrongKeyError(`the key of ${nameOf(source)} is empty`)
  if (found > MAX_KEY_BYTES)
    throw new WrongKeyError(`the key of ${nameOf(source)} is longer than ${MAX_KEY_BYTES} bytes`)
  return copy
}

/** Where a key comes from, for people. */
export function nameOf(source: KeySource): string {
  if ('file' in source) return JSON.stringify(source.file)
  return 'env' in source ? `the variable ${source.env}` : `the command ${JSON.stringify(source.command[0])}`
}

async function readBytes(source: KeySource, environment: NodeJS.ProcessEnv): Promise<Uint8Array> {
  if ('file' in source) {
    return await readFile(source.file).catch((error: unknown) => {
      throw new WrongKeyError(`the key cannot be read from ${nameOf(source)}: ${codeOf(error)}`)
    })
  }
  if ('env' in source) {
    const text = environment[source.env]
    if (text === undefined) throw new WrongKeyError(`${nameOf(source)}, which should hold the key, is not set`)
    return Buffer.from(text, 'utf8')
  }
  const [program, ...args] = source.command
  return await new Promise((resolve, reject) => {
    const options = {
      encoding: 'buffer',
      timeout: COMMAND_MS,
      maxBuffer: 4 * MAX_KEY_BYTES,
      windowsHide: true,
    } as const
    // What it prints is not told, not even if it fails: it may be the key.
    execFile(program!, args, options, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(new WrongKeyError(`${nameOf(source)}, which should print the key, failed: ${codeOf(error)}`))
    })
  })
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end--
  if (bytes[end - 1] === 0x0d) end--
  return bytes.subarray(0, end)
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return 'it cannot be said why'
  return typeof error.code === 'number' ? `exit code ${error.code}` : String(error.code)
}
