import { execFile } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
/** A download of 100 MB and its unpacking on a slow line. */
const INSTALL_TIMEOUT_MS = 300_000

/** The path of an installed Chromium, or undefined. */
export function findChromium(path = process.env.PATH ?? ''): string | undefined {
  const candidates = path.split(delimiter).flatMap(directory => NAMES.map(name => join(directory, name)))
  return candidates.find(file => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * Finds Chromium, or installs it where that needs no question: as root on Debian. Returns why there is none otherwise.
 */
export async function provideChromium(): Promise<{ file: string } | { missing: string }> {
  const found = findChromium()
  if (found !== undefined) return { file: found }
  if (process.getuid?.() !== 0 || !isDebian()) return { missing: 'no chromium in PATH' }
  const run = promisify(execFile)
  const options = { timeout: INSTALL_TIMEOUT_MS, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']
  try {
    // A lock held by another installer is waited for.
    await run('apt-get', ['update', '-qq'], options)
    await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...install], options)
  } catch (error) {
    return {
      missing: `chromium could not be installed (${error instanceof Error ? error.message.split('\n')[0] : ''})`,
    }
  }
  const file = findChromium()
  return file === undefined ? { missing: 'chromium was installed but is not in PATH' } : { file }
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}
