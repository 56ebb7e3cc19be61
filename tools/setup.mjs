// Makes a fresh clone ready and does one job: `npm start`, `npm test`, `npm run bench`, `npm run test:wine`.
//
//     node tools/setup.mjs start|test|bench|wine|build [--] [arguments of the job]
//
// `build` does no more than what all begin with.
//
// Plain Node without dependencies, because it runs before there are any. Quiet when all is well: what npm and turbo
// print is shown only if they fail. The job runs in this process where it can, so that signals, terminal and exit
// code are its own.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OLDEST_NODE = [20, 19]
const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Where the person is: npm changes to the directory of package.json. */
const workingDirectory = process.env.INIT_CWD ?? process.cwd()

const [job, ...rest] = process.argv.slice(2)
const jobArguments = rest[0] === '--' ? rest.slice(1) : rest
const jobs = { start, test, bench, wine, build: () => {} }

if (!Object.hasOwn(jobs, job ?? '')) fail(64, `usage: node tools/setup.mjs ${Object.keys(jobs).join('|')} [arguments]`)
checkNode()
await install()
await build()
await jobs[job]()

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  fail(69, `hotpath needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}`)
}

/** Dependencies are in place if npm wrote them after the lock file was last changed. */
function isInstalled() {
  const installed = statSync(join(root, 'node_modules/.package-lock.json'), { throwIfNoEntry: false })
  return (
    installed !== undefined && installed.mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs && hasRoaring()
  )
}

/** Programs can do without it (on Windows), the compiler and the tests cannot: npm says nothing if it could not be compiled. */
function hasRoaring() {
  return existsSync(join(root, 'node_modules/roaring/package.json'))
}

async function install() {
  if (isInstalled()) return
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // Under npm, its own script is known; else it is on the search path.
  const npm = process.env.npm_execpath
  const { code, output } = npm?.endsWith('.js')
    ? await runQuietly('installing dependencies', process.execPath, [npm, ...flags])
    : await runQuietly('installing dependencies', 'npm', flags)
  if (code === 0 && !hasRoaring())
    fail(
      69,
      'roaring could not be compiled, which takes python3, make, g++ and the headers of Node. `npm install --no-save --foreground-scripts roaring` shows why.',
    )
  if (code === 0) return
  const isOffline =
    /^(true|1)$/.test(process.env.npm_config_offline ?? '') || /ENOTCACHED|EAI_AGAIN|ENOTFOUND/.test(output)
  const hint = isOffline ? '\nnpm has no network: run `npm ci` once where there is one.' : ''
  fail(69, `${output.trimEnd()}\nThe dependencies could not be installed (npm ci, exit code ${code}).${hint}`)
}

async function build() {
  // In a fresh clone one compiler builds all packages: a compiler each reads what they share again (its parts took 55 s instead of 85). What
  // is wrong shows below.
  if (!existsSync(join(root, 'packages/model/dist'))) {
    await turbo('generating', ['run', 'generate', '--output-logs=errors-only'])
    await runQuietly('compiling', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
  }
  const { code, output } = await turbo('building', ['run', 'build', '--output-logs=errors-only'])
  if (code !== 0) fail(70, `${output.trimEnd()}\nThe build failed.`)
}

async function start() {
  await runHere('apps/cli/bin/hotpath.mjs', ['start', ...jobArguments])
}

async function bench() {
  await runHere('tools/bench/dist/main.js', jobArguments)
}

async function wine() {
  await runHere('tools/wine/run.mjs', jobArguments)
}

/**
 * Runs the tests of all packages and ends with the line `N passed, N failed`. Arguments go to turbo: `--force` runs
 * what has not changed again, `--filter=@hotpath/query` runs one package.
 */
async function test() {
  for (const file of resultFiles()) rmSync(file)
  const turboArguments = ['run', 'test', '--continue', '--concurrency=2', '--output-logs=new-only', ...jobArguments]
  const code = await new Promise(resolve => {
    spawnTurbo(turboArguments, 'inherit').on('close', resolve)
  })
  let passed = 0
  let failed = 0
  for (const file of resultFiles()) {
    const result = JSON.parse(readFileSync(file, 'utf8'))
    passed += result.numPassedTests
    // A test file that does not even load has no failed tests.
    failed += result.success ? 0 : Math.max(1, result.numFailedTests)
    // Said once more, because the report of the package may be a thousand lines above the end.
    for (const line of failures(result)) process.stdout.write(`failed: ${line}\n`)
  }
  if (code !== 0 && failed === 0) failed = 1
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 ? 0 : 1
}

/** A line for each failed test, and for each file that did not load: the file, the test and the first line of why. */
function failures(result) {
  return result.testResults.flatMap(file => {
    const name = relative(root, file.name)
    const tests = file.assertionResults.filter(test => test.status === 'failed')
    if (file.status === 'failed' && tests.length === 0) return [`${name}: ${firstLine(file.message)}`]
    return tests.map(test => `${name}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`)
  })
}

function firstLine(text) {
  return (text ?? '').split('\n', 1)[0]
}

/** What the tests of each package left (see vitest.shared.ts). */
function resultFiles() {
  const folders = ['packages', 'apps', 'tools'].flatMap(group =>
    readdirSync(join(root, group)).map(name => join(group, name)),
  )
  return [...folders, 'test'].map(folder => join(root, folder, '.vitest/results.json')).filter(file => existsSync(file))
}

/** Runs a module in this process, where the person is. It ends the process itself, or leaves an exit code. */
async function runHere(module, args) {
  const path = join(root, module)
  if (!existsSync(path)) fail(70, `${path} was not built`)
  process.chdir(workingDirectory)
  process.argv = [process.execPath, path, ...args]
  await import(pathToFileURL(path).href)
}

function spawnTurbo(args, stdio) {
  return spawn(process.execPath, [join(root, 'node_modules/turbo/bin/turbo'), ...args], {
    cwd: root,
    stdio,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  })
}

function turbo(what, args) {
  return followQuietly(what, spawnTurbo(args, ['ignore', 'pipe', 'pipe']))
}

function runQuietly(what, command, args) {
  return followQuietly(what, spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Shows one line while the process runs; returns its exit code and all it printed. */
function followQuietly(what, child) {
  const isTerminal = process.stderr.isTTY === true
  const startedAtMs = Date.now()
  let output = ''
  let isShown = false
  const show = () => {
    const seconds = Math.round((Date.now() - startedAtMs) / 1000)
    if (isTerminal) process.stderr.write(`\r\u001b[2K${what} … ${seconds} s`)
    else if (!isShown) process.stderr.write(`${what} …\n`)
    isShown = true
  }
  // What is done within a second needs no line.
  const timer = setInterval(show, 1_000)
  child.stdout.on('data', chunk => {
    output += chunk
  })
  child.stderr.on('data', chunk => {
    output += chunk
  })
  return new Promise(resolve => {
    const finish = code => {
      clearInterval(timer)
      if (isTerminal && isShown) process.stderr.write('\r\u001b[2K')
      resolve({ code, output })
    }
    child.on('error', error => {
      output += error.message
      finish(127)
    })
    child.on('close', finish)
  })
}

function fail(code, message) {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}
