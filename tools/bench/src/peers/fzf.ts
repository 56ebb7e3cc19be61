import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'

/** Lines that `fzf --filter` prints, best first, and the time from its start to its end. */
export interface FzfRun {
  readonly lines: readonly string[]
  readonly wallMs: number
}

/** Runs fzf over lines (a text or a file) as a filter. Its exit code 1 means that nothing matched. */
export function runFzf(program: string, query: string, input: { text: string } | { file: string }): Promise<FzfRun> {
  const startedMs = performance.now()
  const child = spawn(program, [`--filter=${query}`], { stdio: ['pipe', 'pipe', 'ignore'] })
  const source = 'text' in input ? Readable.from([Buffer.from(input.text)]) : createReadStream(input.file)
  // It may end before it has read everything.
  child.stdin.on('error', () => source.destroy())
  source.pipe(child.stdin)
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => {
    pieces.push(piece)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      const lines = Buffer.concat(pieces).toString('utf8').split('\n').slice(0, -1)
      resolve({ lines, wallMs: performance.now() - startedMs })
    })
  })
}
