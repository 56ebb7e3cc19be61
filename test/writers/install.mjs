// Installs the programs whose databases tests follow, into `node_modules` of this folder, once for each version of Node.
//
//     node test/writers/install.mjs
//
// They are no dependencies of hotpath: better-sqlite3 is compiled wherever its binary cannot be fetched, for minutes as its author wants it, and
// for 10 s of one core as it is done here: without optimisation, and without the analysis for warnings that nobody is shown. Where it cannot be
// compiled one line says why, and the tests that need it say that they do not run: that is no failure.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
/** What was compiled, and for which Node: written last. */
const mark = join(here, 'node_modules/.compiled')
const wanted = createHash('sha256')
  .update(readFileSync(join(here, 'package-lock.json')))
  .update(`${process.versions.modules} ${process.platform} ${process.arch}`)
  .digest('hex')

if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  const problem = install()
  if (problem !== undefined)
    process.stdout.write(`databases that better-sqlite3 writes are not followed by tests here: ${problem}\n`)
}

/** What keeps it from being installed, if anything does. */
function install() {
  if (process.platform !== 'linux') return 'they are followed on Linux alone'
  const missing = ['make', 'g++', 'python3'].filter(tool => spawnSync(tool, ['--version']).status !== 0)
  if (missing.length > 0) return `${missing.join(', ')} missing`
  rmSync(mark, { force: true })
  return (
    npm('ci', '--ignore-scripts', '--prefer-offline', '--fetch-retries=1') ??
    npm('rebuild', 'better-sqlite3-multiple-ciphers', '--build-from-source', '--foreground-scripts') ??
    keepMark()
  )
}

function keepMark() {
  writeFileSync(mark, wanted)
  return undefined
}

function npm(...args) {
  const flags = '-O0 -w -Wno-all -Wno-extra'
  const headers = dirname(dirname(process.execPath))
  const { status, stdout, stderr, error } = spawnSync('npm', [...args, '--no-audit', '--no-fund'], {
    cwd: here,
    encoding: 'utf8',
    timeout: 600_000,
    env: {
      ...process.env,
      ...{ CFLAGS: flags, CXXFLAGS: flags, JOBS: '2' },
      // Else they would be fetched, where that is possible.
      ...(existsSync(join(headers, 'include/node/node.h')) ? { npm_config_nodedir: headers } : {}),
    },
  })
  if (status === 0) return undefined
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  return `npm ${args[0]} failed (${error?.message ?? `exit code ${status}`})`
}
