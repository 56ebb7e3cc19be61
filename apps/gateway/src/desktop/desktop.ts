import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import { fileUri, parentOf } from './file-uri.js'

/** A file manager that is asked over D-Bus answers at once or is not there. */
const REVEAL_TIMEOUT_MS = 5_000
/** xdg-open ends when it has handed the file on; some programs that it starts itself keep it until they are closed. */
const OPEN_TIMEOUT_MS = 2_000

/** What the session of a person can do with a file. */
export interface Desktop {
  /** Opens it with the program that the desktop has for it. Rejects with UnavailableError where that fails. */
  open(path: Uint8Array): Promise<void>
  /** Shows it selected in the file manager, or its directory where no file manager knows how. Rejects as `open` does. */
  reveal(path: Uint8Array): Promise<void>
}

/**
 * The desktop that this process runs in, by `xdg-open` and the interface org.freedesktop.FileManager1; undefined without a
 * display or those programs.
 */
export function desktopOf(environment: Readonly<Record<string, string | undefined>>): Desktop | undefined {
  const hasDisplay = Boolean(environment.DISPLAY) || Boolean(environment.WAYLAND_DISPLAY)
  const opener = hasDisplay ? programIn(environment.PATH, 'xdg-open') : undefined
  if (opener === undefined) return undefined
  const bus = programIn(environment.PATH, 'gdbus')
  const open = (path: Uint8Array) => started(opener, [fileUri(path)], environment)
  return {
    open,
    async reveal(path) {
      const isShown = bus !== undefined && (await succeeded(bus, showItems(path), environment))
      if (!isShown) await open(parentOf(path))
    },
  }
}

/** The URI holds no quote, so it can stand in one. */
function showItems(path: Uint8Array): string[] {
  const target = ['--dest', 'org.freedesktop.FileManager1', '--object-path', '/org/freedesktop/FileManager1']
  const method = ['--method', 'org.freedesktop.FileManager1.ShowItems']
  return ['call', '--session', ...target, ...method, `['${fileUri(path)}']`, '']
}

function programIn(path: string | undefined, name: string): string | undefined {
  for (const directory of (path ?? '').split(delimiter)) {
    if (directory === '') continue
    try {
      accessSync(join(directory, name), constants.X_OK)
      return join(directory, name)
    } catch {
      // Not here.
    }
  }
  return undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Resolves when the program ended well, or still runs after `OPEN_TIMEOUT_MS`. It is not our child's keeper: it lives on. */
function started(program: string, args: readonly string[], env: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore', env })
    const lives = setTimeout(() => {
      child.unref()
      resolve()
    }, OPEN_TIMEOUT_MS)
    const end = (then: () => void) => {
      clearTimeout(lives)
      then()
    }
    child.once('error', cause => end(() => reject(new UnavailableError('the desktop cannot be asked', { cause }))))
    child.once('exit', code =>
      end(() => {
        if (code === 0) resolve()
        else reject(new UnavailableError(`the desktop could not open it (xdg-open: exit code ${code})`))
      }),
    )
  })
}

function succeeded(program: string, args: readonly string[], env: Environment): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(program, args, { stdio: 'ignore', env, timeout: REVEAL_TIMEOUT_MS })
    child.once('error', () => resolve(false))
    child.once('exit', code => resolve(code === 0))
  })
}
