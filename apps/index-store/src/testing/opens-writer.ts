import { DEFAULT_SCORING } from '@hotpath/hot-score'
import { HotDb } from '../hot/hot-db.js'
import { HotKeeper } from '../hot/hot-keeper.js'
import { SIMULATED_OPENS, simulatedOpen } from './simulated-opens.js'

/**
 * A process that is killed: counts simulated opens in the file of argv[2] and prints `written N` when the first N are on disk,
 * `accepted N` when so many were accepted.
 */
const file = process.argv[2]
if (file === undefined) throw new Error('usage: opens-writer FILE')
const { db, table } = await HotDb.open(file, DEFAULT_SCORING, error => {
  throw error
})
const keeper = new HotKeeper({ table, db })
let applied = 0
keeper.start(() => {})
const report = (line: string): boolean => process.stdout.write(`${line}\n`)
const write = db.write.bind(db)
db.write = async () => {
  const covered = totalRuns()
  await write()
  report(`written ${covered}`)
}
for (let number = 0; number < SIMULATED_OPENS; ) {
  const { node, at } = simulatedOpen(number)
  if (keeper.accept(node, at)) applied = ++number
  if (number % 500 !== 0) continue
  report(`accepted ${applied}`)
  await new Promise(resolve => setImmediate(resolve))
}
await keeper.stop()
report('done')

/** Opens in the table: those that were applied. */
function totalRuns(): number {
  let runs = 0
  table.forEach(slot => {
    runs += table.runsAt(slot)
  })
  return runs
}
