// What run.mjs starts under Wine: volumes and their change journal, by the code that runs on Windows.
//
//     node.exe volumes.js PART EXPECTED.json        PART: readable, refused
//
// Prints a line for each check and one at the end; without that line it did not come to its end.
import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Op } from '@hotpath/model'
import { parseDirectoryEntries, referenceOf, UsnReader } from '@hotpath/ntfs'
import {
  kernel32,
  queryUsnJournal,
  storageDeviceOfVolume,
  VolumeHandle,
  volumeInformation,
  volumeNameOf,
} from '@hotpath/platform'
import { withControlOf } from '@hotpath/platform/testing'
import { followVolume } from '../../../apps/journal-watcher/dist/volume/follow-volume.js'
import { WindowsVolume } from '../../../apps/journal-watcher/dist/volume/windows-volume.js'
import { openVolume } from '../../../apps/scanner/dist/session/open-volume.js'
import { HandleJournal } from '../../../apps/scanner/dist/volume/handle-journal.js'
import { openVolumeFile } from '../../../apps/scanner/dist/volume/raw-volume.js'
import { openNames } from '../../../apps/scanner/dist/volume/volume-names.js'
import { addName, isInJournal, JOURNAL_NODES, listingOf, optionsOf } from './listing.mjs'

const [part, file] = process.argv.slice(2)
const expected = JSON.parse(readFileSync(file, 'utf8'))
const { library, driver } = expected
const OPEN_EXISTING = 3
const W = volumeNameOf('W:')
/** Id of its journal, as it is kept. */
const JOURNAL = BigInt(expected.journal.id).toString(16).padStart(16, '0')
let passed = 0
let failed = 0

function check(name, found, detail = '') {
  if (found === true) passed++
  else failed++
  console.log(`${found === true ? 'ok' : 'not ok'} - ${name}${found === true ? '' : `: ${detail}`}`)
}

function equal(name, found, wanted) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)]
  check(name, left === right, `found ${left?.slice(0, 500)}, expected ${right?.slice(0, 500)}`)
}

async function section(name, run) {
  try {
    await run()
  } catch (error) {
    check(name, false, error?.stack ?? error)
  }
}

/** The code that a call fails with. */
function codeOf(call) {
  try {
    call()
    return 'no failure'
  } catch (error) {
    return error.windowsCode ?? String(error?.stack ?? error)
  }
}

function settings(values) {
  const all = { id: expected.journal.id, first: 0, lowest: 0, query: 0, read: 0, ...values }
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(`${driver}\\settings.new`, lines.join(''))
  renameSync(`${driver}\\settings.new`, `${driver}\\settings`)
}

async function readable() {
  await section('read', async () => {
    const { paths: _, ...found } = await listingOf(openVolume({ id: 'v', kind: 'volume', path: 'W:' }, optionsOf()))
    equal(`the listing of \\\\.\\W: is that of the image, ${expected.listing.count} entries`, found, expected.listing)
  })
  await section('unaligned', () => {
    const asked = []
    const calls = kernel32()
    let position
    const handle = VolumeHandle.toRead(W, {
      ...calls,
      SetFilePointerEx(opened, distance, ...rest) {
        position = distance
        return calls.SetFilePointerEx(opened, distance, ...rest)
      },
      ReadFile(opened, into, length, ...rest) {
        asked.push([Number(position), length])
        return calls.ReadFile(opened, into, length, ...rest)
      },
    })
    for (const { offset, length, digest } of expected.reads) {
      const bytes = new Uint8Array(length)
      const count = handle.read(offset, bytes)
      equal(
        `${length} bytes from ${offset} on`,
        createHash('sha256').update(bytes.subarray(0, count)).digest('hex'),
        digest,
      )
    }
    check(
      `all ${asked.length} reads were of whole sectors`,
      asked.length > 0 && asked.every(([offset, length]) => offset % 512 === 0 && length % 512 === 0 && length > 0),
      JSON.stringify(asked),
    )
    handle.close()
  })
  await section('errors', () => {
    equal(
      'a drive that is not there is error 2',
      codeOf(() => openVolumeFile('Q:')),
      2,
    )
    const handle = VolumeHandle.toRead(W)
    equal(
      'Wine has no change journal: error 50',
      codeOf(() => queryUsnJournal(handle)),
      50,
    )
    handle.close()
    const forwarded = VolumeHandle.toRead(W, withControlOf(library))
    const unknown = () => forwarded.control('FSCTL_GET_VOLUME_BITMAP', 0x9006f, new Uint8Array(8), new Uint8Array(64))
    equal('a code that the driver of the tests does not know goes to Wine: error 50', codeOf(unknown), 50)
    forwarded.close()
    equal('a file system is named', volumeInformation(volumeNameOf('C:')).fileSystem, 'NTFS')
    const device = storageDeviceOfVolume(volumeNameOf('C:'))
    check(
      'the disk of C: is known or is not, without a failure',
      device === undefined || typeof device.rotational === 'boolean',
    )
  })
  await section('journal', journal)
  await section('losses', losses)
  await section('followed', () => followed('X:'))
  await section('directory', directory)
  await section('names', () => namesOf('names that the driver tells', { id: 'v', kind: 'volume', path: 'Z9' }, W))
}

/** Records as the watcher reads them: by its `WindowsVolume`, which it opens for each look. */
function journal() {
  const { records, bytes } = expected.journal
  settings({})
  const volume = new WindowsVolume('W:', W, withControlOf(library))
  const source = new HandleJournal(volume)
  const rows = UsnReader.rows()
  const hash = createHash('sha256')
  let seen = 0
  let replies = 0
  let from = 0
  /** Reads to the end, as in one look. */
  const look = () => {
    const now = source.look()
    for (let isMore = true; isMore; ) {
      const { next, isEnd } = source.read(from, rows)
      for (let row = 0; row < rows.count; row++) {
        const name = Buffer.from(rows.names.subarray(rows.nameOffsets[row], rows.nameOffsets[row + 1]))
        hash.update(`${rows.usn[row]} ${rows.record[row]} ${rows.sequence[row]} ${rows.reasons[row]} ${name}\n`)
      }
      seen += rows.count
      if (!isEnd) replies++
      isMore = !isEnd
      from = next
    }
    volume.close()
    return now
  }
  equal('the journal is the one that the driver has', look().id, JOURNAL)
  equal(
    `${records} records in ${replies} replies`,
    [seen, hash.copy().digest('hex')],
    [records, expected.journal.digest],
  )
  equal('the position is behind the last of them', from, bytes)
  look()
  equal('a look at which nothing has come reads nothing', [seen, from], [records, bytes])

  settings({ id: 77 })
  const handle = VolumeHandle.toRead(W, withControlOf(library))
  const request = Buffer.from(expected.journal.request, 'base64')
  const ask = () => handle.control('FSCTL_READ_USN_JOURNAL', 0x900bb, new Uint8Array(request), new Uint8Array(4096))
  equal('the code of a failed read is that of the driver: 87', codeOf(ask), 87)
  settings({ first: 72 * 200 })
  equal('1181', codeOf(ask), 1181)
  handle.close()
  settings({})
}

/** Follows a volume as the watcher does. What it tells is in the result. */
function follow(path, next) {
  const told = { names: new Set(), named: new Set(), losses: [], wakes: 0 }
  const listener = {
    emit({ op, entries }) {
      for (let row = 0; row < op.length; row++) {
        if (op[row] === Op.named) told.named.add(`${entries.ref.low[row]} ${entries.ref.birth[row]}`)
        else addName(told.names, entries, row, isInJournal)
      }
    },
    hasRoom: () => true,
    woken: () => told.wakes++,
    lost: reason => told.losses.push(reason),
    lastSequence: () => 0,
    reached() {},
  }
  const known = { id: JOURNAL, next }
  const begun = followVolume({ path, excludes: [], known }, listener, withControlOf(library))
  return { told, begun, tree: begun.tree }
}

/** Reads the journal and looks at the nodes, until there is nothing more. */
function work(tree) {
  tree.nextGeneration()
  // Directories that came are not listed: the image has the table, and not their indexes.
  for (let isMore = true; isMore; tree.flush()) isMore = tree.observe()
}

/** What the watcher says of a journal that is not as it was kept. */
function losses() {
  const decide = (name, values, next, wanted) => {
    settings(values)
    const { begun, tree } = follow('W:', next)
    equal(name, begun.loss ?? begun, wanted)
    tree?.close()
  }
  const { bytes } = expected.journal
  const middle = 72 * 100
  const wrapped = 'its change journal has given back what was not read yet'
  decide('another id is another journal', { id: 77 }, middle, 'its change journal was begun anew')
  const restamped = 'its change journal was given another id'
  decide('another id whose positions go on', { id: 77, lowest: 72 }, middle, restamped)
  decide('a position whose records were given back', { first: 72 * 200 }, middle, wrapped)
  decide('position 0, too', { first: 72 * 200 }, 0, wrapped)
  decide('a position behind the end', {}, 2 * bytes, 'its change journal ends before what was read')
  decide('a journal that is being deleted', { query: 1178 }, middle, 'it has no change journal')
  renameSync(`${driver}\\records`, `${driver}\\records.away`)
  decide('a journal that is gone', {}, middle, 'its change journal was deleted')
  renameSync(`${driver}\\records.away`, `${driver}\\records`)

  settings({})
  const { told, tree } = follow('W:', middle)
  settings({ read: 1117 })
  work(tree)
  const failed = ['FSCTL_READ_USN_JOURNAL of W: failed: the device has failed (error 1117)']
  equal('a read that fails for a reason of its own', told.losses, failed)
  tree.close()
  settings({})
}

/** What the watcher tells of the nodes that the journal names is what a listing has, also where they are not on the volume yet. */
async function followed(path) {
  settings({})
  const { told, begun, tree } = follow(path, 0)
  equal('a volume is followed from where it is known', tree?.from ?? begun, { id: JOURNAL, next: 0 })
  work(tree)
  const lines = [...told.names].sort()
  equal(
    `names of the nodes that its journal names are those of a listing, ${lines.length}`,
    [lines.length, createHash('sha256').update(lines.join('\n')).digest('hex')],
    [expected.followed.count, expected.followed.digest],
  )
  equal('all of these nodes are told, also those that are gone', told.named.size, JOURNAL_NODES)
  equal('nothing is lost meanwhile', told.losses, [])

  const { later } = expected.journal
  told.named.clear()
  appendFileSync(`${driver}\\records`, Buffer.from(later.record, 'base64'))
  // Nobody asks for it: the timer of the watcher does.
  await until(() => {
    while (tree.observe()) tree.flush()
    tree.flush()
    return told.named.size > 0
  })
  equal('what comes later is told by itself', [...told.named], [later.node])
  check('the watcher was woken for it', told.wakes > 0)

  settings({ id: 77 })
  work(tree)
  equal('a journal with another id is a loss', told.losses, ['its change journal was begun anew'])
  tree.close()
  settings({})
}

/** What a directory of Wine's drive C: holds. Wine opens none by a reference that it has not seen, so that it is opened by its path here. */
function directory() {
  const path = 'C:\\windows'
  const calls = kernel32()
  const byPath = (_volume, _id, access, share, security, flags) =>
    calls.CreateFileW(path, access, share, security, OPEN_EXISTING, flags, 0)
  const volume = VolumeHandle.toAsk(volumeNameOf('C:'), { ...calls, OpenFileById: byPath })
  const opened = volume.directory(referenceOf(5, 5))
  // Several replies.
  const into = new Uint8Array(1024)
  const files = []
  while (opened.next(into)) files.push(...parseDirectoryEntries(path, into))
  opened.close()
  volume.close()
  const inodes = readdirSync(path).map(name => statSync(`${path}\\${name}`).ino)
  equal(`${inodes.length} files that a directory holds`, files.map(({ record }) => record).sort(), inodes.sort())
  const unknown = VolumeHandle.toRead(W)
  const code = codeOf(() => unknown.directory(referenceOf(5, 5)))
  check('a directory that cannot be opened by its reference is an error of Windows', typeof code === 'number', code)
  unknown.close()
}

/** Waits until something is so, 30 s at most. */
async function until(isSo) {
  for (const endMs = Date.now() + 30_000; !isSo() && Date.now() < endMs; ) await sleep(10)
}

/** Lists what FSCTL_ENUM_USN_DATA tells. */
async function namesOf(name, root, volume) {
  const { VolumeNamesSource } = await import('../../../apps/scanner/dist/session/volume-names-source.js')
  const calls = openNames(volume, VolumeHandle.toAsk(volume, withControlOf(library)))
  const { count, paths } = await listingOf(new VolumeNamesSource(root, optionsOf(), calls))
  equal(`${name}: ${count} entries`, [count, digestOf(paths, root.path)], [expected.names.count, expected.names.digest])
}

function digestOf(paths, root) {
  return createHash('sha256')
    .update(paths.map(path => path.slice(root.length)).join('\n'))
    .digest('hex')
}

async function refused() {
  await section('refused', async () => {
    equal(
      'a volume that may not be read is error 5',
      codeOf(() => openVolumeFile('V:')),
      5,
    )
    const root = { id: 'v', kind: 'volume', path: 'V:' }
    const plain = () => openVolume(root, optionsOf())
    equal('and is refused with it where the names are not told either', codeOf(plain), 5)
    // Wine refuses the drive with no access, too; Windows opens it. The driver of the tests does not look at its handle.
    const names = () => openNames(W, VolumeHandle.toAsk(W, withControlOf(library)))
    const source = openVolume(root, optionsOf(), names)
    const { volume, count, paths } = await listingOf(source)
    const found = [volume, count, digestOf(paths, 'V:')]
    equal(`its names are listed: ${count} entries`, found, [
      expected.names.volume,
      expected.names.count,
      expected.names.digest,
    ])
    equal('with a problem', source.problems().length, 1)
  })
}

await { readable, refused }[part]()
rmSync(`${driver}\\settings.new`, { force: true })
console.log(`volumes ${part}: ${passed} passed, ${failed} failed`)
// No call is under way that would keep the process.
process.exit(0)
