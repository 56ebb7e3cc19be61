// Volumes of Windows and their change journal, under Wine.
//
//     node tools/wine/volumes/run.mjs PREFIX NODE.EXE NODE_MODULES
//
// PREFIX: of Wine, made with Windows 10; drives W: and V: are added, and its wineserver is ended. NODE_MODULES: has koffi for Windows. Needs
// Wine, x86_64-w64-mingw32-gcc and what `npm run build` makes; the volume that may not be read needs root, which becomes another user for it.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { drive as driveReading, Volume } from '@hotpath/ntfs'
import { readFixture } from '@hotpath/ntfs/testing'
import { build } from 'esbuild'

const COMMAND_MS = 120_000
const NOBODY = 65534
const RECORDS = 10_000
const RECORD_BYTES = 72
const JOURNAL_ID = 132_537_600_000_000_213n
const SERIAL = 0x0123_4567_89ab_cdefn

const here = fileURLToPath(new URL('.', import.meta.url))
const root = resolve(here, '../../..')
const [prefix, nodeExe, modules] = process.argv.slice(2).map(path => resolve(path))
if (modules === undefined) {
  process.stderr.write('usage: run.mjs PREFIX NODE.EXE NODE_MODULES\n')
  process.exit(64)
}

const scratch = fs.mkdtempSync(join(tmpdir(), 'hotpath-volumes-'))
// Another user is to find the programs.
fs.chmodSync(scratch, 0o755)
let passed = 0
let failed = 0
try {
  await runAll()
} finally {
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

async function runAll() {
  const programs = await bundle()
  const library = join(scratch, 'simulated-driver.dll')
  const source = join(here, 'simulated-driver.c')
  await run(['x86_64-w64-mingw32-gcc', '-O2', '-Wall', '-Wno-attributes', '-shared', '-s', '-o', library, source])
  const driver = join(scratch, 'driver')
  fs.mkdirSync(driver)
  const image = makeImage('W:')
  const expected = {
    library: windowsPath(library),
    driver: windowsPath(driver),
    listing: await linuxListing(image),
    reads: linuxReads(image),
    journal: makeJournal(driver),
    followed: await linuxNames(image),
    names: makeNames(driver),
  }
  const file = join(scratch, 'expected.json')
  fs.writeFileSync(file, JSON.stringify(expected))
  drive(prefix, 'w', image)
  drive(prefix, 'x', await imageBehind(image, driver))
  await part('readable', prefix, programs, file, driver, [])
  await refused(programs, file, driver, image)
}

/** The checks of a part: those of which no line says that they passed count as failed. */
async function part(name, wine, programs, file, driver, user) {
  const args = [join(programs, 'volumes.js'), name, windowsPath(file)]
  const { out, err } = await run([...user, 'wine', nodeExe, ...args], environmentOf(wine, driver))
  const lines = out.split(/\r?\n/)
  for (const line of lines.filter(line => /^(not )?ok - /.test(line)))
    say(line.startsWith('ok'), line.replace(/^.*?- /, ''))
  const said = lines.filter(line => line.startsWith(`volumes ${name}: `))
  say(said.length === 1, `the part "${name}" came to its end`, `${out}\n${err}`)
  const server = [...user, 'wineserver', '-k']
  spawnSync(server[0], server.slice(1), { env: environmentOf(wine, driver), stdio: 'ignore' })
}

/** As a user who may not read the volume, in a copy of the prefix that is that user's. */
async function refused(programs, file, driver, image) {
  if (process.getuid() !== 0) {
    process.stdout.write('not run: a volume that may not be read (needs root, to become another user)\n')
    return
  }
  const copy = join(scratch, 'prefix')
  await run(['cp', '-a', '--reflink=auto', prefix, copy])
  // Debian notes here where the sockets of a prefix are.
  fs.rmSync(join(copy, 'wineserver'), { force: true })
  await run(['chown', '-R', '-h', `${NOBODY}:${NOBODY}`, copy])
  fs.chmodSync(copy, 0o700)
  const secret = join(scratch, 'secret.img')
  fs.copyFileSync(image, secret, fs.constants.COPYFILE_FICLONE)
  fs.chmodSync(secret, 0o600)
  drive(copy, 'v', secret)
  const user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  await part('refused', copy, programs, file, driver, user)
  const sockets = join(copy, 'wineserver')
  if (fs.existsSync(sockets)) fs.rmSync(`/tmp/wine-${socketsOf(sockets)}`, { recursive: true, force: true })
}

/** `UtqTyS` for `/tmp/wine-UtqTyS`; the file has more than that in some versions. */
function socketsOf(file) {
  return /[A-Za-z0-9]{6}/.exec(fs.readFileSync(file, 'latin1').replace('wine-', ''))?.[0] ?? 'none'
}

function say(isPassed, name, detail = '') {
  if (isPassed) passed++
  else failed++
  process.stdout.write(`${isPassed ? 'ok' : 'not ok'} - ${name}\n${isPassed ? '' : detail.replace(/^/gm, '    ')}`)
}

/** The programs with all that they need but koffi, which is looked for in NODE_MODULES. */
async function bundle() {
  const out = join(scratch, 'programs')
  const scanner = join(root, 'apps/scanner/dist/volume')
  await build({
    entryPoints: {
      volumes: join(here, 'volumes.mjs'),
      'table-worker': join(scanner, 'table-worker.js'),
    },
    outdir: out,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['koffi'],
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)",
    },
    logLevel: 'warning',
  })
  fs.writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n')
  fs.symlinkSync(modules, join(out, 'node_modules'))
  return out
}

/** Runs a command whose output goes to files: pipes from Linux do not work under Wine. */
async function run(command, env = process.env) {
  const base = fs.mkdtempSync(join(scratch, 'run-'))
  const [out, err] = ['out', 'err'].map(name => fs.openSync(join(base, name), 'w'))
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', out, err], env, cwd: '/' })
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS)
  const code = await new Promise(done => {
    child.once('error', done)
    child.once('exit', (code, signal) => done(code ?? signal))
  })
  clearTimeout(timer)
  fs.closeSync(out)
  fs.closeSync(err)
  const text = name => fs.readFileSync(join(base, name), 'utf8')
  const isWine = command.includes('wine')
  if (!isWine && code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${text('err')}`)
  return { out: text('out'), err: `${text('err')}\nended with ${code}` }
}

function environmentOf(wine, driver) {
  return {
    PATH: process.env.PATH,
    HOME: homeOf(wine),
    LANG: 'C.UTF-8',
    WINEPREFIX: wine,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
    HOTPATH_SIMULATED_DRIVER: windowsPath(driver),
  }
}

/** Beside the copy of a prefix, or in what is removed at the end. */
function homeOf(wine) {
  const home = join(scratch, wine === prefix ? 'home' : 'home-of-nobody')
  if (!fs.existsSync(home)) {
    fs.mkdirSync(home)
    if (wine !== prefix) fs.chownSync(home, NOBODY, NOBODY)
  }
  return home
}

function windowsPath(path) {
  return `Z:${path.replaceAll('/', '\\')}`
}

/** Raw reads of a drive need no more than the image. */
function drive(wine, letter, image) {
  const link = join(wine, 'dosdevices', `${letter}::`)
  fs.rmSync(link, { force: true })
  fs.symlinkSync(image, link)
}

/** A real volume: what of it lists it (packages/ntfs/fixtures). The name is what paths in it begin with. */
function makeImage(name) {
  const { size, parts } = readFixture('clusters-of-4096')
  const path = join(scratch, name)
  const fd = fs.openSync(path, 'w')
  for (const { offset, bytes } of parts) fs.writeSync(fd, bytes, 0, bytes.length, offset)
  fs.ftruncateSync(fd, size)
  fs.closeSync(fd)
  return path
}

/**
 * A copy of an image in which the records that the journal names were never written: the driver has them in memory, as Windows has what it
 * has not written yet.
 */
async function imageBehind(image, driver) {
  const copy = join(scratch, 'behind.img')
  fs.copyFileSync(image, copy, fs.constants.COPYFILE_FICLONE)
  const { isNamed } = await import('./listing.mjs')
  const fd = fs.openSync(copy, 'r+')
  const read = ({ offset, length }) => {
    const bytes = new Uint8Array(length)
    fs.readSync(fd, bytes, 0, length, offset)
    return bytes
  }
  const volume = driveReading(Volume.open(copy), read)
  const records = []
  for (let number = 0; number < volume.records; number++) {
    const record = driveReading(volume.storedRecord(number), read)
    records.push(record)
    if (isNamed(number)) fs.writeSync(fd, new Uint8Array(record.length), 0, record.length, volume.offsetOf(number))
  }
  fs.closeSync(fd)
  fs.writeFileSync(join(driver, 'table'), Buffer.concat(records))
  return copy
}

/** What the same code finds on Linux. */
async function linuxListing(path) {
  const { VolumeSource } = await import(pathToFileURL(join(root, 'apps/scanner/dist/session/volume-source.js')).href)
  const { listingOf, optionsOf } = await import('./listing.mjs')
  const { paths: _, ...found } = await listingOf(new VolumeSource({ id: 'v', kind: 'volume', path }, optionsOf()))
  return found
}

/** Names of the nodes that the journal names, as a listing has them. */
async function linuxNames(path) {
  const { VolumeSource } = await import(pathToFileURL(join(root, 'apps/scanner/dist/session/volume-source.js')).href)
  const { isInJournal, namesOfNodes, optionsOf } = await import('./listing.mjs')
  const source = new VolumeSource({ id: 'v', kind: 'volume', path }, optionsOf())
  const lines = await namesOfNodes(source, isInJournal)
  return { count: lines.length, digest: digestOf(lines.join('\n')) }
}

function linuxReads(path) {
  const { size } = fs.statSync(path)
  const places = [
    [0, 512],
    [3, 8],
    [510, 4],
    [513, 100_000],
    [16_384, 1024],
    [size - 100, 100],
    [size - 100, 4096],
  ]
  const fd = fs.openSync(path, 'r')
  const found = places.map(([offset, length]) => {
    const bytes = Buffer.alloc(length)
    const count = fs.readSync(fd, bytes, 0, length, offset)
    return { offset, length, digest: digestOf(bytes.subarray(0, count)) }
  })
  fs.closeSync(fd)
  return found
}

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

/** USN_RECORD_V2. */
function usnRecord({ usn = 0, record, sequence = 1, parent, parentSequence = 1, reasons = 0, attributes, name }) {
  const units = Buffer.from(name, 'utf16le')
  const bytes = Buffer.alloc(Math.ceil((60 + units.length) / 8) * 8)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(2, 4)
  bytes.writeBigUInt64LE((BigInt(sequence) << 48n) | BigInt(record), 8)
  bytes.writeBigUInt64LE((BigInt(parentSequence) << 48n) | BigInt(parent), 16)
  bytes.writeBigInt64LE(BigInt(usn), 24)
  bytes.writeUInt32LE(reasons, 40)
  bytes.writeUInt32LE(attributes, 52)
  bytes.writeUInt16LE(units.length, 56)
  bytes.writeUInt16LE(60, 58)
  units.copy(bytes, 60)
  return bytes
}

function makeJournal(driver) {
  const recordOf = i => {
    const name = `ä${String(i).padStart(5, '0')}`
    const [record, sequence, reasons] = [64 + (i % 500), 1 + (i % 9), i % 2 === 0 ? 0x100 : 0x80000100]
    const usn = i * RECORD_BYTES
    const bytes = usnRecord({ usn, record, sequence, parent: 5, parentSequence: 5, reasons, attributes: 0x20, name })
    return { bytes, line: `${usn} ${record} ${sequence} ${reasons} ${name}\n`, node: `${record} ${sequence}` }
  }
  const records = Array.from({ length: RECORDS }, (_, i) => recordOf(i))
  const later = recordOf(RECORDS)
  const bytes = Buffer.concat(records.map(({ bytes }) => bytes))
  fs.writeFileSync(join(driver, 'records'), bytes)
  const request = Buffer.alloc(48)
  request.writeBigInt64LE(BigInt(RECORD_BYTES * 100), 0)
  request.writeUInt32LE(0xffffffff, 8)
  request.writeBigUInt64LE(JOURNAL_ID, 32)
  request.writeUInt16LE(2, 40)
  request.writeUInt16LE(3, 42)
  return {
    id: String(JOURNAL_ID),
    records: RECORDS,
    bytes: bytes.length,
    digest: digestOf(records.map(({ line }) => line).join('')),
    later: { record: later.bytes.toString('base64'), node: later.node },
    request: request.toString('base64'),
  }
}

/** A tree in which some directories have higher record numbers than what is in them. */
function makeNames(driver) {
  const DIRECTORIES = 200
  const FILES = 5_000
  const numberOf = i => 30 + ((i * 7919) % (DIRECTORIES + FILES))
  const nodes = Array.from({ length: DIRECTORIES + FILES }, (_, i) => {
    const parent = i < 5 ? undefined : i < DIRECTORIES ? (i - 1) >> 1 : i % DIRECTORIES
    return { record: numberOf(i), parent, isDirectory: i < DIRECTORIES, name: i < DIRECTORIES ? `d${i}` : `f${i}.txt` }
  })
  const pathOf = ({ parent, name }) => (parent === undefined ? `/${name}` : `${pathOf(nodes[parent])}/${name}`)
  const paths = ['', ...nodes.map(pathOf)].sort()
  const records = nodes
    .map(({ record, parent, isDirectory, name }) => {
      const directory = parent === undefined ? { parent: 5, parentSequence: 5 } : { parent: nodes[parent].record }
      return { record, ...directory, name, attributes: isDirectory ? 0x10 : 0x20 }
    })
    .sort((a, b) => a.record - b.record)
  fs.writeFileSync(join(driver, 'names'), Buffer.concat(records.map(usnRecord)))
  const data = Buffer.alloc(96)
  data.writeBigUInt64LE(SERIAL, 0)
  data.writeUInt32LE(1024, 48)
  data.writeBigInt64LE(1024n * BigInt(30 + DIRECTORIES + FILES), 56)
  fs.writeFileSync(join(driver, 'volume-data'), data)
  const volume = `ntfs-${SERIAL.toString(16).padStart(16, '0')}`
  return { volume, count: paths.length, digest: digestOf(paths.join('\n')) }
}
