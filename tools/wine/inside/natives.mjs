// The calls to Windows of the package `platform`, and what the stages need of others.
import { fork } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  acquireLock,
  addressOf,
  bootId,
  mapFile,
  nativeProblem,
  pageSize,
  processAge,
  processMemory,
  replaceFile,
  restrictToUser,
  takeIdlePriority,
} from '@hotpath/platform'
import roaring from 'roaring-wasm'
import { capability } from 'zeromq'
import { answer, inputs } from './answer.mjs'

const koffi = createRequire(import.meta.url)('koffi')
const [directory, role] = inputs
const lockFile = join(directory, 'a.lock')

if (role === 'other') {
  let refusal = ''
  try {
    acquireLock(lockFile)
  } catch (error) {
    refusal = error.message
  }
  process.send({ refusal, bootId: bootId() })
} else {
  mkdirSync(directory, { recursive: true })
  answer({
    ...(await locks()),
    replaced: await replaced(),
    ...mappings(),
    ...ofProcess(),
    ...packages(),
    rights: rights(),
  })
}

async function locks() {
  const held = acquireLock(lockFile)
  const written = readFileSync(lockFile, 'utf8')
  const other = await fromOther()
  held.release()
  const again = acquireLock(lockFile)
  again.release()
  return {
    lockHolder: written === `${process.pid}\n`,
    lockRefusal: other.refusal.replace(String(process.pid), 'PID').includes('process PID'),
    lockFreed: readFileSync(lockFile, 'utf8') === '',
    oneBoot: other.bootId === bootId(),
  }
}

/** As a scanner holds a file that has just been written: nobody else may do anything with it. */
async function replaced() {
  const [from, to] = [join(directory, 'new'), join(directory, 'old')]
  writeFileSync(from, 'new')
  writeFileSync(to, 'old')
  const kernel32 = koffi.load('kernel32.dll')
  const create = kernel32.func(
    'uintptr_t CreateFileW(void *path, uint32_t access, uint32_t share, void *rights, uint32_t how, uint32_t flags, uintptr_t like)',
  )
  const handle = create(Buffer.from(`${to}\0`, 'utf16le'), 0x80000000, 0, null, 3, 0, 0)
  const refused = await rename(from, to).then(
    () => '',
    error => error.code,
  )
  setTimeout(() => kernel32.func('int CloseHandle(uintptr_t handle)')(handle), 300)
  await replaceFile(from, to)
  return [refused, readFileSync(to, 'utf8')]
}

function fromOther() {
  const child = fork(fileURLToPath(import.meta.url), ['unused', directory, 'other'])
  return new Promise(resolve => child.once('message', resolve))
}

function mappings() {
  const file = join(directory, 'mapped')
  const content = Buffer.alloc(3 * pageSize() + 100)
  for (let i = 0; i < content.length; i++) content[i] = (i * 31 + (i >> 8)) & 0xff
  writeFileSync(file, content)
  const byPath = mapFile(file)
  const fd = openSync(file, 'r')
  const byFd = mapFile(fd, { advice: 'random' })
  closeSync(fd)
  const same = [byPath, byFd].map(
    mapping => mapping.length === content.length && Buffer.compare(mapping.bytes(), content) === 0,
  )
  byPath.advise(0, 10, 'willneed')
  byPath.unmap()
  byFd.unmap()
  // What is not mapped any more can be removed.
  rmSync(file)
  writeFileSync(file, '')
  return { mapped: same, mappedEmpty: mapFile(file).length, address: addressOf(new ArrayBuffer(16)) > 0n }
}

function ofProcess() {
  const { residentBytes } = processMemory()
  return {
    resident: residentBytes > 10e6,
    age: processAge(process.pid) < 600_000,
    idle: takeIdlePriority(),
    libc: nativeProblem()?.code,
  }
}

function packages() {
  const set = new roaring.RoaringBitmap32([1, 5, 70_000])
  return { curve: capability.curve, set: set.size }
}

function rights() {
  const path = join(directory, 'private')
  mkdirSync(path)
  restrictToUser(path)
  writeFileSync(join(path, 'secret'), 'x')
  return path
}
