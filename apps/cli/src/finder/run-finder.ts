import { platform } from 'node:os'
import type { CommandContext } from '../context.js'
import { Finder, type FinderEnd } from './finder.js'
import { paletteOf } from './palette.js'
import { ControllingTerminal, type TerminalStreams } from './terminal.js'

export interface FinderFlags {
  readonly data?: string
  readonly start?: boolean
  readonly query?: string
}

/** Exit codes of a program that a signal ends. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Shows the finder on the terminal of this process, and prints what was chosen. Nothing but the terminal is loaded before the first frame
 * is shown. Returns the exit code: 0 chosen, 1 not, 128 and the number of a signal.
 */
export async function runFinder(
  flags: FinderFlags,
  streams: TerminalStreams,
  environment: Readonly<Record<string, string | undefined>>,
  loadContext: () => Promise<CommandContext>,
): Promise<number> {
  const terminal = new ControllingTerminal(streams)
  const finder = new Finder({
    terminal,
    palette: paletteOf(environment),
    query: flags.query ?? '',
    async connect(say) {
      const context = await loadContext()
      const config = await context.configure(flags.data)
      return context.connect(config, { start: flags.start ?? true, say })
    },
    loadSession: () => import('./search-session.js'),
    loadMarks: () => import('../output/name-marker.js'),
    suspend: () => suspend(terminal),
  })
  const undo = guardTerminal(terminal, finder)
  let end: FinderEnd
  try {
    end = await finder.run()
  } finally {
    undo()
    terminal.close()
  }
  if ('hit' in end) await print(end.hit.pathBytes, streams.stdout)
  await finder.connection?.close()
  return 'hit' in end ? 0 : end.exitCode
}

/** The terminal is given back whatever ends this process, short of SIGKILL. */
function guardTerminal(terminal: ControllingTerminal, finder: Finder): () => void {
  const leave = () => terminal.leave()
  const signals = Object.entries(SIGNAL_CODES).map(([signal, code]) => [signal, () => finder.stop(code)] as const)
  const onStop = () => suspend(terminal)
  const onContinue = () => {
    process.on('SIGTSTP', onStop)
    finder.resume()
  }
  for (const [signal, handler] of signals) process.on(signal, handler)
  process.on('exit', leave)
  // Before the stack is printed, which would be lost with the other screen.
  process.on('uncaughtExceptionMonitor', leave)
  // Windows stops no processes, and its signals have no such names.
  if (platform() !== 'win32') {
    process.on('SIGTSTP', onStop)
    process.on('SIGCONT', onContinue)
  }
  return () => {
    for (const [signal, handler] of signals) process.off(signal, handler)
    process.off('exit', leave)
    process.off('uncaughtExceptionMonitor', leave)
    process.off('SIGTSTP', onStop)
    process.off('SIGCONT', onContinue)
  }
}

/** Stops all of the job, as the terminal does it at Ctrl-Z: who started us by `npx` must stop, too. */
function suspend(terminal: ControllingTerminal): void {
  if (platform() === 'win32') return
  terminal.leave()
  process.removeAllListeners('SIGTSTP')
  process.kill(0, 'SIGTSTP')
}

/** Byte for byte for programs, escaped for people. */
async function print(path: Uint8Array, out: TerminalStreams['stdout']): Promise<void> {
  const { escapeBytesForTerminal } = await import('@hotpath/service')
  const line = out.isTTY ? `${escapeBytesForTerminal(path)}\n` : Buffer.concat([path, Buffer.of(0x0a)])
  await new Promise<void>(resolve => out.write(line, () => resolve()))
}
