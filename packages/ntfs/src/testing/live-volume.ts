import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, readSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadRequest } from '../stream.js'

export interface VolumeGeometry {
  readonly clusterBytes: number
  readonly sectorBytes: number
}

const IMAGE_BYTES = 64 * 1024 * 1024
const POLL_MS = 10
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

/** A volume in a file that mkntfs makes and ntfs-3g serves. */
export class LiveVolume {
  readonly #image: string
  /** Of the program that serves it. */
  readonly #log: string
  readonly mounted: string
  #server: ChildProcess | undefined

  /** @param place a directory to have for itself */
  constructor(place: string) {
    this.#image = join(place, 'image')
    this.#log = join(place, 'log')
    this.mounted = join(place, 'mounted')
    mkdirSync(this.mounted)
  }

  /** Makes it. Returns why there is none, in one line. */
  make({ clusterBytes, sectorBytes }: VolumeGeometry): string | undefined {
    writeFileSync(this.#image, '')
    truncateSync(this.#image, IMAGE_BYTES)
    const disk = ['-p', '0', '-H', '16', '-S', '63']
    return run('mkntfs', '-F', '-Q', '-q', ...disk, '-c', `${clusterBytes}`, '-s', `${sectorBytes}`, this.#image)
  }

  /** Mounts it; resolves when it is there. Throws what stands in the way. */
  async mount(options = 'rw'): Promise<void> {
    const flags = ['-o', `${options},no_detach`, this.#image, this.mounted]
    // A pipe would be full at some time: nobody reads it while calls of this process wait for the server.
    const log = openSync(this.#log, 'w')
    const server = spawn('ntfs-3g', flags, { env: ENVIRONMENT, stdio: ['ignore', log, log] })
    closeSync(log)
    let problem: string | undefined
    server.on('error', error => {
      problem = error.message
    })
    this.#server = server
    while (!readFileSync('/proc/self/mounts', 'utf8').includes(` ${this.mounted} `)) {
      if (server.exitCode !== null) problem ??= readFileSync(this.#log, 'utf8').trim()
      if (problem !== undefined) throw new Error(`ntfs-3g: ${problem}`)
      await sleep(POLL_MS)
    }
  }

  /** Unmounts it; resolves when all is written. */
  async unmount(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const ended = server.exitCode === null ? once(server, 'exit') : undefined
    const problem = run('umount', this.mounted)
    if (problem !== undefined) throw new Error(problem)
    await ended
  }

  /** Calls `work` with a reader of the volume, which is not mounted. */
  read<T>(work: (read: (request: ReadRequest) => Uint8Array) => T): T {
    const fd = openSync(this.#image, 'r')
    try {
      return work(({ offset, length }) => {
        const bytes = new Uint8Array(length)
        return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
      })
    } finally {
      closeSync(fd)
    }
  }
}

/** Why a program cannot be run, in one line. */
export function whyMissing(program: string): string | undefined {
  const { error } = spawnSync(program, ['--version'], { env: ENVIRONMENT, stdio: 'ignore' })
  return error === undefined ? undefined : `${program} is missing`
}

/** Runs a program. Returns what went wrong, in one line. */
function run(program: string, ...flags: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, flags, { encoding: 'utf8', env: ENVIRONMENT })
  if (error !== undefined) return `${program}: ${error.message}`
  return status === 0 ? undefined : `${program}: ${stderr.trim().replaceAll(/\s*\n\s*/g, ' ')}`
}
