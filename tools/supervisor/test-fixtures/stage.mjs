// A stage for tests: says what it does on standard error, behaves as its arguments tell it.
import { appendFileSync } from 'node:fs'

const flags = new Map(process.argv.slice(2).map(argument => argument.replace(/^--/, '').split(/=(.*)/s)))
const journal = flags.get('journal')
const note = text => journal && appendFileSync(journal, `${text} ${process.pid}\n`)

// As a stage does: whoever reads what it says may be gone before it has said it.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
note(`start${flags.has('fresh') ? '-fresh' : ''}`)
process.stderr.write(
  `${JSON.stringify({ time: 'now', level: 'warn', stage: 'x', event: 'hello', path: '/a\u001b[2J' })}\n`,
)
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {
  if (flags.has('ignore-term')) return
  note('stop')
  process.exit(0)
})
process.stdin.on('end', () => {
  note('orphaned')
  process.exit(0)
})
process.stdin.resume()
if (flags.has('exit')) {
  process.stderr.write('the last words\n')
  process.exit(Number(flags.get('exit')))
}
process.stdout.write(`${JSON.stringify({ ready: true, url: flags.get('url') })}\n`)
setInterval(() => {}, 1_000)
