// What must be installed on this machine.
import { spawnSync } from 'node:child_process'

/** Program → package of Debian. */
const PROGRAMS = {
  wine: 'wine wine64',
  wineserver: 'wine',
  'x86_64-w64-mingw32-gcc': 'gcc-mingw-w64-x86-64',
  script: 'bsdutils',
}

/** Installs what is missing where we may; returns what is missing still. */
export function missingPrograms() {
  const missing = Object.keys(PROGRAMS).filter(name => !isThere(name))
  if (missing.length === 0 || process.getuid?.() !== 0 || !isThere('apt-get')) return missing
  const packages = missing.flatMap(name => PROGRAMS[name].split(' '))
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  if (!apt(install) && apt(['update'])) apt(install)
  return missing.filter(name => !isThere(name))
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', args, { stdio: 'ignore', env }).status === 0
}

function isThere(name) {
  return spawnSync('sh', ['-c', `command -v "$1"`, 'sh', name], { stdio: 'ignore' }).status === 0
}
