// What run.mjs starts under Wine: volumes and their change journal, by the code that runs on Windows.
//
//     node.exe volumes.js PART EXPECTED.json        PART: readable, refused
//
// Prints a line for each check and one at the end; without that line it did not come to its end.
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Op } from '@hotpath/model'
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
import { openVolume } from '../../../apps/scanner/dist/session/open-volume.js'
import { JournalFollower } from '../../../apps/scanner/dist/volume/journal-follower.js'
import { VolumeFile } from '../../../apps/scanner/dist/volume/volume-file.js'
import { openNames } from '../../../apps/scanner/dist/volume/volume-names.js'
import { addName, isInJournal, JOURNAL_NODES, listingOf, optionsOf } from './listing.mjs'

const [part, file] = process.argv.slice(2)
const expected = JSON.parse(readFileSync(file, 'utf8'))
const { library, driver } = expected
const W = volumeNameOf('W:')
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
      codeOf(() => new VolumeFile('Q:')),
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
  await section('followed', followed)
  await section('names', () => namesOf('names that the driver tells', { id: 'v', kind: 'volume', path: 'Z9' }, W))
}

async function journal() {
  const { id, records, bytes } = expected.journal
  const hexId = BigInt(id).toString(16).padStart(16, '0')
  const worker = new URL('./journal-worker.js', import.meta.url)
  const follow = () => new JournalFollower('W:', job => new Worker(worker, { workerData: { ...job, library } }))
  const rows = JournalFollower.rows()
  settings({})

  const follower = follow()
  const hash = createHash('sha256')
  let position = { id: hexId, nextUsn: 0 }
  let seen = 0
  let replies = 0
  const take = () => {
    for (let row = 0; row < rows.count; row++) {
      const name = Buffer.from(rows.names.subarray(rows.nameOffsets[row], rows.nameOffsets[row + 1]))
      hash.update(`${rows.usn[row]} ${rows.record[row]} ${rows.sequence[row]} ${rows.reasons[row]} ${name}\n`)
      seen++
    }
  }
  while (seen < records) {
    const found = await follower.next(position, rows)
    if (found.kind !== 'records') throw new Error(found.reason)
    position = found.position
    replies++
    take()
  }
  equal(`${records} records in ${replies} replies`, [seen, hash.digest('hex')], [records, expected.journal.digest])
  equal('the position is behind the last of them', position, { id: hexId, nextUsn: bytes })

  let isSettled = false
  const waiting = follower.next(position, rows).finally(() => {
    isSettled = true
  })
  await sleep(500)
  check('a follower waits while nothing comes', !isSettled)
  appendFileSync(`${driver}\\records`, Buffer.from(expected.journal.later, 'base64'))
  const came = await waiting
  equal('and gets what comes then', [came.kind, rows.count, came.position?.nextUsn], ['records', 1, bytes + 72])
  position = came.position
  const endless = follower.next(position, rows).catch(error => error.code)
  await follower.close()
  equal('a follower that waits ends when it is closed', await endless, 'CANCELLED')

  const decide = async (name, values, from, wanted) => {
    settings(values)
    const one = follow()
    const found = await one.next(from, rows).catch(error => `error ${error.windowsCode ?? error?.stack}`)
    equal(name, found.reason ?? found.kind ?? found, wanted)
    await one.close()
  }
  const middle = { id: hexId, nextUsn: 72 * 100 }
  await decide('another id is another journal', { id: 77 }, middle, 'recreated')
  await decide('another id whose positions go on', { id: 77, lowest: 72 }, middle, 'restamped')
  await decide('a position whose records were given back', { first: 72 * 200 }, middle, 'wrapped')
  await decide('position 0, too', { first: 72 * 200 }, { id: hexId, nextUsn: 0 }, 'wrapped')
  await decide('a position behind the end', {}, { id: hexId, nextUsn: 2 * bytes }, 'truncated')
  await decide('a journal that is being deleted', { query: 1178 }, middle, 'inactive')
  await decide('a read that fails for a reason of its own', { read: 1117 }, middle, 'error 1117')
  renameSync(`${driver}\\records`, `${driver}\\records.away`)
  await decide('a journal that is gone', {}, middle, 'deleted')
  renameSync(`${driver}\\records.away`, `${driver}\\records`)

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

/** The watcher's part: what it tells of the nodes that the journal names is what a listing has. */
function followed() {
  settings({})
  const hexId = BigInt(expected.journal.id).toString(16).padStart(16, '0')
  const names = new Set()
  const named = new Set()
  const losses = []
  const listener = {
    emit({ op, entries }) {
      for (let row = 0; row < op.length; row++) {
        if (op[row] === Op.named) named.add(`${entries.ref.low[row]} ${entries.ref.birth[row]}`)
        else addName(names, entries, row, isInJournal)
      }
    },
    hasRoom: () => true,
    woken() {},
    lost: reason => losses.push(reason),
    lastSequence: () => 0,
    reached() {},
  }
  const known = { id: hexId, next: 0 }
  const begun = followVolume({ path: 'W:', excludes: [], known }, listener, withControlOf(library))
  equal('a volume is followed from where it is known', begun.tree?.from ?? begun, known)
  const { tree } = begun
  const work = () => {
    tree.nextGeneration()
    // Directories that came are not listed: the image has the table, and not their indexes.
    for (let isMore = true; isMore; tree.flush()) isMore = tree.observe()
  }
  work()
  const lines = [...names].sort()
  equal(
    `names of the nodes that its journal names are those of a listing, ${lines.length}`,
    [lines.length, createHash('sha256').update(lines.join('\n')).digest('hex')],
    [expected.followed.count, expected.followed.digest],
  )
  equal('all of these nodes are told, also those that are gone', named.size, JOURNAL_NODES)
  equal('nothing is lost meanwhile', losses, [])
  settings({ id: 77 })
  work()
  equal('a journal with another id is a loss', losses, ['its change journal was begun anew'])
  tree.close()
  settings({})
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
      codeOf(() => new VolumeFile('V:')),
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
